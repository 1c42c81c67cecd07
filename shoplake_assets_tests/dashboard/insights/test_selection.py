"""What the URL says is chosen."""

from datetime import UTC, date, datetime

import pytest

from shoplake_assets.dashboard.insights.page import chosen
from shoplake_assets.dashboard.insights.selection import Selection

NEWEST = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "understood"),
    [
        ("", "?window=24h"),
        ("?window=7d", "?window=7d"),
        ("?window=99d", "?window=24h"),
        ("?window=%3Cb%3E", "?window=24h"),
        ("?window=7d&window=30d", "?window=30d"),
        ("?category=toys+%26+games", "?window=24h&category=toys+%26+games"),
        ("?from=2026-03-01&to=2026-03-02&window=7d", "?from=2026-03-01&to=2026-03-02"),
        ("?from=2026-03-02&to=2026-03-01", "?from=2026-03-02&to=2026-03-01"),
        ("?from=2026-03-01", "?from=2026-03-01"),
        ("?from=2026-02-30&to=2026-03-01", "?to=2026-03-01"),
        ("?from=2026-03-01&to=9999-12-31", "?from=2026-03-01"),
    ],
)
def test_a_query_is_understood_or_the_default(query: str, understood: str) -> None:
    found = Selection.from_query(query)
    assert found.query == understood
    assert Selection.from_query(found.query) == found


def test_days_are_whole_utc_days_and_windows_count_back_from_the_newest_hour() -> None:
    days = Selection(first=date(2026, 3, 1), last=date(2026, 3, 1))
    assert (days.start(newest=NEWEST), days.end) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    until = Selection(last=date(2026, 3, 1))
    assert (until.start(newest=NEWEST), until.end) == (None, datetime(2026, 3, 2, tzinfo=UTC))
    window = Selection(window="24h")
    assert (window.start(newest=NEWEST), window.end) == (datetime(2026, 3, 1, 13, tzinfo=UTC), None)
    assert Selection(window="all").start(newest=NEWEST) is None


@pytest.mark.parametrize(
    ("now", "first", "last", "category", "query"),
    [
        ("?window=7d", None, None, None, None),
        ("?window=7d", "", "", "toys", "?window=7d&category=toys"),
        ("?window=7d&category=toys", "", "", "", "?window=7d"),
        ("?window=7d", "2026-03-01", "", "", "?from=2026-03-01"),
        ("?window=7d", "", "2026-03-01", "", "?to=2026-03-01"),
        ("?window=7d", "2026-03-01", "2026-03-01", "", "?from=2026-03-01&to=2026-03-01"),
        ("?from=2026-03-01&to=2026-03-01", "2026-03-01", "2026-03-01", "", None),
        ("?from=2026-03-01&to=2026-03-01", "", "", "", "?window=24h"),
    ],
)
def test_a_choice_changes_the_url(
    now: str, first: str | None, last: str | None, category: str | None, query: str | None
) -> None:
    assert chosen(now, first=first, last=last, category=category) == query
