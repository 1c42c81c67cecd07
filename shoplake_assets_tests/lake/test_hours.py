"""Sets of event hours."""

from calendar import monthrange
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shoplake_assets.lake.hours import MOST_SPANS, days_of, hour_of, moment, months_of, spans_of

FIRST_HOUR = hour_of(datetime(1, 1, 1, tzinfo=UTC))
LAST_HOUR = hour_of(datetime(9999, 12, 31, 23, tzinfo=UTC))
HOURS = st.integers(FIRST_HOUR, LAST_HOUR)
# Hours as they come: near each other, with gaps.
RECENT = st.sets(st.integers(480_000, 483_000), max_size=900)


@given(HOURS)
def test_an_hour_and_its_moment_are_one(hour: int) -> None:
    assert hour_of(moment(hour)) == hour
    assert hour_of(moment(hour).replace(minute=59, second=59, microsecond=999_999)) == hour


def test_hours_before_1970_are_counted_downwards() -> None:
    assert hour_of(datetime(1969, 12, 31, 23, 59, tzinfo=UTC)) == -1


@given(RECENT)
def test_spans_cover_all_hours_and_are_never_too_many(hours: set[int]) -> None:
    spans = spans_of(hours)
    assert all(any(first <= hour < end for first, end in spans) for hour in hours)
    assert len(spans) <= MOST_SPANS
    assert all(before[1] < after[0] for before, after in pairwise(spans))


@given(st.sets(HOURS, max_size=MOST_SPANS))
def test_few_hours_are_spanned_exactly(hours: set[int]) -> None:
    spans = spans_of(hours)
    assert sum(end - first for first, end in spans) == len(hours)
    assert all(any(first <= hour < end for first, end in spans) for hour in hours)


def test_neighbouring_hours_make_one_span() -> None:
    assert spans_of([7, 5, 6, 9, 5]) == [(5, 8), (9, 10)]
    assert spans_of([]) == []


def test_only_as_many_gaps_are_read_as_it_takes() -> None:
    apart = [10 * number for number in range(MOST_SPANS + 3)]
    assert len(spans_of(apart)) == MOST_SPANS
    assert sum(end - first for first, end in spans_of(apart)) == len(apart) + 3 * 9


def test_the_widest_gaps_are_never_read() -> None:
    near, far = range(0, 2 * MOST_SPANS, 2), 1_000_000
    spans = spans_of([*near, far])
    assert spans[-1] == (far, far + 1)
    assert len(spans) == MOST_SPANS


@given(st.sets(HOURS, max_size=20))
def test_days_hold_their_hours_and_are_whole(hours: set[int]) -> None:
    days = days_of(hours)
    for hour in hours:
        midnight = hour_of(moment(hour).replace(hour=0))
        assert any(first <= midnight and midnight + 24 <= end for first, end in days)
    assert sum(end - first for first, end in days) == 24 * len({moment(hour).date() for hour in hours})


@given(st.sets(HOURS, max_size=20))
def test_months_hold_their_hours_and_are_whole(hours: set[int]) -> None:
    months = months_of(hours)
    assert all(any(first <= hour < end for first, end in months) for hour in hours)
    assert all(moment(first).day == 1 and moment(first).hour == 0 for first, _ in months)
    assert all(moment(end - 1).month != moment(end).month for _, end in months if end <= LAST_HOUR)
    length = sum(monthrange(*month)[1] for month in {(moment(hour).year, moment(hour).month) for hour in hours})
    assert sum(end - first for first, end in months) == 24 * length


def test_months_have_their_own_lengths_and_the_last_of_all_times_has_an_end() -> None:
    def month(year: int, number: int) -> tuple[int, int]:
        ((first, end),) = months_of([hour_of(datetime(year, number, 15, 12, tzinfo=UTC))])
        return hour_of(datetime(year, number, 1, tzinfo=UTC)) - first, (end - first) // 24

    assert [month(2028, 2), month(2026, 2), month(2026, 4), month(2026, 12), month(1, 1), month(9999, 12)] == [
        (0, 29),
        (0, 28),
        (0, 30),
        (0, 31),
        (0, 31),
        (0, 31),
    ]
