"""What the page says about Gold, as plain values.

Belongs here: windows, sums and orders over Arrow tables; pure. Does not belong here: reading (`data`), words
(`wording`), pictures (`figures`). Money stays decimal, times are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from shoplake_assets.dashboard.values import CENT, Entry, Stage, stages

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

WINDOWS: Mapping[str, int | None] = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24, "all": None}
"""Windows in hours, counted back from the newest hour with events; None is everything."""
DEFAULT_WINDOW = "24h"
LIST_LENGTH = 100
"""Entries that a list has at the most."""

_SALES = ["purchases", "units", "revenue"]

# A longer range is drawn by day: bars of an hour would be thinner than a pixel on a phone.
_LONGEST_BY_HOUR = timedelta(days=8)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sales of a range.

    Attributes:
        events: Events of any type.
        purchases: Purchase events.
        units: Units bought.
        revenue: Price times quantity over all purchases.
    """

    events: int
    purchases: int
    units: int
    revenue: Decimal

    @property
    def average_order_value(self) -> Decimal | None:
        """Revenue per purchase, rounded half up to the cent; None without a purchase."""
        return (self.revenue / self.purchases).quantize(CENT, ROUND_HALF_UP) if self.purchases else None


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """An hour or a day with events.

    Attributes:
        start: When it begins, UTC.
        totals: What was sold in it.
    """

    start: datetime
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Series:
    """Sales over time.

    Attributes:
        step: Length of a bucket: an hour or a day.
        buckets: Buckets with events, oldest first; one without events is absent, one without a purchase is there.
    """

    step: timedelta
    buckets: tuple[Bucket, ...]


def newest_hour(hourly: pa.Table) -> datetime | None:
    """The newest hour with events; None where there is none."""
    newest: datetime | None = pc.max(hourly["event_hour"]).as_py() if hourly.num_rows else None
    return newest


def start_of(window: str, *, newest: datetime) -> datetime | None:
    """First hour of a window; None for the one that has no beginning.

    A window of n hours is the newest hour and the n - 1 before it, as in the top lists of Gold.
    """
    hours = WINDOWS[window]
    return None if hours is None else newest - HOUR * (hours - 1)


def between(rows: pa.Table, start: datetime | None, end: datetime | None) -> pa.Table:
    """The rows whose `event_hour` is not before `start` and before `end`; None is no bound."""
    for bound, inside in ((start, pc.greater_equal), (end, pc.less)):
        if bound is not None and rows.num_rows:
            rows = rows.filter(inside(rows["event_hour"], pa.scalar(bound, rows["event_hour"].type)))
    return rows


def totals(hourly: pa.Table) -> Totals:
    """Sums over rows of `gold.hourly_sales`."""
    return Totals(
        events=_sum(hourly, "events"),
        purchases=_sum(hourly, "purchases"),
        units=_sum(hourly, "units"),
        revenue=_sum_money(hourly, "revenue"),
    )


def over_time(hourly: pa.Table) -> Series:
    """Sales by hour, or by UTC day where the hours span more than eight days."""
    if not hourly.num_rows:
        return Series(step=HOUR, buckets=())
    hours = hourly["event_hour"]
    span = pc.max(hours).as_py() - pc.min(hours).as_py()
    step = DAY if span >= _LONGEST_BY_HOUR else HOUR
    starts = pc.floor_temporal(hours, unit="day" if step == DAY else "hour")
    keyed = hourly.select(["events", "purchases", "units", "revenue"]).append_column("start", starts)
    sums = _grouped(keyed, by=["start"], values=["events", "purchases", "units", "revenue"]).sort_by("start")
    return Series(
        step=step,
        buckets=tuple(
            Bucket(
                start=row["start"],
                totals=Totals(
                    events=row["events"], purchases=row["purchases"], units=row["units"], revenue=row["revenue"]
                ),
            )
            for row in sums.to_pylist()
        ),
    )


def hours_of_category(facts: pa.Table) -> pa.Table:
    """Sales by hour, as in `gold.hourly_sales`, from rows of `gold.product_hourly` of one category."""
    values = ["views", "carts", *_SALES]
    if not facts.num_rows:
        return pa.table({column: pa.nulls(0) for column in ("event_hour", "events", *_SALES)})
    hours = _grouped(facts, by=["event_hour"], values=values)
    # A fact counts each event under the type that it has.
    events = pc.add(pc.add(hours["views"], hours["carts"]), hours["purchases"])
    return hours.select(["event_hour", *_SALES]).append_column("events", events)


