"""CSV exports of Gold, written whole or not at all.

Belongs here: the assets, the CSV form, and the two places it can go to. Does not belong here: when (`schedules`).
"""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TextIO, cast
from urllib.parse import urlsplit

import dagster as dg

from shoplake_assets.assets.automation import first_time
from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection
from shoplake_assets.tables import GOLD_CATEGORY_SALES, GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS, GOLD_TOP_USERS

if TYPE_CHECKING:
    from pyarrow import Table  # type: ignore[import-untyped]

    from shoplake_assets.settings import Settings

# Each exported table with the columns that its lines are sorted by.
EXPORTED = {
    GOLD_CATEGORY_SALES: ("event_date", "category"),
    GOLD_TOP_PRODUCTS: ("window", "rank"),
    GOLD_HOURLY_SALES: ("event_hour",),
    GOLD_TOP_USERS: ("window", "rank"),
}


# A temporary file is its owner's alone; an export is for others too.
_READABLE = 0o644


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
            uri = place.write(file_name(table), rows)
            yield dg.MaterializeResult(
                asset_key=export_key(table),
                metadata={
                    "dagster/row_count": rows.num_rows,
                    "dagster/uri": uri,
                    "shoplake/snapshot_id": str(snapshot.snapshot_id if snapshot else None),
                },
            )


@dataclass(frozen=True)
class Folder:
    """Exports in a local folder; a reader sees the old file or the new one, never half of one."""

    path: Path

    def write(self, name: str, rows: "Table") -> str:
        """Write the rows to a file of that name and give its location."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / name
        with _replacing(target) as file:
            write_csv(rows, file)
        return target.as_uri()


@dataclass(frozen=True)
class Bucket:
    """Exports in an S3 bucket, through dagster-aws; an object is put whole."""

    bucket: str
    prefix: str
    endpoint: str | None

    def write(self, name: str, rows: "Table") -> str:
        """Write the rows to an object of that name and give its location."""
        from dagster_aws.s3 import S3Resource

        text = io.StringIO()
        write_csv(rows, text)
        key = f"{self.prefix}/{name}".lstrip("/")
        client = S3Resource(endpoint_url=self.endpoint).get_client()
        client.put_object(Bucket=self.bucket, Key=key, Body=text.getvalue().encode(), ContentType="text/csv")
        return f"s3://{self.bucket}/{key}"


def destination(settings: "Settings") -> Folder | Bucket:
    """Where the settings want the exports."""
    wanted = settings.exports.destination
    if wanted is None:
        return Folder(settings.home / "exports")
    if wanted.startswith("s3://"):
        parts = urlsplit(wanted)
        return Bucket(parts.netloc, parts.path.strip("/"), settings.exports.s3_endpoint)
    return Folder(Path(wanted).expanduser())


def write_csv(rows: "Table", file: TextIO) -> None:
    """Write a header line and the rows as RFC 4180 has them."""
    writer = csv.writer(file)
    writer.writerow(rows.column_names)
    for batch in rows.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


@contextmanager
def _replacing(target: Path) -> Iterator[TextIO]:
    """A file beside the target that takes its place when all is written, and is gone if that fails."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
    ) as file:
        try:
            yield cast("TextIO", file)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), _READABLE)
            Path(file.name).replace(target)
        finally:
            Path(file.name).unlink(missing_ok=True)
