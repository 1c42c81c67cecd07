"""The branches of refreshes that are not published.

Belongs here: what they are called and which there are, from metadata alone. Does not belong here: writing and
publishing them (`lake.audit`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

PREFIX = "audit_"


def audit_branch(run: str) -> str:
    """The branch on which a run writes, in each table."""
    return f"{PREFIX}{run}"


def audit_branches(table: "Table") -> dict[str, "Snapshot"]:
    """The table's branches of refreshes that are not published, newest first, each with its snapshot."""
    names = [name for name in table.refs() if name.startswith(PREFIX)]
    found = {name: snapshot for name in names if (snapshot := table.snapshot_by_name(name)) is not None}
    return dict(sorted(found.items(), key=lambda branch: branch[1].timestamp_ms, reverse=True))
