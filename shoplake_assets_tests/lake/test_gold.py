"""The Gold tables' figures, held to an independent account in plain Python."""

import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shoplake_assets.lake.gold import refresh_gold
from shoplake_assets.tables import (
    ALL,
    GOLD,
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    SILVER_EVENTS,
)
from shoplake_assets_tests import oracle
from shoplake_assets_tests.building import Fates, Shop, event, hour, purchase
from shoplake_assets_tests.shoppers import as_payloads, random_events
from shoplake_assets_tests.waiting import wait_until

pytestmark = pytest.mark.spark


def test_many_increments_with_repeats_give_what_plain_python_gives(shop: Shop) -> None:
    events = random_events(seed=1, count=400)
    payloads = as_payloads(events)
    dice = random.Random(2)  # noqa: S311  reproducible, not secret
    shop.produce(*payloads[:300])
    shop.refresh()
    shop.produce(*payloads[300:350], *dice.sample(payloads[:350], 40))
    shop.produce(*payloads[350:], *dice.sample(payloads, 30), partition=1)
    shop.refresh()
    expected = oracle.gold(events)
    for table in GOLD:
        assert shop.read(table) == expected[table], table
    assert shop.fates() == Fates(silver=400, duplicates=70, quarantine=0)

    before = shop.snapshot_ids()
    assert not any(refreshed.changed for refreshed in shop.refresh().values())
    assert shop.snapshot_ids() == before
    assert set(before) == set(ALL)

    # The same file played once more changes no figure.
    shop.produce(*payloads)
    shop.refresh()
    for table in GOLD:
        assert shop.read(table) == expected[table], table
    assert shop.fates() == Fates(silver=400, duplicates=470, quarantine=0)


def test_a_late_event_changes_its_own_hour_and_day_and_the_lists_and_nothing_else(shop: Shop) -> None:
    shop.produce(
        purchase(event_id="a", at="2026-02-28T23:10:00Z", price="5.00", user_id="u1"),
        event(event_id="b", at="2026-03-01T10:00:00Z", product_id="p2"),
        purchase(event_id="c", at="2026-03-01T11:59:59.999999Z", price="7.00", user_id="u2"),
    )
    shop.refresh()
    first = {table: shop.read(table) for table in GOLD}
    assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {
        hour("2026-02-28T23"): Decimal("5.00"),
        hour("2026-03-01T10"): Decimal("0.00"),
        hour("2026-03-01T11"): Decimal("7.00"),
    }
    shop.produce(purchase(event_id="d", at="2026-02-28T23:50:00Z", price="2.50", quantity=2, user_id="u2"))
    shop.refresh()
    changed = {table: [row for row in shop.read(table) if row not in first[table]] for table in GOLD}
    assert [row["event_hour"] for row in changed[GOLD_HOURLY_SALES]] == [hour("2026-02-28T23")]
    assert changed[GOLD_HOURLY_SALES][0]["revenue"] == Decimal("10.00")
    assert changed[GOLD_HOURLY_SALES][0]["average_order_value"] == Decimal("5.00")
    assert [str(row["event_date"]) for row in changed[GOLD_CATEGORY_SALES]] == ["2026-02-28"]
    assert [row["event_hour"] for row in changed[GOLD_PRODUCT_HOURLY]] == [hour("2026-02-28T23")]
    assert changed[GOLD_HOURLY_FUNNEL] == []
    assert len(shop.read(GOLD_HOURLY_SALES)) == len(first[GOLD_HOURLY_SALES])
    assert {row["revenue"] for row in shop.read(GOLD_TOP_USERS) if row["rank"] == 1} == {Decimal("12.00")}


def test_lists_count_back_from_the_newest_event_and_break_ties_by_id(shop: Shop) -> None:
    newest = datetime(2020, 5, 31, 12, tzinfo=UTC)

    def sold(product: str, hours: int, price: str = "1.00") -> bytes:
        at = (newest - timedelta(hours=hours)).isoformat()
        return purchase(at=at, product_id=product, product_name=product, price=price)

    shop.produce(
        event(at="2020-05-31T12:59:59Z", product_id="only-seen"),
        *(sold("p-late", 23), sold("p-b", 24, "3.00"), sold("p-a", 167, "3.00")),
        *(sold("p-old", 168, "2.00"), sold("p-older", 719, "9.00"), sold("p-oldest", 720, "8.00")),
    )
    shop.refresh()

    def ranked() -> dict[str, list[str]]:
        lists: dict[str, list[str]] = {}
        for row in sorted(shop.read(GOLD_TOP_PRODUCTS), key=lambda row: row["rank"]):
            lists.setdefault(row["window"], []).append(row["product_id"])
        return lists

    assert ranked() == {
        "24h": ["p-late"],
        "7d": ["p-a", "p-b", "p-late"],
        "30d": ["p-older", "p-a", "p-b", "p-old", "p-late"],
        "all": ["p-older", "p-oldest", "p-a", "p-b", "p-old", "p-late"],
    }
    # A newer hour in which nothing was sold moves all windows on.
    shop.produce(event(at="2020-05-31T13:00:00Z"))
    shop.refresh()
    assert ranked() == {
        "7d": ["p-b", "p-late"],
        "30d": ["p-a", "p-b", "p-old", "p-late"],
        "all": ["p-older", "p-oldest", "p-a", "p-b", "p-old", "p-late"],
    }


def test_events_of_the_first_and_the_last_hour_that_are_believed_stop_nothing(shop: Shop) -> None:
    shop.produce(
        purchase(at="2000-01-01T00:00:00Z", price="1.00"),
        purchase(at="2099-12-31T23:59:59.999999Z", price="4.00"),
        kafka_time="2099-12-31T23:59:59Z",
    )
    shop.refresh()
    assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {
        hour("2000-01-01T00"): Decimal("1.00"),
        hour("2099-12-31T23"): Decimal("4.00"),
    }
    shop.produce(purchase(at="2026-03-01T10:00:00Z", price="8.00"))
    shop.refresh()
    assert sum(row["revenue"] for row in shop.read(GOLD_CATEGORY_SALES)) == Decimal("13.00")
    assert {row["revenue"] for row in shop.read(GOLD_TOP_PRODUCTS) if row["window"] == "all"} == {Decimal("13.00")}


def test_an_hour_that_silver_no_longer_has_disappears_from_gold(shop: Shop) -> None:
    shop.produce(
        purchase(event_id="a", at="2026-03-01T10:00:00Z", price="1.00"),
        purchase(event_id="b", at="2026-03-02T10:00:00Z", price="2.00"),
        purchase(event_id="c", at="2026-04-02T10:00:00Z", price="4.00"),
    )
    shop.refresh()
    shop.lake.table(SILVER_EVENTS).delete("event_id = 'b' or event_id = 'c'")
    shop.refresh()
    for table in (GOLD_HOURLY_SALES, GOLD_PRODUCT_HOURLY, GOLD_CATEGORY_SALES):
        assert [row["revenue"] for row in shop.read(table)] == [Decimal("1.00")]
    assert {row["revenue"] for row in shop.read(GOLD_TOP_USERS)} == {Decimal("1.00")}


def test_gold_is_worked_on_while_the_caller_deals_with_what_came(shop: Shop) -> None:
    shop.produce(purchase(at="2026-03-01T10:00:00Z", price="1.00"))
    shop.refresh_silver()
    with closing(refresh_gold(shop.lake, tables=GOLD, run="ahead")) as outcomes:
        next(outcomes)
        wait_until(lambda: shop.read(GOLD_TOP_USERS) != [], what="the last table, while the first is dealt with")
