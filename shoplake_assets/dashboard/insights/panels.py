"""The panels of "Batch Insights (Gold)": which tables each is made of, and what it shows.

Belongs here: from a look at the lake to figures, notes and table rows. Does not belong here: HTML (`layout`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from shoplake_assets.dashboard import figures, insights, wording
from shoplake_assets.dashboard.insights import DAY, Entry
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
)

if TYPE_CHECKING:
    from decimal import Decimal

    import plotly.graph_objects as go  # type: ignore[import-untyped]
    import pyarrow as pa  # type: ignore[import-untyped]

    from shoplake_assets.dashboard.data import LakeView

_SALES = ("purchases", "units", "revenue")


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a panel shows.

    Attributes:
        note: One sentence: what the chart is about, or why it is empty.
        figure: The chart; None where there is nothing to draw.
        columns: Heads of the table of exact values.
        rows: Its rows, as text.
    """

    note: str
    figure: "go.Figure | None" = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel of the page.

    Attributes:
        id: Its name in the page.
        title: Its heading.
        tables: The tables that it is made of; it changes only when one of them does.
        content: What it shows.
    """

    id: str
    title: str
    tables: tuple[str, ...]
    content: Callable[["Range"], Content]


class Range:
    """The lake within a window.

    Args:
        view: A look at the lake.
        window: One of `insights.WINDOWS`.
        currency: Currency that amounts are shown in.
    """

    def __init__(self, view: "LakeView", *, window: str, currency: str) -> None:
        self.view = view
        self.window = window
        self.currency = currency

    @cached_property
    def newest(self) -> datetime | None:
        """The newest hour with events; None while Gold is empty."""
        return insights.newest_hour(self._all_hours)

    @cached_property
    def start(self) -> datetime | None:
        """The first hour of the window; None where it has no beginning."""
        return insights.start_of(self.window, newest=self.newest) if self.newest else None

    @cached_property
    def hourly(self) -> "pa.Table":
        """Sales of the hours of the window."""
        return insights.since(self._all_hours, self.start)

    @cached_property
    def totals(self) -> insights.Totals:
        """Sales of the whole window."""
        return insights.totals(self.hourly)

    @cached_property
    def _all_hours(self) -> "pa.Table":
        return self.view.rows(GOLD_HOURLY_SALES, columns=("event_hour", "events", *_SALES))

    def stamp(self, *tables: str) -> str:
        """Differs from an earlier one exactly if what is made of the tables may differ."""
        return " ".join([self.window, *(str(self.view.snapshot_id(name)) for name in tables)])

    def money(self, amount: "Decimal | None") -> str:
        """An exact amount in the currency of the page."""
        return wording.money(amount, currency=self.currency)


TILES = (GOLD_HOURLY_SALES, GOLD_USER_HOURLY)
"""Tables that the tiles are made of."""


def tiles(of: Range, *, newest: datetime) -> list[tuple[str, str, str]]:
    """Key figures of the window, whose newest hour is given: label, value, and what stands beneath."""
    buyers = of.view.rows(GOLD_USER_HOURLY, columns=("user_id",), since=of.start)
    sums = of.totals
    return [
        ("Revenue", of.money(sums.revenue), wording.counted(sums.units, "unit")),
        ("Purchases", wording.count(sums.purchases), f"{of.money(sums.average_order_value)} each on average"),
        ("Buyers", wording.count(insights.distinct(buyers, "user_id")), "different shoppers"),
        ("Events", wording.count(sums.events), f"in {wording.counted(of.hourly.num_rows, 'hour')}"),
        ("Newest hour", wording.hours(newest), f"UTC, {newest:%Y-%m-%d}"),
    ]


def _sales(of: Range) -> Content:
    series = insights.over_time(of.hourly)
    unit = "day" if series.step == DAY else "hour"
    idle = sum(not one.totals.purchases for one in series.buckets)
    note = f"By {unit}, UTC: {wording.counted(len(series.buckets), f'{unit} with events', f'{unit}s with events')}"
    note += f", {idle} of them without a purchase." if idle else "."
    return Content(
        note=note if of.totals.purchases else wording.no_purchase(of.totals.events),
        figure=figures.revenue_over_time(series, currency=of.currency, revision=of.window),
        columns=(unit.title(), "Revenue", "Purchases", "Average", "Units", "Events"),
        rows=tuple(
            (
                wording.bucket(one.start, step=series.step),
                of.money(one.totals.revenue),
                wording.count(one.totals.purchases),
                of.money(one.totals.average_order_value),
                wording.count(one.totals.units),
                wording.count(one.totals.events),
            )
            for one in reversed(series.buckets)
        ),
    )


def _categories(of: Range) -> Content:
    days = of.view.rows(GOLD_CATEGORY_SALES, columns=("event_date", "category", *_SALES))
    first_hours = None
    if of.start is not None:
        # The days of the table are whole; of the day in which the window begins, only some hours count.
        first_hours = of.view.rows(
            GOLD_PRODUCT_HOURLY,
            columns=("category", *_SALES),
            since=of.start,
            before=of.start.replace(hour=0) + DAY,
        )
    return _list(of, insights.by_category(days, first_hours, start=of.start), what="category", many="categories")


def _products(of: Range) -> Content:
    rows = of.view.rows(
        GOLD_TOP_PRODUCTS, columns=("window", "rank", "product_id", "product_name", "category", *_SALES)
    )
    return _list(
        of, insights.top_products(rows, window=of.window), what="product", many="products", detail="Id \u00b7 category"
    )


def _users(of: Range) -> Content:
    rows = of.view.rows(GOLD_TOP_USERS, columns=("window", "rank", "user_id", *_SALES))
    return _list(of, insights.top_users(rows, window=of.window), what="shopper", many="shoppers")


def _list(of: Range, entries: list[Entry], *, what: str, many: str, detail: str = "") -> Content:
    sold = [entry for entry in entries if entry.purchases]
    if not sold:
        return Content(note=wording.no_purchase(of.totals.events))
    drawn = min(len(sold), figures.MOST_BARS)
    all_drawn = drawn == len(sold)
    return Content(
        note=f"{wording.counted(drawn, what, many)}, by revenue."
        if all_drawn
        else f"The first {drawn} {many} by revenue; {len(sold)} are listed below.",
        figure=figures.ranking(sold, currency=of.currency, revision=of.window),
        columns=("Rank", what.title(), *([detail] if detail else []), "Revenue", "Purchases", "Units"),
        rows=tuple(
            (
                str(entry.rank),
                entry.name,
                *([entry.detail] if detail else []),
                of.money(entry.revenue),
                wording.count(entry.purchases),
                wording.count(entry.units),
            )
            for entry in sold
        ),
    )


def _funnel(of: Range) -> Content:
    hours = of.view.rows(GOLD_HOURLY_FUNNEL, columns=("event_hour", "viewed", "added", "purchased"))
    stages = insights.funnel(insights.since(hours, of.start))
    if not any(stage.sessions for stage in stages):
        return Content(note="No session viewed, added or bought anything in this range.")
    return Content(
        note="Sessions, counted in every hour in which they acted.",
        figure=figures.conversion(stages, revision=of.window),
        columns=("Stage", "Sessions", "Of those that viewed"),
        rows=tuple((stage.name, wording.count(stage.sessions), wording.percent(stage.of_viewed)) for stage in stages),
    )


PANELS = (
    Panel(id="sales", title="Revenue over time", tables=(GOLD_HOURLY_SALES,), content=_sales),
    Panel(
        id="categories",
        title="Category sales",
        tables=(GOLD_HOURLY_SALES, GOLD_CATEGORY_SALES, GOLD_PRODUCT_HOURLY),
        content=_categories,
    ),
    Panel(
        id="funnel",
        title="Conversion funnel",
        tables=(GOLD_HOURLY_SALES, GOLD_HOURLY_FUNNEL),
        content=_funnel,
    ),
    Panel(id="products", title="Top products", tables=(GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS), content=_products),
    Panel(id="users", title="Top users", tables=(GOLD_HOURLY_SALES, GOLD_TOP_USERS), content=_users),
)
"""The panels, in the order of the page."""
