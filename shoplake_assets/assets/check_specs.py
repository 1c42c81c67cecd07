"""Which checks each table has.

Belongs here: names and descriptions, for the reader of the UI. Does not belong here: how a check is evaluated: those of
Silver and Gold in `lake.auditing`, those of Bronze in `checks.bronze`.
"""

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.lake.refresh import CONTRACT, KEY_UNIQUE, RECONCILES
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_USER_HOURLY,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)

_SALES_ADD_UP = "Purchases, units and revenue of the recomputed hours equal those of the table below, to the cent."
_RECONCILES = {
    SILVER_EVENTS: "Every new Bronze record ended in Silver, in quarantine, or as a counted repeat; none is missing.",
    GOLD_HOURLY_SALES: _SALES_ADD_UP,
    GOLD_PRODUCT_HOURLY: _SALES_ADD_UP,
    GOLD_USER_HOURLY: _SALES_ADD_UP,
    GOLD_CATEGORY_SALES: _SALES_ADD_UP,
}


def check_specs(table: str) -> list[dg.AssetCheckSpec]:
    """The blocking checks that a refresh of the table must pass on its audit branch, before anybody sees it."""
    specs = {CONTRACT: "Columns, types, nulls and value rules are as the table's contract says."}
    if table != SILVER_QUARANTINE:
        specs[KEY_UNIQUE] = "No two rows share the table's key."
    if table in _RECONCILES:
        specs[RECONCILES] = _RECONCILES[table]
    return [
        dg.AssetCheckSpec(name, asset=key_of(table), blocking=True, description=description)
        for name, description in specs.items()
    ]
