"""CSV exports of Gold.

Belongs here: the assets and the CSV form. Does not belong here: where they go (`assets.destination`), and when
(`schedules`).
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from shoplake_assets.assets.automation import first_time
from shoplake_assets.assets.destination import destination
from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection
from shoplake_assets.tables import GOLD_CATEGORY_SALES, GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS, GOLD_TOP_USERS

if TYPE_CHECKING:
    from pyarrow import Table  # type: ignore[import-untyped]

# Each exported table with the columns that its lines are sorted by.
EXPORTED = {
    GOLD_CATEGORY_SALES: ("event_date", "category"),
    GOLD_TOP_PRODUCTS: ("window", "rank"),
    GOLD_HOURLY_SALES: ("event_hour",),
    GOLD_TOP_USERS: ("window", "rank"),
}


def file_name(table: str) -> str:
    """`gold.top_users` is exported as `gold_top_users.csv`."""
    return f"{table.replace('.', '_')}.csv"


def export_key(table: str) -> dg.AssetKey:
    """The asset of a table's export."""
    return dg.AssetKey(["exports", table.replace(".", "_")])


@dg.multi_asset(
    name="exports",
    specs=[
        dg.AssetSpec(
            export_key(table),
            deps=[key_of(table)],
            description=f"`{table}` as CSV: UTF-8, a header line, times in UTC, money with its cents.",
            group_name="exports",
            kinds={"csv"},
            automation_condition=first_time(),
            owners=["team:data-platform"],
            metadata={"dagster/storage_kind": "csv"},
        )
        for table in EXPORTED
    ],
    can_subset=True,
    pool="exports",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
)
def csv_exports(
    context: dg.AssetExecutionContext, connection: dg.ResourceParam[LakeConnection]
) -> Iterator[dg.MaterializeResult[None]]:
    """Write the chosen Gold tables as CSV files."""
    chosen = context.op_execution_context.selected_asset_keys
    place = destination(connection.settings)
    for table, order in EXPORTED.items():
        if export_key(table) in chosen:
            source = connection.table(table)
            snapshot = source.current_snapshot()
            rows = source.scan().to_arrow().sort_by([(column, "ascending") for column in order])
            uri = place.write(file_name(table), csv_of(rows), content_type="text/csv")
            yield dg.MaterializeResult(
                asset_key=export_key(table),
                metadata={
                    "dagster/row_count": rows.num_rows,
                    "dagster/uri": uri,
                    "shoplake/snapshot_id": str(snapshot.snapshot_id if snapshot else None),
                },
            )


def csv_of(rows: "Table") -> str:
    """A header line and the rows, as RFC 4180 has them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows.column_names)
    for batch in rows.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
