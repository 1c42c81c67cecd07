"""What a refresh finds out, in words that do not depend on Dagster.

Belongs here: the results of checks and of a refresh, and the error of a refused publication. Does not belong here: how
they are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import position_of, reflecting, rows_of

if TYPE_CHECKING:
    from pyiceberg.table import Table

CONTRACT = "contract"
KEY_UNIQUE = "key_unique"
RECONCILES = "reconciles"

Metadata = Mapping[str, str | int | float | Sequence[str] | Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check of one table.

    Attributes:
        table: The table.
        name: The check's name, as Dagster knows it.
        passed: Whether it holds.
        says: One sentence for the person who reads the report.
        metadata: Figures behind the sentence.
        blocks: Whether a refresh that fails it stays unpublished; what does not block is a warning.
        broken: Of a failed check, each broken rule with the number of its rows.
        examples: Of a failed check, a few of the rows, each as column and text, shortened.
        branch: Of a failed check, the Iceberg branch in which the refresh can be looked at.
    """

    table: str
    name: str
    passed: bool
    says: str
    metadata: Metadata = field(default_factory=dict)
    blocks: bool = True
    broken: Mapping[str, int] = field(default_factory=dict)
    examples: Sequence[Mapping[str, str]] = ()
    branch: str | None = None


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """What was published to one table, or that there was nothing to do.

    Attributes:
        table: The table.
        changed: Whether a snapshot was published.
        snapshot_id: The table's snapshot now.
        rows: Rows in the table now.
        position: The position that the table reflects now.
        says: One sentence for the person who reads the materialization.
        metadata: Figures of this refresh.
    """

    table: str
    changed: bool
    snapshot_id: int
    rows: int
    position: Position
    says: str
    metadata: Metadata = field(default_factory=dict)


def published(table: "Table", *, says: str, metadata: Metadata) -> Refresh:
    """The report of a table that was just published."""
    return _report(table, changed=True, says=says, metadata=metadata)


def unchanged(table: "Table", *, says: str) -> Refresh:
    """The report of a table for which there was nothing to do."""
    return _report(table, changed=False, says=says, metadata={})


def _report(table: "Table", *, changed: bool, says: str, metadata: Metadata) -> Refresh:
    name = ".".join(table.name()[-2:])
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise LookupError(f"{name} has no snapshot; 'shoplake up' makes it")
    return Refresh(
        table=name,
        changed=changed,
        snapshot_id=snapshot.snapshot_id,
        rows=rows_of(snapshot),
        position=position_of(reflecting(table)),
        says=says,
        metadata=metadata,
    )


class AuditFailedError(Exception):
    """A blocking check failed: nothing was published, and the branch is kept.

    Attributes:
        table: The table that stays as it was.
        branch: The Iceberg branch to inspect.
        checks: All checks of the refresh, the failed ones among them.
    """

    def __init__(self, *, table: str, branch: str, checks: Sequence[Check]) -> None:
        self.table = table
        self.branch = branch
        self.checks = tuple(check if check.passed else replace(check, branch=branch) for check in checks)
        failed = "; ".join(check.says.rstrip(".") for check in checks if check.blocks and not check.passed)
        super().__init__(f"{table} stays as it was: {failed}. The rejected refresh is in its branch {branch}.")


def require(checks: Sequence[Check], *, table: str, branch: str) -> None:
    """Let a refresh pass only if every check that blocks holds.

    Raises:
        AuditFailedError: One does not.
    """
    if not all(check.passed for check in checks if check.blocks):
        raise AuditFailedError(table=table, branch=branch, checks=checks)
