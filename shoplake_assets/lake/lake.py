"""The lake as a refresh sees it: its catalog and a Spark session.

Belongs here: opening tables for metadata (pyiceberg) and for rows (Spark). Does not belong here: what a refresh does.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoplake_assets.lake.audit import Audit
from shoplake_assets.lake.snapshots import snapshot_id_of
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
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

    def rows(self, name: str, *, snapshot_id: int | None = None) -> "DataFrame":
        """The table's rows, as of a snapshot or as of now."""
        reader = self.spark.read
        if snapshot_id is not None:
            reader = reader.option("versionAsOf", snapshot_id)
        return reader.table(f"{CATALOG}.{name}")

    def audit(self, table: "Table", *, run: str) -> Audit:
        """Begin a refresh of the table, as it was when it was looked at, on a branch of its own."""
        name = ".".join(table.name()[-2:])
        return Audit(spark=self.spark, catalog=self.catalog, table=name, base=snapshot_id_of(table), run=run)
