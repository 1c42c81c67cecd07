"""The panels of the page: which tables each is made of, and what it shows.

Belongs here: from a look at the lake to figures, notes and exact values. Does not belong here: HTML (`insights.page`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.figures import MOST_BARS, conversion, ranking
from shoplake_assets.dashboard.insights import numbers
from shoplake_assets.dashboard.insights.figures import revenue_over_time
from shoplake_assets.dashboard.insights.numbers import DAY
from shoplake_assets.dashboard.values import Column, Content, Entry, Exact, Kind
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

    import pyarrow as pa  # type: ignore[import-untyped]

    from shoplake_assets.dashboard.data import LakeView
    from shoplake_assets.dashboard.insights.selection import Selection

_SALES = ("purchases", "units", "revenue")
_SALES_COLUMNS = (
    Column(key="revenue", title="Revenue", kind=Kind.MONEY),
    Column(key="purchases", title="Purchases", kind=Kind.COUNT),
    Column(key="units", title="Units", kind=Kind.COUNT),
)
_RANK = Column(key="rank", title="Rank", kind=Kind.COUNT)
_FIRST_TIME = "This table is being computed for the first time; the Dagster UI shows the refresh."


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
    """The lake within a selection.

    Args:
        view: A look at the lake.
        selection: What the viewer has chosen.
        currency: Currency that amounts are shown in.
        zone: The viewer's time zone.
    """

    def __init__(self, view: "LakeView", *, selection: "Selection", currency: str, zone: tzinfo = UTC) -> None:
        self.view = view
        self.selection = selection
        self.currency = currency
        self.zone = zone

    @cached_property
    def newest(self) -> datetime | None:
        """The newest hour with events; None while Gold is empty."""
        return numbers.newest_hour(self._all_hours)

    @cached_property
    def start(self) -> datetime | None:
        """The first hour of the range; None where it has no beginning."""
        return self.selection.start(newest=self.newest) if self.newest else None

    @property
    def end(self) -> datetime | None:
        """The first hour after the range; None where it goes on."""
        return self.selection.end

    @property
    def category(self) -> str | None:
        """The category that alone counts; None for all."""
        return self.selection.category

    @cached_property
    def hourly(self) -> "pa.Table":
        """Sales of the hours of the range, of the category where one is chosen."""
        if self.category is None:
            return numbers.between(self._all_hours, self.start, self.end)
        facts = self.facts("event_hour", "views", "carts", *_SALES)
        return numbers.hours_of_category(facts)

    @cached_property
    def totals(self) -> numbers.Totals:
        """Sales of the whole range, of the category where one is chosen."""
        return numbers.totals(self.hourly)

    @cached_property
    def totals_of_all(self) -> numbers.Totals:
        """Sales of the whole range, of all categories."""
        return numbers.totals(numbers.between(self._all_hours, self.start, self.end))

    @cached_property
    def _all_hours(self) -> "pa.Table":
        return self.view.rows(GOLD_HOURLY_SALES, columns=("event_hour", "events", *_SALES))

    def facts(self, *columns: str) -> "pa.Table":
        """Columns of the hourly facts about products, of the range and the category."""
        return self.view.rows(
            GOLD_PRODUCT_HOURLY, columns=columns, since=self.start, before=self.end, category=self.category
        )

    def computed(self, table: str) -> bool:
        """Whether a refresh has published the table: an empty one is no statement before that."""
        state = self.view.states.get(table)
        return state is not None and (state.rows > 0 or bool(state.position.offsets))

    def stamp(self, *tables: str) -> str:
        """Differs from an earlier one exactly if what is made of the tables may differ."""
        snapshots = (str(self.view.snapshot_id(name)) for name in tables)
        return " ".join([self.selection.query, str(self.zone), *snapshots])

    def money(self, amount: "Decimal | None") -> str:
        """An exact amount in the currency of the page."""
        return wording.money(amount, currency=self.currency)


TILES = (GOLD_HOURLY_SALES, GOLD_USER_HOURLY, GOLD_PRODUCT_HOURLY)
"""Tables that the tiles are made of."""


def tiles(of: Range, *, newest: datetime) -> list[tuple[str, str, str]]:
    """Key figures of the range, where Gold's newest hour is given: label, value, and what stands beneath."""
    sums = of.totals
    return [
        ("Revenue", of.money(sums.revenue), wording.counted(sums.units, "unit")),
        ("Purchases", wording.count(sums.purchases), f"{of.money(sums.average_order_value)} each on average"),
        ("Buyers", *_buyers(of)),
        ("Events", wording.count(sums.events), f"in {wording.counted(of.hourly.num_rows, 'hour')}"),
        ("Newest hour", wording.hours(newest.astimezone(of.zone)), wording.zone_and_day(newest, zone=of.zone)),
    ]


