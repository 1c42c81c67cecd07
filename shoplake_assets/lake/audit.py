"""Write, audit, publish: how a table changes.

Belongs here: the branch on which a refresh is written, and its publication. Does not belong here: what is checked.

A refresh writes to the Iceberg branch `audit_<run>`. Readers of `main` see nothing of it until `publish` moves `main`
to the branch, in one atomic step that Iceberg refuses when `main` has moved meanwhile. A branch that is not published
stays, for inspection, until newer ones of its kind push it out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from shoplake_assets.lake.branches import audit_branch, audit_branches
from shoplake_assets.lake.conflicts import again_after_a_conflict
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    NEWEST_EVENT,
    NEWEST_RECORD,
    POSITION,
    REPLAYED,
    SOURCE_SNAPSHOT,
    snapshot_id_of,
    summary_of,
)
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot
    from pyspark.sql import DataFrame, DataFrameWriterV2, SparkSession

    from shoplake_assets.lake.position import Position


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a snapshot reflects; kept in its summary, so that the table itself says where to go on.

    Attributes:
        position: How far into Kafka the snapshot reaches.
        source_snapshot: The snapshot of the table below that it was made from.
        code_version: The version of the transformation that made it.
        newest_record: Kafka time of the newest record that it reflects, UTC.
        newest_event: Event time of the newest event that it reflects, UTC.
        replayed: The quarantine snapshot that was last replayed into Silver; equal in Silver and in the quarantine,
            but for a replay that was interrupted between the two.
    """

    position: "Position"
    source_snapshot: int
    code_version: str
    newest_record: "datetime | None"
    newest_event: "datetime | None"
    replayed: str | None = None

    def summary(self) -> dict[str, str]:
        """The entries of the snapshot summary."""
        moments = {NEWEST_RECORD: self.newest_record, NEWEST_EVENT: self.newest_event}
        return {
            POSITION: self.position.to_json(),
            SOURCE_SNAPSHOT: str(self.source_snapshot),
            CODE_VERSION: self.code_version,
            **{key: moment.isoformat() for key, moment in moments.items() if moment is not None},
            **({} if self.replayed is None else {REPLAYED: self.replayed}),
        }


# A refresh that stays blocked is tried with every commit of Bronze, and each attempt leaves its branch.
_KEPT_BRANCHES = 5


class MainMovedError(Exception):
    """`main` has moved since the refresh was planned on it, as maintenance does; nothing was published."""


again_where_main_moved = retry(retry=retry_if_exception_type(MainMovedError), stop=stop_after_attempt(10), reraise=True)
"""Plan and write a refresh anew, from where `main` is now.

Maintenance moves `main` once for each portion of hours that it puts together, and once for the lists of files: eight
times in Silver, where it comes to a week of hours for the first time.
"""


def forget_old_branches(table: "Table") -> None:
    """Drop all but the newest branches of refreshes that were not published; one refresh of a table runs at a time."""
    old = list(audit_branches(table))[_KEPT_BRANCHES:]
    if old:
        drop_branches(table.catalog, ".".join(table.name()[-2:]), old)


@again_after_a_conflict
def drop_branches(catalog: "Catalog", name: str, branches: "Collection[str]") -> None:
    """Drop branches of a table; those that are gone already are none of its business."""
    table = catalog.load_table(name)
    there = [branch for branch in branches if branch in table.refs()]
    if there:
        with table.manage_snapshots() as manage:
            for branch in there:
                manage.remove_branch(branch)


class Audit:
    """One refresh of one table, on a branch of its own that begins at the snapshot which the refresh was planned on."""

    def __init__(self, *, spark: "SparkSession", catalog: "Catalog", table: str, base: int, run: str) -> None:
        self._spark = spark
        self._catalog = catalog
        self._base = base
        self.table = table
        self.branch = audit_branch(run)
        self._begin()

    @property
    def _branch_name(self) -> str:
        return f"{CATALOG}.{self.table}.branch_{self.branch}"

    @again_after_a_conflict
    def _begin(self) -> None:
        """Make the branch; one that is there already is set back, because a retry within one run begins anew."""
        self._catalog.load_table(self.table).manage_snapshots().create_branch(self._base, self.branch).commit()

    def rows(self) -> "DataFrame":
        """The table as it would be after publication."""
        return self._spark.table(self._branch_name)

    def append(self, rows: "DataFrame", *, provenance: Provenance, also: "Mapping[str, str] | None" = None) -> None:
        """Add rows and provenance in one commit; no rows still make a commit, because the position has moved."""
        self._writer(rows, provenance, also).append()

    def replace_partitions(self, rows: "DataFrame", *, provenance: Provenance) -> None:
        """Replace the partitions that occur in `rows`, whole, and leave all others."""
        self._writer(rows, provenance).overwritePartitions()
        if not provenance.summary().items() <= summary_of(self.snapshot()).items():
            # Iceberg makes no commit where no partition occurs; the position has moved all the same.
            self.append(rows.limit(0), provenance=provenance)

    def replace_all(
        self, rows: "DataFrame", *, provenance: Provenance, also: "Mapping[str, str] | None" = None
    ) -> None:
        """Replace the whole table."""
        self._writer(rows, provenance, also).overwrite(F.lit(True))

    def _writer(
        self, rows: "DataFrame", provenance: Provenance, also: "Mapping[str, str] | None" = None
    ) -> "DataFrameWriterV2":
        # The name with the branch in it, because `writeTo` ignores the option `branch` and would write to `main`.
        writer = rows.writeTo(self._branch_name)
        for key, value in {**provenance.summary(), **(also or {})}.items():
            writer = writer.option(f"snapshot-property.{key}", value)
        return writer

    def snapshot(self) -> "Snapshot":
        """The branch's newest snapshot."""
        table = self._catalog.load_table(self.table)
        found = table.snapshot_by_name(self.branch)
        if found is None:
            raise LookupError(f"{self.table} has no branch {self.branch}")
        return found

    def added_rows(self) -> int:
        """Rows that the newest commit on the branch added."""
        return int(summary_of(self.snapshot()).get("added-records", 0))

    @again_after_a_conflict
    def publish(self) -> None:
        """Move `main` to the branch and drop the branch, in one commit that holds only while `main` is where it was.

        Raises:
            MainMovedError: `main` has moved since the branch was made; nothing is published, and the branch is there
                until the refresh is tried again.
        """
        table = self._catalog.load_table(self.table)
        main = snapshot_id_of(table)
        if main != self._base:
            raise MainMovedError(f"{self.table} has moved from snapshot {self._base} to {main} while it was refreshed")
        with table.manage_snapshots() as manage:
            manage.set_current_snapshot(ref_name=self.branch).remove_branch(self.branch)
