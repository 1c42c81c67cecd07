"""Sets of event hours, and conditions that read just those.

Belongs here: arithmetic on hours, pure but for the Spark condition it ends in. An hour is a number, hours since
1970-01-01 UTC, as Iceberg's `hours` partitions have it.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_PER_HOUR = 3600
HOURS_PER_DAY = 24
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


def days_of(hours: Iterable[int]) -> list[Span]:
    """The days in which the hours lie, as spans of whole days; where they are many, also days between them."""
    return [
        (first * HOURS_PER_DAY, end * HOURS_PER_DAY) for first, end in spans_of(hour // HOURS_PER_DAY for hour in hours)
    ]


def months_of(hours: Iterable[int]) -> list[Span]:
    """The months in which the hours lie, as spans of whole months; where they are many, also months between them."""
    months = spans_of(_month(moment(hour)) for hour in hours)
    return [(_first_hour(first), _last_hour(end - 1) + 1) for first, end in months]


def _month(time: datetime) -> int:
    return time.year * 12 + time.month - 1


def _first_hour(month: int) -> int:
    return hour_of(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))


def _last_hour(month: int) -> int:
    return _first_hour(month) + HOURS_PER_DAY * monthrange(month // 12, month % 12 + 1)[1] - 1


def spans_of(hours: Iterable[int]) -> list[Span]:
    """Merge hours (or days, or months) into at most `MOST_SPANS` spans; beyond that the smallest gaps are closed.

    Spans may so hold hours that were not asked for: right where more rows do no harm, and for skipping files.
    """
    wanted = sorted(set(hours))
    gaps = [(after - before, after) for before, after in pairwise(wanted) if after - before > 1]
    kept = sorted(gap[::-1] for gap in sorted(gaps, reverse=True)[: MOST_SPANS - 1])
    firsts = [*wanted[:1], *(after for after, _ in kept)]
    lasts = [*(after - width for after, width in kept), *wanted[-1:]]
    return [(first, last + 1) for first, last in zip(firsts, lasts, strict=True)]


def in_hours(column: str, hours: Collection[int]) -> "Column":
    """Condition that a time lies in exactly these hours, in a form by which Iceberg skips files.

    Hostile event times may lie in thousands of hours far apart: beyond `MOST_SPANS` the spans only skip files, and the
    hour itself decides.
    """
    from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

    spans = spans_of(hours)
    if sum(end - first for first, end in spans) == len(hours):
        return within(column, spans)
    hour = F.floor(F.unix_seconds(F.col(column).cast("timestamp")) / SECONDS_PER_HOUR)
    return within(column, spans) & hour.isin(sorted(hours))


def within(column: str, spans: Iterable[Span]) -> "Column":
    """Condition that a time lies in one of the spans, in the form by which Iceberg skips files."""
    from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

    def start(hour: int) -> "Column":
        return F.timestamp_seconds(F.lit(hour * SECONDS_PER_HOUR))

    parts = [(F.col(column) >= start(first)) & (F.col(column) < start(end)) for first, end in spans]
    return reduce(or_, parts, F.lit(False))
