"""Which checks each table has.

Belongs here: names and descriptions, for the reader of the UI. Does not belong here: how a check is evaluated: those of
Silver and Gold in `lake.auditing` and `lake.limits`, those of Bronze in `checks.bronze`.
"""

from typing import TYPE_CHECKING

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import table_of
from shoplake_assets.lake.limits import VOLUME
from shoplake_assets.lake.refresh import CONTRACT, KEY_UNIQUE, RECONCILES
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_USER_HOURLY,
    SILVER_EVENTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoplake_assets.contracts.limits import Limit

_SALES_ADD_UP = "Purchases, units and revenue of the recomputed hours equal those of the table below, to the cent."
_RECONCILES = {
    SILVER_EVENTS: "Every new Bronze record ended in Silver, in quarantine, or as a counted repeat; none is missing.",
    GOLD_HOURLY_SALES: _SALES_ADD_UP,
    GOLD_PRODUCT_HOURLY: _SALES_ADD_UP,
    GOLD_USER_HOURLY: _SALES_ADD_UP,
    GOLD_CATEGORY_SALES: _SALES_ADD_UP,
}


def check_specs(table: str) -> list[dg.AssetCheckSpec]:
    """The checks of a refresh on its audit branch, before anybody sees it; those that block must pass."""
    blocking = {
        CONTRACT: "Columns, types, nulls and value rules are as the table's contract says.",
        KEY_UNIQUE: "No two rows share the table's key.",
        **({RECONCILES: _RECONCILES[table]} if table in _RECONCILES else {}),
    }
    return [
        *(
            dg.AssetCheckSpec(name, asset=key_of(table), blocking=True, description=description)
            for name, description in blocking.items()
        ),
        *_limit_specs(table),
    ]


def _limit_specs(table: str) -> "Iterator[dg.AssetCheckSpec]":
    described = table_of(CONTRACTS[table])
    for limit in described.limits:
        yield dg.AssetCheckSpec(
            limit.name, asset=key_of(table), blocking=limit.blocks, description=limit_in_words(limit)
        )
    if (volume := described.volume) is not None:
        yield dg.AssetCheckSpec(
            VOLUME,
            asset=key_of(table),
            description=f"Warns if the rate of records is more than {volume.factor:g} times the median of the last "
            f"{volume.refreshes} refreshes, or less than a {volume.factor:g}th of it.",
        )


def limit_in_words(limit: "Limit") -> str:
    """What a limit lets pass, for the reader of the UI and of the catalogue."""
    verb = "Blocks" if limit.blocks else "Warns"
    share = f"more than {limit.most:.0%}" if limit.most else "any"
    least = f" ({limit.at_least} or more)" if limit.at_least > 1 else ""
    return f"{verb} if {share} of {limit.what}{least}. {limit.meaning}"
