"""Gaps and repeats, judged from the ranges of files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shoplake_assets.lake.gaps import Gap
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.ranges import faults_in
from shoplake_assets.lake.snapshots import OffsetRange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def file(first: int, last: int, *, rows: int | None = None, partition: int = 0, topic: str = "T") -> OffsetRange:
    filled = last - first + 1 if rows is None else rows
    return OffsetRange(topic_id=topic, partition=partition, first=first, last=last, rows=filled, newest=NOW)


def gap(first: int, last: int) -> Gap:
    return Gap(topic_id="T", partition=0, first=first, last=last, found_at=NOW)


def faults(*files: OffsetRange, start: int | None = None, gaps: tuple[Gap, ...] = ()) -> list[str]:
    position = Position() if start is None else Position({("T", 0): start})
    return [str(fault) for fault in faults_in(files, start=position, gaps=gaps)]


def test_files_that_follow_on_each_other_have_no_fault() -> None:
    assert faults(file(10, 19), file(0, 9), file(20, 20), file(7, 8, partition=1), file(3, 4, topic="U")) == []


def test_clocks_that_differ_at_the_turn_of_an_hour_are_no_fault() -> None:
    # Offsets 5 and 7 carry a time before the hour, 6 and 8 one after it: two files that overlap, and nothing is wrong.
    assert faults(file(0, 7, rows=7), file(6, 8, rows=2), start=0) == []


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ((file(0, 9), file(15, 19)), {}, ["partition 0 of topic T: offsets 10 to 14 missing"]),
        ((file(0, 9), file(11, 19)), {}, ["partition 0 of topic T: offset 10 missing"]),
        ((file(0, 9), file(0, 9)), {}, ["partition 0 of topic T: 20 rows for the 10 offsets 0 to 9"]),
        ((file(0, 9, rows=9),), {}, ["partition 0 of topic T: 9 rows for the 10 offsets 0 to 9"]),
        ((file(5, 9),), {"start": 3}, ["partition 0 of topic T: offsets 3 to 4 missing"]),
        ((file(5, 9),), {"start": 7}, ["partition 0 of topic T: offsets 5 to 6 again"]),
        ((file(0, 9), file(20, 29)), {"gaps": (gap(10, 19),)}, []),
        ((file(0, 9), file(20, 29)), {"gaps": (gap(12, 14),)}, [
            "partition 0 of topic T: offsets 10 to 11 missing", "partition 0 of topic T: offsets 15 to 19 missing"
        ]),
        ((file(20, 29),), {"start": 10, "gaps": (gap(5, 12), gap(13, 30))}, []),
    ],
)  # fmt: skip
def test_each_fault_is_named(files: tuple[OffsetRange, ...], options: dict[str, Any], says: list[str]) -> None:
    assert faults(*files, **options) == says
