"""From a contract to what Dagster shows of a table.

Belongs here: keys, descriptions, schema, lineage, owners, freshness: everything that the UI says about a table, derived
from its contract. Does not belong here: how it is materialized.
"""

from typing import TYPE_CHECKING

import dagster as dg

from shoplake_assets.assets.automation import refresh_when_changed_below
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of, description_of, table_of
from shoplake_assets.contracts.lineage import column_lineage
from shoplake_assets.contracts.rules import rule_in_words
from shoplake_assets.tables import CATALOG, DERIVED

if TYPE_CHECKING:
    from collections.abc import Sequence

KAFKA_EVENTS = dg.AssetKey(["kafka", "events"])


def key_of(table: str) -> dg.AssetKey:
    """The asset key of a table: `silver.events` is `silver/events`."""
    return dg.AssetKey(table.split("."))


def table_spec(name: str, *, deps: "Sequence[dg.AssetKey]", materialized_by_dagster: bool = True) -> dg.AssetSpec:
    """The asset of a table.

    Args:
        name: The table.
        deps: The assets that it is made from.
        materialized_by_dagster: Whether a run makes it; the stream makes Bronze.
    """
    contract = CONTRACTS[name]
    table = table_of(contract)
    window = table.fresh_within
    fresh = None if window is None else dg.FreshnessPolicy.time_window(fail_window=window)
    return dg.AssetSpec(
        key_of(name),
        deps=deps,
        description=_description(name),
        group_name=table.layer,
        kinds={"iceberg", "spark"},
        owners=[table.owner],
        code_version=table.code_version if materialized_by_dagster else None,
        automation_condition=refresh_when_changed_below() if materialized_by_dagster else None,
        freshness_policy=fresh,
        metadata={
            "dagster/table_name": f"{CATALOG}.{name}",
            "dagster/storage_kind": "iceberg",
            "dagster/column_schema": column_schema(name),
            "shoplake/key": ", ".join(table.key),
            "shoplake/partitioned_by": table.partitioned_by or "not partitioned",
        },
    )


def column_schema(name: str) -> dg.TableSchema:
    """Columns of a table with types and descriptions."""
    contract = CONTRACTS[name]
    columns = contract.to_schema().columns
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column,
                type=columns[column].dtype.type.simpleString(),
                description=_column_description(name, column),
                constraints=dg.TableColumnConstraints(
                    nullable=columns[column].nullable, other=[rule_in_words(check) for check in columns[column].checks]
                ),
            )
            for column in columns_of(contract)
        ]
    )


def table_column_lineage(name: str) -> dg.TableColumnLineage:
    """Columns of a derived table, each with the columns of other tables that it is computed from."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=key_of(table), column_name=source) for table, source in sources]
            for column, sources in column_lineage(name).items()
        }
    )


def _column_description(name: str, column: str) -> str:
    """What the column is and what it is made from, which the open-source UI shows nowhere else."""
    description = CONTRACTS[name].to_schema().columns[column].description or ""
    sources = column_lineage(name).get(column, ()) if name in DERIVED else ()
    return (
        f"{description} From {', '.join(f'{table}.{source}' for table, source in sources)}." if sources else description
    )


def _description(name: str) -> str:
    contract = CONTRACTS[name]
    key = ", ".join(f"`{column}`" for column in table_of(contract).key)
    return f"{description_of(contract)}\n\nOne row for each {key}."
