"""Are the offsets of a topic partition all there, once each? Judged from the ranges that files hold.

Belongs here: arithmetic on ranges, pure. Does not belong here: where the ranges come from (`lake.snapshots`), and what
is said about a fault to whom.

A file's rows need not fill its range: records of one batch lie in the file of their hour, and where producers' clocks
differ, hours overlap in offsets. So files that overlap are taken together; together they fill their range. A row that
is missing and another that is doubled within such a stretch cancel out, which only a look at the rows finds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoplake_assets.lake.gaps import Gap
    from shoplake_assets.lake.position import Position
    from shoplake_assets.lake.snapshots import OffsetRange


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong with a range of offsets.

    Attributes:
        topic_id: Kafka's id of the topic.
        partition: The partition.
        first: First offset of the range.
        last: Last offset of the range.
        rows: Rows in the range; none where it is missing.
        repeated: Whether rows are there more than once, in place of being absent.
    """

    topic_id: str
    partition: int
    first: int
    last: int
    rows: int = 0
    repeated: bool = False

    def __str__(self) -> str:
        """The fault for the person who reads a report."""
        where = f"partition {self.partition} of topic {self.topic_id}"
        offsets = f"offset {self.first}" if self.first == self.last else f"offsets {self.first} to {self.last}"
        if not self.rows:
            return f"{where}: {offsets} {'again' if self.repeated else 'missing'}"
        return f"{where}: {self.rows:,} rows for the {self.last - self.first + 1:,} {offsets}"


@dataclass
class Stretch:
    """Files that overlap in offsets, taken together."""

    first: int
    last: int
    rows: int


def stretches(ranges: Iterable["OffsetRange"]) -> Iterator[tuple[tuple[str, int], list[Stretch]]]:
    """For each topic and partition, the stretches that its files make up, in ascending order."""
    ordered = sorted(ranges)
    for key, parts in groupby(ordered, key=lambda part: (part.topic_id, part.partition)):
        found: list[Stretch] = []
        for part in parts:
            if found and part.first <= found[-1].last:
                found[-1].last = max(found[-1].last, part.last)
                found[-1].rows += part.rows
            else:
                found.append(Stretch(part.first, part.last, part.rows))
        yield key, found


def faults_in(ranges: Iterable["OffsetRange"], *, start: "Position", gaps: Iterable["Gap"]) -> list[Fault]:
    """What is missing or doubled.

    Args:
        ranges: The ranges of the files, in any order.
        start: The position before them; a partition that it does not name may begin anywhere.
        gaps: Ranges that are known to be missing.
    """
    known = sorted(gaps)
    faults: list[Fault] = []
    for (topic_id, partition), found in stretches(ranges):
        expected = start.offsets.get((topic_id, partition))
        excused = [gap for gap in known if (gap.topic_id, gap.partition) == (topic_id, partition)]
        fault = partial(Fault, topic_id=topic_id, partition=partition)
        for part in found:
            if expected is not None and part.first > expected:
                faults += [
                    fault(first=first, last=last) for first, last in unexcused(expected, part.first - 1, excused)
                ]
            if expected is not None and part.first < expected:
                faults.append(fault(first=part.first, last=min(part.last, expected - 1), repeated=True))
            span = part.last - part.first + 1
            if part.rows != span:
                faults.append(fault(first=part.first, last=part.last, rows=part.rows, repeated=part.rows > span))
            expected = part.last + 1
    return faults


def unexcused(first: int, last: int, gaps: Iterable["Gap"]) -> Iterator[tuple[int, int]]:
    """What remains of a range when the gaps, in ascending order, are taken out."""
    for gap in gaps:
        if gap.last < first or gap.first > last:
            continue
        if gap.first > first:
            yield first, gap.first - 1
        first = gap.last + 1
    if first <= last:
        yield first, last
