"""Sets of event hours, and conditions that read just those.

Belongs here: arithmetic on hours, pure but for the Spark condition it ends in. An hour is a number, hours since
1970-01-01 UTC, as Iceberg's `hours` partitions have it.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_PER_HOUR = 3600
# A condition with more spans than this costs more to plan than the reading that it saves.
MOST_SPANS = 200

Span = tuple[int, int]
"""First hour and the hour after the last."""


def moment(hour: int) -> datetime:
    """Start of the hour, UTC."""
    return EPOCH + timedelta(hours=hour)


def hour_of(time: datetime) -> int:
    """The hour that a moment lies in."""
    return int((time - EPOCH) // timedelta(hours=1))


def hours_in(spans: Iterable[Span]) -> frozenset[int]:
    """All hours of the spans."""
    return frozenset(hour for first, end in spans for hour in range(first, end))


def days_of(hours: Iterable[int]) -> list[Span]:
    """The days in which the hours lie, as spans."""
    return [(day * 24, day * 24 + 24) for day in sorted({hour // 24 for hour in hours})]


def months_of(hours: Iterable[int]) -> list[Span]:
    """The months in which the hours lie, as spans."""
    firsts = {moment(hour).replace(day=1, hour=0) for hour in hours}
    return sorted((hour_of(first), hour_of(first) + 24 * monthrange(first.year, first.month)[1]) for first in firsts)


def spans_of(hours: Iterable[int]) -> list[Span]:
    """Merge hours into at most `MOST_SPANS` spans; beyond that the smallest gaps are read as well.

    Spans may so hold hours that were not asked for. That is safe wherever more rows of the same table do no harm.
    """
    wanted = sorted(set(hours))
    gaps = [(after - before, after) for before, after in pairwise(wanted) if after - before > 1]
    kept = sorted(gap[::-1] for gap in sorted(gaps, reverse=True)[: MOST_SPANS - 1])
    firsts = [*wanted[:1], *(after for after, _ in kept)]
    lasts = [*(after - width for after, width in kept), *wanted[-1:]]
    return [(first, last + 1) for first, last in zip(firsts, lasts, strict=True)]


def within(column: str, spans: Iterable[Span]) -> "Column":
    """Condition that a time lies in one of the spans, in the form by which Iceberg skips files."""
    from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

    def start(hour: int) -> "Column":
        return F.timestamp_seconds(F.lit(hour * SECONDS_PER_HOUR))

    parts = [(F.col(column) >= start(first)) & (F.col(column) < start(end)) for first, end in spans]
    return reduce(or_, parts, F.lit(False))
