"""The maintenance of one table, from end to end.

Belongs here: the order of the steps, and the figures before and after. Does not belong here: the steps.

None of the steps changes a row, and each leaves a whole table when it is killed: Iceberg commits it, or it has not
happened. None takes a lock: a stream and a refresh go on beside it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shoplake_assets.lake.maintenance.compaction import compact
from shoplake_assets.lake.maintenance.expiry import expire
from shoplake_assets.lake.maintenance.figures import Figures, figures_of
from shoplake_assets.lake.maintenance.orphans import remove_orphans
from shoplake_assets.lake.tables import set_properties

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.sections import MaintenanceSettings

METADATA_FILES = "write.metadata.previous-versions-max"


@dataclass(frozen=True, kw_only=True)
class Maintained:
    """What maintenance did to a table.

    Attributes:
        table: The table.
        before: Its figures before.
        after: Its figures after.
        did: What was done, in words; empty if nothing was due.
    """

    table: str
    before: Figures
    after: Figures
    did: tuple[str, ...]

    @property
    def says(self) -> str:
        """One sentence for the person who reads the report."""
        return "; ".join(self.did) or "nothing was due"


def maintain_table(
    lake: "Lake", name: str, *, limits: "MaintenanceSettings", now: datetime | None = None
) -> Maintained:
    """Put small files together, let old snapshots and branches go, remove orphans.

    Args:
        lake: The lake.
        name: The table.
        limits: What is kept.
        now: The time, UTC; that of the clock by default.

    Raises:
        pyspark.errors.PySparkException: A step failed again and again; those before it are done. No row has changed.
    """
    now = now or datetime.now(UTC)
    table = lake.table(name)
    before = figures_of(table)
    # Each commit, by whichever writer, then removes the metadata files beyond the limit.
    wanted = {METADATA_FILES: str(limits.metadata_files)}
    if not wanted.items() <= table.properties.items():
        set_properties(lake.catalog, name, wanted)
    did = [said for step in (compact, expire, remove_orphans) for said in step(lake, name, now=now, limits=limits)]
    return Maintained(table=name, before=before, after=figures_of(lake.table(name)), did=tuple(did))
