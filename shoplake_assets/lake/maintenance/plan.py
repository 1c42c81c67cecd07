"""What maintenance may touch: decisions from figures, pure.

Belongs here: which hours are put together, which snapshots must stay, which branches are too old. Does not belong
here: reading metadata, or doing anything.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shoplake_assets.lake.hours import hour_of

Origin = tuple[str, int] | None
"""Topic id and partition of the records in a file; None where files may be put together whatever their origin."""


@dataclass(frozen=True, kw_only=True)
class SmallFile:
    """A data file that is smaller than it need be.

    Attributes:
        cell: The hour, or the day, that its rows lie in: the value of the table's partition field.
        origin: What its rows must not be mixed with.
    """

    cell: int
    origin: Origin


def first_open_cell(now: datetime, *, grace: timedelta, hours: int) -> int:
    """The first hour, or day, that is not closed: one is closed when it ended more than a grace ago.

    Args:
        now: The time, UTC.
        grace: How long rows of an hour are still expected after its end.
        hours: Hours in one cell: 1 for hours, 24 for days.
    """
    return hour_of(now - grace) // hours


def crowded(files: Iterable[SmallFile], *, before: int, min_files: int) -> dict[Origin, list[int]]:
    """For each origin, the cells that are closed and hold so many small files that they are put together; ascending.

    Args:
        files: The small files.
        before: The first cell that is not closed.
        min_files: The least number of files that is worth it.
    """
    counted = Counter((file.cell, file.origin) for file in files if file.cell < before)
    found: dict[Origin, list[int]] = {}
    for cell, origin in sorted((key for key, count in counted.items() if count >= min_files), key=lambda key: key[0]):
        found.setdefault(origin, []).append(cell)
    return found


def expiry_horizon(
    chain: Sequence[tuple[int, datetime]], *, staying: Collection[int | None], at_most: datetime
) -> datetime:
    """The moment before which snapshots may go.

    A reader follows the parents from the current snapshot back to the one that it knows, so whatever is younger than
    the oldest that must stay must stay, too. Only the snapshots' own times are compared with each other: where a clock
    was set back, the earliest time after the oldest that must stay counts.

    Args:
        chain: The ancestors of the current snapshot with their times, oldest first.
        staying: Snapshots that somebody refers to; those that are gone already no longer matter.
        at_most: Snapshots younger than this stay in any case.
    """
    ids = [snapshot_id for snapshot_id, _ in chain]
    first = min((ids.index(snapshot_id) for snapshot_id in staying if snapshot_id in ids), default=len(ids))
    return min([at_most, *(time for _, time in chain[first:])])


def outlived(branches: Mapping[str, datetime], *, before: datetime) -> list[str]:
    """The branches that were last written before a moment."""
    return sorted(name for name, written in branches.items() if written < before)
