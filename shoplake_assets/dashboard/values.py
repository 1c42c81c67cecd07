"""What pages show, as plain values: lists, stages, tables of exact values.

Belongs here: their form, and how a single value reads on the page and in a download. Does not belong here: where they
come from, pictures (`figures`), HTML (`page`).
"""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any

from shoplake_assets.dashboard import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go  # type: ignore[import-untyped]

CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of a list, best first.

    Attributes:
        rank: 1 for most revenue.
        name: The product, shopper or category.
        detail: What else is known of it; empty for nothing.
        purchases: Purchase events.
        units: Units bought.
        revenue: Price times quantity over all purchases.
    """

    rank: int
    name: str
    detail: str
    purchases: int
    units: int
    revenue: Decimal


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of the funnel.

    Attributes:
        name: What the sessions did.
        sessions: Sessions that did so.
        of_viewed: Share of the sessions that viewed, in percent with one decimal; None without views.
    """

    name: str
    sessions: int
    of_viewed: Decimal | None


def stages(*, viewed: int, added: int, purchased: int) -> list[Stage]:
    """The funnel of so many sessions."""
    counts = (("Viewed", viewed), ("Added to cart", added), ("Purchased", purchased))
    return [Stage(name=name, sessions=count, of_viewed=percent(count, of=viewed)) for name, count in counts]


def percent(part: int, *, of: int) -> Decimal | None:
    """A share in percent with one decimal, rounded half up; None of nothing."""
    return (Decimal(100 * part) / of).quantize(Decimal("0.1"), ROUND_HALF_UP) if of else None


class Kind(Enum):
    """What a column holds, which says how its values read."""

    TEXT = auto()
    COUNT = auto()
    MONEY = auto()
    PERCENT = auto()
    HOUR = auto()
    DAY = auto()


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of exact values.

    Attributes:
        key: Its name in a download.
        title: Its head on the page.
        kind: What it holds.
    """

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Exact:
    """Exact values as a table.

    Attributes:
        columns: Its columns.
        rows: Its rows; None is nothing.
    """

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    def shown(self, *, currency: str, zone: tzinfo) -> list[list[str]]:
        """The rows as the page shows them."""
        return [
            [
                _shown(value, column.kind, currency=currency, zone=zone)
                for value, column in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]

    def to_csv(self) -> str:
        """The rows as RFC 4180 has them: a header line, times in UTC, money with its cents."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(column.key for column in self.columns)
        writer.writerows([_exact(value) for value in row] for row in self.rows)
        return text.getvalue()


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a panel shows.

    Attributes:
        note: One sentence: what the chart is about, or why it is empty.
        figure: The chart; None where there is nothing to draw.
        exact: The exact values.
    """

    note: str
    figure: "go.Figure | None" = None
    exact: Exact = Exact()


def _shown(value: Any, kind: Kind, *, currency: str, zone: tzinfo) -> str:
    if value is None:
        return wording.NOTHING
    read: dict[Kind, Callable[[Any], str]] = {
        Kind.TEXT: str,
        Kind.COUNT: wording.count,
        Kind.MONEY: partial(wording.money, currency=currency),
        Kind.PERCENT: wording.percent,
        Kind.HOUR: partial(wording.hour, zone=zone),
        Kind.DAY: wording.day,
    }
    return read[kind](value)


def _exact(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
