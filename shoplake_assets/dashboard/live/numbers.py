"""What the page says about the newest events, as plain values.

Belongs here: rates, sums and orders over Arrow tables of Silver's rows; pure. Does not belong here: reading them
(`live.recent`), words, pictures. Money stays decimal, times are UTC.

"Now" is the newest event that Silver has, so that a replay of old events is seen live as well. A device whose clock is
fast does not move it: where events claim to be newer than their own arrival in Kafka, the arrival counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from shoplake_assets.dashboard.values import Entry, Stage, stages
from shoplake_assets.events.shape import EventType

SPAN = timedelta(minutes=15)
"""How far back the rates, the funnel and the list go."""
STEP = timedelta(seconds=15)
"""Length of a bucket of the rates."""
HOUR = timedelta(hours=1)
NEWEST = 12
"""Events that are listed one by one."""
BEST = 8
"""Products that are listed."""

_INSTANT = timedelta(microseconds=1)
# As many digits as a number of units can have, so that the product with a price stays exact.
_WHOLE = pa.decimal128(10, 0)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Events over time.

    Attributes:
        starts: When each bucket of `STEP` begins, UTC, oldest first; every bucket of `SPAN` is there.
        counts: For each type of event, events in each bucket.
    """

    starts: tuple[datetime, ...]
    counts: dict[str, tuple[int, ...]]

    @property
    def events(self) -> int:
        """Events of all types in all buckets."""
        return sum(sum(counts) for counts in self.counts.values())

    def per_second(self, *, buckets: int) -> float:
        """Events per second of all types over so many of the newest buckets."""
        return sum(sum(counts[-buckets:]) for counts in self.counts.values()) / (buckets * STEP.seconds)


@dataclass(frozen=True, kw_only=True)
class HourSoFar:
    """Sales of the running hour, and of the hour before it up to the same minute and second.

    Attributes:
        start: When the running hour began, UTC.
        revenue: Price times quantity over its purchases.
        purchases: Its purchases.
        before: Revenue of the hour before, up to the same point.
    """

    start: datetime
    revenue: Decimal
    purchases: int
    before: Decimal


def hour_of(moment: datetime) -> datetime:
    """The hour in which a moment lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


def rates(events: pa.Table, *, now: datetime) -> Rates:
    """Events of each type; the bucket of `now`, which is still filling, is left out."""
    first = _bucket(now) - SPAN
    starts = tuple(first + STEP * index for index in range(SPAN // STEP))
    buckets = pc.floor_temporal(events["event_time"], multiple=STEP.seconds, unit="second")
    keyed = pa.table({"event_type": events["event_type"], "bucket": buckets})
    counted = keyed.group_by(["event_type", "bucket"]).aggregate([([], "count_all")])
    found = {(row["event_type"], row["bucket"]): row["count_all"] for row in counted.to_pylist()}
    return Rates(
        starts=starts,
        counts={kind.value: tuple(found.get((kind.value, start), 0) for start in starts) for kind in EventType},
    )


def hour_so_far(events: pa.Table, *, now: datetime) -> HourSoFar:
    """Revenue of the running hour against the hour before, from the events of both."""
    start, purchases = hour_of(now), _purchases(events)
    # An event at the very beginning of an hour belongs to it.
    running = _between(purchases, start - _INSTANT, now)
    return HourSoFar(
        start=start,
        revenue=_revenue(running),
        purchases=running.num_rows,
        before=_revenue(_between(purchases, start - HOUR - _INSTANT, now - HOUR)),
    )


def funnel(events: pa.Table, *, now: datetime) -> list[Stage]:
    """How far the sessions of the last `SPAN` came."""
    recent = _between(events, now - SPAN, now)

    def sessions(kind: EventType) -> int:
        of_kind = recent.filter(pc.equal(recent["event_type"], kind.value))
        count: int = pc.count_distinct(of_kind["session_id"]).as_py()
        return count

    return stages(
        viewed=sessions(EventType.VIEW_ITEM),
        added=sessions(EventType.ADD_TO_CART),
        purchased=sessions(EventType.PURCHASE),
    )


def top_products(events: pa.Table, *, now: datetime) -> list[Entry]:
    """The products with the most revenue in the last `SPAN`; ties break by id."""
    bought = _between(_purchases(events), now - SPAN, now).sort_by("event_time")
    sums: dict[str, dict[str, Any]] = {}
    for row in bought.to_pylist():
        known = sums.setdefault(row["product_id"], {"purchases": 0, "units": 0, "revenue": Decimal("0.00")})
        known["purchases"] += 1
        known["units"] += row["quantity"]
        known["revenue"] += row["price"] * row["quantity"]
        known |= {"name": row["product_name"] or row["product_id"], "detail": _detail(row)}
    ordered = sorted(sums.items(), key=lambda item: (-item[1]["revenue"], item[0]))
    return [Entry(rank=rank, **known) for rank, (_, known) in enumerate(ordered[:BEST], start=1)]


def newest(events: pa.Table) -> list[dict[str, Any]]:
    """The newest events by the time that they carry, newest first."""
    order = [("event_time", "descending"), ("partition", "ascending"), ("offset", "descending")]
    rows: list[dict[str, Any]] = events.sort_by(order).slice(0, NEWEST).to_pylist()
    return rows


def _bucket(moment: datetime) -> datetime:
    since_hour = moment - hour_of(moment)
    return hour_of(moment) + (since_hour // STEP) * STEP


def _between(rows: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Rows whose event time is after `start` and not after `end`."""
    at, kind = rows["event_time"], rows["event_time"].type
    return rows.filter(pc.and_(pc.greater(at, pa.scalar(start, kind)), pc.less_equal(at, pa.scalar(end, kind))))


def _purchases(events: pa.Table) -> pa.Table:
    return events.filter(pc.equal(events["event_type"], EventType.PURCHASE.value))


def _revenue(purchases: pa.Table) -> Decimal:
    units = purchases["quantity"].cast(_WHOLE)
    total: Decimal | None = pc.sum(pc.multiply(purchases["price"], units)).as_py()
    return Decimal("0.00") if total is None else total


def _detail(row: dict[str, Any]) -> str:
    return f"{row['product_id']} \u00b7 {row['category']}" if row["category"] else str(row["product_id"])