def _buyers(of: Range) -> tuple[str, str]:
    if of.category is not None:
        return wording.NOTHING, "not counted by category"
    rows = of.view.rows(GOLD_USER_HOURLY, columns=("user_id",), since=of.start, before=of.end)
    return wording.count(numbers.distinct(rows, "user_id")), "different shoppers"


def _sales(of: Range) -> Content:
    if of.category is not None and not of.computed(GOLD_PRODUCT_HOURLY):
        return Content(note=_FIRST_TIME)
    series = numbers.over_time(of.hourly)
    if not series.buckets:
        return Content(note=wording.no_purchase(0))
    by_day = series.step == DAY
    unit = "day" if by_day else "hour"
    idle = sum(not one.totals.purchases for one in series.buckets)
    zone = ", UTC" if by_day else ""
    note = f"By {unit}{zone}: {wording.counted(len(series.buckets), f'{unit} with events', f'{unit}s with events')}"
    note += f", {idle} of them without a purchase." if idle else "."
    return Content(
        note=note if of.totals.purchases else wording.no_purchase(of.totals.events),
        figure=revenue_over_time(series, currency=of.currency, zone=of.zone, revision=of.selection.query),
        exact=Exact(
            columns=(
                Column(key=f"{unit}_utc", title=unit.title(), kind=Kind.DAY if by_day else Kind.HOUR),
                _SALES_COLUMNS[0],
                _SALES_COLUMNS[1],
                Column(key="average_order_value", title="Average", kind=Kind.MONEY),
                _SALES_COLUMNS[2],
                Column(key="events", title="Events", kind=Kind.COUNT),
            ),
            rows=tuple(
                (
                    one.start.date() if by_day else one.start,
                    one.totals.revenue,
                    one.totals.purchases,
                    one.totals.average_order_value,
                    one.totals.units,
                    one.totals.events,
                )
                for one in reversed(series.buckets)
            ),
        ),
    )


def categories_of(of: Range) -> list[Entry]:
    """Sales of every category in the range, most revenue first."""
    days = of.view.rows(GOLD_CATEGORY_SALES, columns=("event_date", "category", *_SALES))
    first_hours = None
    if of.start is not None and of.start.hour:
        # The days of the table are whole; of the day in which the range begins, only some hours count.
        first_hours = of.view.rows(
            GOLD_PRODUCT_HOURLY,
            columns=("category", *_SALES),
            since=of.start,
            before=of.start.replace(hour=0) + DAY,
        )
    return numbers.by_category(days, first_hours, start=of.start, end=of.end)


def _categories(of: Range) -> Content:
    return _list(of, categories_of(of), table=GOLD_CATEGORY_SALES, what="category", many="categories")


def _products(of: Range) -> Content:
    if of.category is None and not of.selection.by_days:
        columns = ("window", "rank", "product_id", "product_name", "category", *_SALES)
        table = GOLD_TOP_PRODUCTS
        entries = numbers.top_products(of.view.rows(table, columns=columns), window=of.selection.window)
    else:
        table = GOLD_PRODUCT_HOURLY
        entries = numbers.best_products(of.facts("event_hour", "product_id", "product_name", "category", *_SALES))
    return _list(of, entries, table=table, what="product", many="products", detail="Id \u00b7 category")


