"""The lake as a refresh sees it: its catalog and a Spark session.

Belongs here: opening tables for metadata (pyiceberg) and for rows (Spark). Does not belong here: what a refresh does.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.lake.audit import Audit, forget_old_branches
from shoplake_assets.lake.snapshots import snapshot_id_of
from shoplake_assets.lake.tables import conform_table
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Lake:
    """The catalog and the session that a refresh works with."""

    catalog: "Catalog"
    spark: "SparkSession"

    def table(self, name: str) -> "Table":
        """The table's metadata as of now."""
        return self.catalog.load_table(name)

    def conformed_table(self, name: str) -> "Table":
        """The table's metadata as of now, after it has been brought up to its contract."""
        return conform_table(self.catalog, name)

    def rows_of(self, table: "Table", *, snapshot_id: int | None = None) -> "DataFrame":
        """The table's rows as of a snapshot; by default as of the one that was current when its metadata were read.

        Iceberg reads a snapshot with the columns that the table had then. Those that it has gained since are null.
        """
        snapshot_id = snapshot_id_of(table) if snapshot_id is None else snapshot_id
        name = ".".join(table.name()[-2:])
        rows = self.spark.read.option("versionAsOf", snapshot_id).table(f"{CATALOG}.{name}")
        then = _schema_at(table, snapshot_id).column_names
        for column in CONTRACTS[name].to_schema().columns.values():
            if column.name not in then:
                rows = rows.withColumn(column.name, F.lit(None).cast(column.dtype.type))
        return rows

    def audit(self, table: "Table", *, run: str) -> Audit:
        """Begin a refresh of the table, as it was when it was looked at, on a branch of its own."""
        forget_old_branches(table)
        name = ".".join(table.name()[-2:])
        return Audit(spark=self.spark, catalog=self.catalog, table=name, base=snapshot_id_of(table), run=run)


def _schema_at(table: "Table", snapshot_id: int) -> "Schema":
    snapshot = table.snapshot_by_id(snapshot_id)
    known = None if snapshot is None else snapshot.schema_id
    return table.schema() if known is None else table.schemas()[known]
