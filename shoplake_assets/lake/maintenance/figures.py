"""How large a table is, beside its rows.

Belongs here: counting files and snapshots, from the table's newest metadata alone. Does not belong here: any judgement.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shoplake_assets.lake.branches import audit_branches
from shoplake_assets.lake.snapshots import summary_of

if TYPE_CHECKING:
    from pyiceberg.table import Table


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a table consists of.

    Attributes:
        files: Data files of the current snapshot.
        bytes: Their size.
        manifests: Manifests of the current snapshot: lists of its data files.
        snapshots: Snapshots that can be read.
        metadata_files: Metadata files: one is written by each commit.
        branches: Branches of refreshes that are not published.
    """

    files: int
    bytes: int
    manifests: int
    snapshots: int
    metadata_files: int
    branches: int

    def as_dict(self) -> dict[str, int]:
        """The figures by their names."""
        return asdict(self)


def figures_of(table: "Table") -> Figures:
    """Count; reads one manifest list, however large the table is."""
    current = table.current_snapshot()
    summary = summary_of(current)
    return Figures(
        files=int(summary.get("total-data-files", 0)),
        bytes=int(summary.get("total-files-size", 0)),
        manifests=0 if current is None else len(current.manifests(table.io)),
        snapshots=len(table.metadata.snapshots),
        metadata_files=len(table.metadata.metadata_log) + 1,
        branches=len(audit_branches(table)),
    )