def _users(of: Range) -> Content:
    if of.selection.by_days:
        table = GOLD_USER_HOURLY
        rows = of.view.rows(table, columns=("event_hour", "user_id", *_SALES), since=of.start, before=of.end)
        entries = numbers.best_users(rows)
    else:
        table = GOLD_TOP_USERS
        rows = of.view.rows(table, columns=("window", "rank", "user_id", *_SALES))
        entries = numbers.top_users(rows, window=of.selection.window)
    return _list(of, entries, table=table, what="shopper", many="shoppers", by_category=False)


def _list(  # noqa: PLR0913  every argument says what the list is of
    of: Range,
    entries: list[Entry],
    *,
    table: str,
    what: str,
    many: str,
    detail: str = "",
    by_category: bool = True,
) -> Content:
    if not of.computed(table):
        return Content(note=_FIRST_TIME)
    sold = [entry for entry in entries if entry.purchases]
    if not sold:
        return Content(note=wording.no_purchase((of.totals if by_category else of.totals_of_all).events))
    drawn = min(len(sold), MOST_BARS)
    note = (
        f"{wording.counted(drawn, what, many)}, by revenue."
        if drawn == len(sold)
        else f"The first {drawn} {many} by revenue; {len(sold)} are listed below."
    )
    return Content(
        note=note if by_category else f"{note}{_of_all_categories(of)}",
        figure=ranking(sold, currency=of.currency, revision=of.selection.query),
        exact=Exact(
            columns=(
                _RANK,
                Column(key=what, title=what.title(), kind=Kind.TEXT),
                *([Column(key="detail", title=detail, kind=Kind.TEXT)] if detail else []),
                *_SALES_COLUMNS,
            ),
            rows=tuple(
                (
                    entry.rank,
                    entry.name,
                    *([entry.detail] if detail else []),
                    entry.revenue,
                    entry.purchases,
                    entry.units,
                )
                for entry in sold
            ),
        ),
    )


def _funnel(of: Range) -> Content:
    if not of.computed(GOLD_HOURLY_FUNNEL):
        return Content(note=_FIRST_TIME)
    hours = of.view.rows(GOLD_HOURLY_FUNNEL, columns=("event_hour", "viewed", "added", "purchased"))
    stages = numbers.funnel(numbers.between(hours, of.start, of.end))
    if not any(stage.sessions for stage in stages):
        return Content(note="No session viewed, added or bought anything in this range.")
    return Content(
        note=f"Sessions, counted in every hour in which they acted.{_of_all_categories(of)}",
        figure=conversion(stages, revision=of.selection.query),
        exact=Exact(
            columns=(
                Column(key="stage", title="Stage", kind=Kind.TEXT),
                Column(key="sessions", title="Sessions", kind=Kind.COUNT),
                Column(key="percent_of_viewed", title="Of those that viewed", kind=Kind.PERCENT),
            ),
            rows=tuple((stage.name, stage.sessions, stage.of_viewed) for stage in stages),
        ),
    )


def _of_all_categories(of: Range) -> str:
    """What stands at a panel whose table knows no categories, where one is chosen."""
    return "" if of.category is None else " Of all categories: Gold does not divide them by category."


PANELS = (
    Panel(id="sales", title="Revenue over time", tables=(GOLD_HOURLY_SALES, GOLD_PRODUCT_HOURLY), content=_sales),
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
    Panel(
        id="products",
        title="Top products",
        tables=(GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS, GOLD_PRODUCT_HOURLY),
        content=_products,
    ),
    Panel(
        id="users",
        title="Top users",
        tables=(GOLD_HOURLY_SALES, GOLD_TOP_USERS, GOLD_USER_HOURLY),
        content=_users,
    ),
)
"""The panels, in the order of the page."""
