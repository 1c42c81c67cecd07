"""Which hours, or days, maintenance has to look at: those that may have become crowded since it last looked.

Belongs here: what the table itself says of the last look, and what follows from it. Does not belong here: counting the
files (`compaction`), or which hours are worth it (`plan`).

Files come to an hour by a commit, and an hour that is closed, was looked at and has got none since is as it was. So
maintenance reads the lists of files of these hours only, whatever the age of the lake. Once a day it looks at all, for
what somebody has rearranged by hand.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from shoplake_assets.lake.snapshots import LineageLostError, changed_partitions

if TYPE_CHECKING:
    from pyiceberg.table import Table

LOOKED_AT = "shoplake.small-files-looked-for"
_ALL_EVERY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look through a table for hours with many small files, after which those found were put together.

    Attributes:
        snapshot: The snapshot that was looked at.
        before: The first hour, or day, that was not closed then.
        min_files: The number of small files that was many.
        all_at: When all hours were looked at, ISO 8601.
    """

    snapshot: int
    before: int
    min_files: int
    all_at: str

    @classmethod
    def last(cls, table: "Table") -> Self | None:
        """The last look at the table; None if there was none."""
        text = table.properties.get(LOOKED_AT)
        return cls(**json.loads(text)) if text else None

    def to_json(self) -> str:
        """The form in which the table keeps it."""
        return json.dumps(asdict(self), separators=(",", ":"))


def cells_to_look_at(
    table: "Table", last: Look | None, *, before: int, min_files: int, now: datetime
) -> frozenset[int] | None:
    """The closed hours, or days, that may have many small files; None means all.

    Args:
        table: The table.
        last: The last look at it.
        before: The first hour, or day, that is not closed now.
        min_files: The number of small files that is many now.
        now: The time, UTC.
    """
    if last is None or last.min_files != min_files:
        return None
    if not timedelta() <= now - datetime.fromisoformat(last.all_at) < _ALL_EVERY:
        return None
    try:
        gained, _ = changed_partitions(table, after=last.snapshot)
    except LineageLostError:
        return None
    return frozenset({cell for cell in gained if cell < before}.union(range(last.before, before)))
