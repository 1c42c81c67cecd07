"""Removing files that no table refers to: what a writer left that was killed before its commit.

Belongs here: having Iceberg look for them, once a day. A file of a commit under way is no orphan, so only files are
removed that are older than any write takes.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shoplake_assets.lake.maintenance.calling import call
from shoplake_assets.lake.tables import set_properties

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.sections import MaintenanceSettings

# The table itself says when it was last looked through: the look lists all its files, which is worth it once a day.
LOOKED_AT = "shoplake.orphans-looked-for-at"
_EVERY = timedelta(days=1)


def remove_orphans(lake: "Lake", name: str, *, now: datetime, limits: "MaintenanceSettings") -> list[str]:
    """Remove the orphans of a table that was not looked through for a day.

    Returns:
        What was done, in words.
    """
    looked = lake.table(name).properties.get(LOOKED_AT)
    if looked is not None and now - datetime.fromisoformat(looked) < _EVERY:
        return []
    before = now - timedelta(days=limits.orphan_days)
    removed = call(
        lake,
        "remove_orphan_files",
        table=name,
        older_than=f"TIMESTAMP '{before.isoformat(sep=' ', timespec='milliseconds')}'",
        # By the table's own FileIO. The other way of listing is Hadoop's, which knows no s3://.
        prefix_listing="true",
    )
    set_properties(lake.catalog, name, {LOOKED_AT: now.isoformat()})
    return [f"{len(removed):,} orphan files removed"] if removed else []
