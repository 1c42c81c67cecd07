"""What a viewer has chosen: a range of time and a category, as the URL keeps them.

Belongs here: from a URL's query to a choice and back; pure. Whatever a query says that is no choice is the default, so
that an old or mistyped link still shows something.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self
from urllib.parse import parse_qs, urlencode

from shoplake_assets.dashboard.insights.numbers import DAY, DEFAULT_WINDOW, WINDOWS, start_of

_MIDNIGHT = datetime.min.time()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A range of time and a category.

    Attributes:
        window: One of `WINDOWS`, counted back from the newest hour with events; counts unless a day is chosen.
        first: First UTC day; None where none is chosen, and the range has no beginning if `last` is.
        last: Last UTC day, which is still in; None where none is chosen, and the range goes on if `first` is.
        category: The only category that counts; None for all.
    """

    window: str = DEFAULT_WINDOW
    first: date | None = None
    last: date | None = None
    category: str | None = None

    @classmethod
    def from_query(cls, search: str) -> Self:
        """Read a URL's query, such as `?window=7d&category=toys` or `?from=2026-03-01&to=2026-03-02`."""
        query = {name: values[-1] for name, values in parse_qs(search.removeprefix("?")).items()}
        first, last = _day(query.get("from")), _day(query.get("to"))
        window = query.get("window", DEFAULT_WINDOW) if first is last is None else DEFAULT_WINDOW
        known = window if window in WINDOWS else DEFAULT_WINDOW
        return cls(window=known, first=first, last=last, category=query.get("category"))

    @property
    def query(self) -> str:
        """The URL's query that says so."""
        days = {"from": self.first, "to": self.last} if self.by_days else {"window": self.window}
        said = {**days, "category": self.category}
        return f"?{urlencode({name: value for name, value in said.items() if value is not None})}"

    def within(self, window: str) -> Self:
        """The same category within another window."""
        return replace(self, window=window, first=None, last=None)

    @property
    def by_days(self) -> bool:
        """Whether days are chosen in place of a window."""
        return self.first is not None or self.last is not None

    def start(self, *, newest: datetime) -> datetime | None:
        """The first hour that counts; None where the range has no beginning."""
        if self.by_days:
            return None if self.first is None else _midnight(self.first)
        return start_of(self.window, newest=newest)

    @property
    def end(self) -> datetime | None:
        """The first hour that counts no more; None where the range goes on."""
        return None if self.last is None else _midnight(self.last) + DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, _MIDNIGHT, tzinfo=UTC)


def _day(text: str | None) -> date | None:
    """A day that can be a bound; the last one of the calendar has no midnight after it."""
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found < date.max - timedelta(days=1) else None
