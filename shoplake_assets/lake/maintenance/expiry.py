"""Letting old snapshots go, and old branches of refreshes that were blocked.

Belongs here: which snapshots somebody refers to, from metadata, and having Iceberg expire the others. Does not belong
here: the arithmetic (`plan`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shoplake_assets.lake.audit import drop_branches
from shoplake_assets.lake.branches import audit_branches
from shoplake_assets.lake.maintenance.calling import call
from shoplake_assets.lake.maintenance.plan import expiry_horizon, outlived
from shoplake_assets.lake.snapshots import SOURCE_SNAPSHOT, committed_at, reflecting, since, summary_of
from shoplake_assets.tables import MADE_FROM

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.sections import MaintenanceSettings

# What Iceberg's streaming sink leaves in a snapshot, and looks for among the ancestors before it commits again.
STREAMING_EPOCH = "spark.sql.streaming.epochId"


def expire(lake: "Lake", name: str, *, now: datetime, limits: "MaintenanceSettings") -> list[str]:
    """Drop branches that are too old, then the snapshots that nobody needs, with the files that only they hold.

    Returns:
        What was done, in words.
    """
    did = []
    if old := outlived(_written_branches(lake.table(name)), before=now - timedelta(days=limits.branch_days)):
        drop_branches(lake.catalog, name, old)
        did.append(f"dropped the branches {', '.join(old)}")
    table, horizon = horizon_of(lake.catalog, name, at_most=now - timedelta(minutes=limits.snapshot_minutes))
    if any(committed_at(snapshot) < horizon for snapshot in table.metadata.snapshots[: -limits.snapshots]):
        (said,) = call(
            lake,
            "expire_snapshots",
            table=name,
            older_than=f"TIMESTAMP '{horizon.isoformat(sep=' ', timespec='milliseconds')}'",
            retain_last=str(limits.snapshots),
        )
        gone = _snapshot_ids(table) - _snapshot_ids(lake.table(name))
        did.append(f"{len(gone):,} snapshots expired, with {said.deleted_data_files_count:,} data files")
    return did


def horizon_of(catalog: "Catalog", name: str, *, at_most: datetime) -> tuple["Table", datetime]:
    """The table as it was looked at, and the moment before which its snapshots may go.

    Args:
        catalog: The lake's catalog.
        name: The table.
        at_most: Snapshots younger than this stay in any case.
    """
    # The tables above first: what they refer to by then is in the table's history when that is read.
    staying = list(_referred(catalog, name))
    table = catalog.load_table(name)
    chain = [(snapshot.snapshot_id, committed_at(snapshot)) for snapshot in since(table, after=None)]
    return table, expiry_horizon(chain, staying=[*staying, *_own(table)], at_most=at_most)


def _written_branches(table: "Table") -> dict[str, datetime]:
    """The branches with the time of their last commit, but for those without one: their refreshes have just begun."""
    published = {snapshot.snapshot_id for snapshot in since(table, after=None)}
    heads = audit_branches(table).items()
    return {branch: committed_at(head) for branch, head in heads if head.snapshot_id not in published}


def _snapshot_ids(table: "Table") -> set[int]:
    return {snapshot.snapshot_id for snapshot in table.metadata.snapshots}


def _referred(catalog: "Catalog", name: str) -> Iterator[int]:
    """The snapshots that the tables made from this one have come to."""
    for above in (above for above, below in MADE_FROM.items() if below == name):
        if seen := summary_of(reflecting(catalog.load_table(above))).get(SOURCE_SNAPSHOT):
            yield int(seen)


def _own(table: "Table") -> Iterator[int]:
    """The snapshots that the table's own writers look for: what it reflects, and the stream's newest commit."""
    if (reflected := reflecting(table)) is not None:
        yield reflected.snapshot_id
    for snapshot in reversed(since(table, after=None)):
        if STREAMING_EPOCH in summary_of(snapshot):
            yield snapshot.snapshot_id
            return
