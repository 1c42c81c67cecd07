"""What the page "Live" computes of Silver's newest rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from shoplake_assets.dashboard.live import numbers
from shoplake_assets.dashboard.live.numbers import NEWEST

NOW = datetime(2026, 3, 1, 12, 40, 20, tzinfo=UTC)

_SCHEMA = pa.schema(
    [
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("event_type", pa.large_string()),
        ("session_id", pa.large_string()),
        ("product_id", pa.large_string()),
        ("product_name", pa.large_string()),
        ("category", pa.large_string()),
        ("price", pa.decimal128(12, 2)),
        ("quantity", pa.int32()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
    ]
)


def event(kind: str, *, before: float, **fields: Any) -> dict[str, Any]:
    """An event so many seconds before now."""
    usual = {"session_id": "s1", "product_id": "p1", "product_name": "lamp", "category": "home", "quantity": 1}
    place = {"price": "9.99", "partition": 0, "offset": 1}
    given = {**usual, **place, **fields, "event_type": kind, "event_time": NOW - timedelta(seconds=before)}
    return {**given, "price": Decimal(str(given["price"]))}


def table(*events: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(events), schema=_SCHEMA)


def test_rates_count_whole_buckets_and_leave_out_the_one_that_is_filling() -> None:
    found = numbers.rates(
        table(
            *(event("view_item", before=0) for _ in range(7)),  # 12:40:20 is in the bucket from 12:40:15, not yet over
            *(event("view_item", before=6) for _ in range(30)),  # 12:40:14
            event("purchase", before=20),  # 12:40:00
            event("purchase", before=21),  # 12:39:59
            event("add_to_cart", before=905),  # 12:25:15, the first moment that counts
            event("add_to_cart", before=906),  # 12:25:14
        ),
        now=NOW,
    )
    assert (found.starts[0], found.starts[-1], len(found.starts)) == (
        datetime(2026, 3, 1, 12, 25, 15, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 40, 0, tzinfo=UTC),
        60,
    )
    assert found.counts == {
        "view_item": (*[0] * 59, 30),
        "purchase": (*[0] * 58, 1, 1),
        "add_to_cart": (1, *[0] * 59),
    }
    assert (found.events, found.per_second(buckets=4)) == (33, 32 / 60)


def test_the_running_hour_is_compared_with_the_same_part_of_the_hour_before() -> None:
    found = numbers.hour_so_far(
        table(
            event("purchase", before=0, price="0.10", quantity=3),
            event("purchase", before=40 * 60 + 20, price="100000.01"),  # 12:00:00
            event("purchase", before=40 * 60 + 21, price="5.00"),  # 11:59:59: after the same point of its hour
            event("purchase", before=3600, price="7.00", quantity=2),  # 11:40:20
            event("purchase", before=3599, price="11.00"),  # 11:40:21
            event("purchase", before=3600 + 40 * 60 + 20, price="1.00"),  # 11:00:00
            event("purchase", before=3600 + 40 * 60 + 21, price="13.00"),  # 10:59:59
            event("view_item", before=1, price="999.99"),
        ),
        now=NOW,
    )
    assert found.start == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (found.revenue, found.purchases, found.before) == (Decimal("100000.31"), 2, Decimal("15.00"))


def test_the_funnel_counts_each_session_once_and_none_that_is_over() -> None:
    found = numbers.funnel(
        table(
            *(event("view_item", before=5, session_id=who) for who in ("s1", "s2", "s3", "s3", None)),
            event("add_to_cart", before=5, session_id="s2"),
            event("purchase", before=5, session_id="s2"),
            event("purchase", before=901, session_id="s3"),
        ),
        now=NOW,
    )
    assert [(stage.sessions, stage.of_viewed) for stage in found] == [
        (3, Decimal("100.0")),
        (1, Decimal("33.3")),
        (1, Decimal("33.3")),
    ]


def test_products_are_listed_by_exact_revenue_with_their_newest_name() -> None:
    found = numbers.top_products(
        table(
            event("purchase", before=9, product_id="p1", price="0.10", quantity=3, product_name="old"),
            event("purchase", before=5, product_id="p1", price="0.20", product_name="new"),
            event("purchase", before=5, product_id="p3", price="0.50", product_name=None, category=None),
            event("purchase", before=5, product_id="p2", price="0.50", product_name="b"),
            event("view_item", before=5, product_id="p9", price="99.00"),
            event("purchase", before=901, product_id="p9", price="99.00"),
        ),
        now=NOW,
    )
    assert [(one.rank, one.name, one.detail, one.purchases, one.units, one.revenue) for one in found] == [
        (1, "new", "p1 \u00b7 home", 2, 4, Decimal("0.50")),
        (2, "b", "p2 \u00b7 home", 1, 1, Decimal("0.50")),
        (3, "p3", "p3", 1, 1, Decimal("0.50")),
    ]


def test_the_newest_events_come_first_and_the_list_ends() -> None:
    found = numbers.newest(table(*(event("view_item", before=n, offset=n) for n in range(20, 0, -1))))
    assert [row["offset"] for row in found] == list(range(1, NEWEST + 1))


def test_nothing_at_all_is_no_error() -> None:
    nothing = table()
    assert numbers.rates(nothing, now=NOW).per_second(buckets=4) == 0
    assert numbers.hour_so_far(nothing, now=NOW).revenue == Decimal("0.00")
    assert numbers.top_products(nothing, now=NOW) == []
    assert [stage.of_viewed for stage in numbers.funnel(nothing, now=NOW)] == [None] * 3