def by_category(
    days: pa.Table, first_hours: pa.Table | None, *, start: datetime | None, end: datetime | None
) -> list[Entry]:
    """Sales of each category within a range, most revenue first.

    Args:
        days: Rows of `gold.category_sales`; days that are in the range as a whole count.
        first_hours: Rows of `gold.product_hourly` from `start` to the end of its day, where that day counts in part;
            None where it counts as a whole.
        start: First hour of the range; None where it has no beginning.
        end: First hour after it, which begins a day; None where it goes on.
    """
    if days.num_rows and start is not None:
        whole = start.date() if first_hours is None else start.date() + DAY
        days = days.filter(pc.greater_equal(days["event_date"], pa.scalar(whole, pa.date32())))
    if days.num_rows and end is not None:
        days = days.filter(pc.less(days["event_date"], pa.scalar(end.date(), pa.date32())))
    parts = [part.select(["category", *_SALES]) for part in (days, first_hours) if part is not None and part.num_rows]
    if not parts:
        return []
    # A sum of decimals has more digits than what is summed.
    sums = [_grouped(part, by=["category"], values=_SALES) for part in parts]
    rows = _grouped(pa.concat_tables(sums), by=["category"], values=_SALES).to_pylist()
    rows.sort(key=lambda row: (-row["revenue"], row["category"]))
    return [_entry(row, rank=rank, name=row["category"]) for rank, row in enumerate(rows, start=1)]


def top_products(rows: pa.Table, *, window: str) -> list[Entry]:
    """The products of a window in `gold.top_products`, best first."""
    return [_product(row, rank=row["rank"]) for row in _of_window(rows, window)]


def best_products(facts: pa.Table) -> list[Entry]:
    """The products of any hours, best first, from rows of `gold.product_hourly`; as long as Gold's own list.

    A product has the name and the category of the newest hour, as in Gold's own list.
    """
    rows = _best(facts, by="product_id", newest=["product_name", "category"])
    return [_product(row, rank=rank) for rank, row in enumerate(rows, start=1)]


def top_users(rows: pa.Table, *, window: str) -> list[Entry]:
    """The shoppers of a window in `gold.top_users`, best first."""
    return [_entry(row, rank=row["rank"], name=row["user_id"]) for row in _of_window(rows, window)]


def best_users(facts: pa.Table) -> list[Entry]:
    """The shoppers of any hours, best first, from rows of `gold.user_hourly`; as long as Gold's own list."""
    rows = _best(facts, by="user_id", newest=[])
    return [_entry(row, rank=rank, name=row["user_id"]) for rank, row in enumerate(rows, start=1)]


def funnel(hourly: pa.Table) -> list[Stage]:
    """How far sessions came, over rows of `gold.hourly_funnel`."""
    return stages(viewed=_sum(hourly, "viewed"), added=_sum(hourly, "added"), purchased=_sum(hourly, "purchased"))


def distinct(rows: pa.Table, column: str) -> int:
    """Different values in a column."""
    count: int = pc.count_distinct(rows[column]).as_py() if rows.num_rows else 0
    return count


def _of_window(rows: pa.Table, window: str) -> list[dict[str, Any]]:
    if not rows.num_rows:
        return []
    found: list[dict[str, Any]] = rows.filter(pc.equal(rows["window"], window)).sort_by("rank").to_pylist()
    return found


def _best(facts: pa.Table, *, by: str, newest: list[str]) -> list[dict[str, Any]]:
    """Sums of each key with purchases, in the order of Gold's own lists: most revenue first, ties by the key."""
    sold = facts.filter(pc.greater(facts["purchases"], 0)) if facts.num_rows else facts
    if not sold.num_rows:
        return []
    ordered = sold.sort_by([(column, "ascending") for column in ("event_hour", *(["category"] if newest else []))])
    last = pc.ScalarAggregateOptions(skip_nulls=False)
    aggregates = [*((value, "sum") for value in _SALES), *((column, "last", last) for column in newest)]
    # The last of an order is known to one thread only.
    sums = ordered.group_by(by, use_threads=False).aggregate(aggregates)
    sums = sums.rename_columns([name.removesuffix("_sum").removesuffix("_last") for name in sums.column_names])
    rows: list[dict[str, Any]] = sums.to_pylist()
    rows.sort(key=lambda row: (-row["revenue"], row[by]))
    return rows[:LIST_LENGTH]


def _product(row: dict[str, Any], *, rank: int) -> Entry:
    detail = f"{row['product_id']} \u00b7 {row['category']}"
    return _entry(row, rank=rank, name=row["product_name"] or row["product_id"], detail=detail)


def _entry(row: dict[str, Any], *, rank: int, name: str, detail: str = "") -> Entry:
    sales = {key: row[key] for key in _SALES}
    return Entry(rank=rank, name=name, detail=detail, **sales)


def _grouped(rows: pa.Table, *, by: list[str], values: list[str]) -> pa.Table:
    sums = rows.group_by(by).aggregate([(value, "sum") for value in values])
    return sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])


def _sum(rows: pa.Table, column: str) -> int:
    total: int = (pc.sum(rows[column]).as_py() or 0) if rows.num_rows else 0
    return total


def _sum_money(rows: pa.Table, column: str) -> Decimal:
    total: Decimal | None = pc.sum(rows[column]).as_py() if rows.num_rows else None
    return Decimal("0.00") if total is None else total
