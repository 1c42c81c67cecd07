"""Hostile payloads through the real refresh: each has its fate, none stops it, and no accepted text is changed."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests import oracle
from shoplake_assets_tests.building import Fates, Shop, purchase
from shoplake_assets_tests.embedded import empty_lake
from shoplake_assets_tests.hostile import CONFLICTS, CORPUS, PARTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

NAMES = tuple(CORPUS)
ACCEPTED = tuple(name for name, (_, fate) in CORPUS.items() if fate == "silver")
REJECTED = tuple(name for name, (_, fate) in CORPUS.items() if fate == "quarantine")
REPEATED = tuple(name for name, (_, fate) in CORPUS.items() if fate == "duplicate")
# Of every 20 records one may be rejected.
GOOD = 19 * len(REJECTED)
# Fewer rejected records than 20 block no refresh, however large their share is.
GROUP = 19
PATIENCE_SECONDS = 60.0

TEXTS = ("event_id", "user_id", "session_id", "product_id", "product_name", "category")
# What is not plain text in the payload, or is there twice.
READ: Mapping[str, Mapping[str, Any]] = {
    "a price twice": {"price": Decimal("2.00"), "price_defaulted": False},
    "a price, then null": {"price": Decimal("0.00"), "price_defaulted": True},
    "keys that differ by case": {"price": Decimal("1.00")},
    "a key with a point": {"price": Decimal("10.00"), "user_id": "u1"},
    "a key that other languages inherit from": {"price": Decimal("10.00")},
    "no key but those needed": {"price": Decimal("0.00"), "quantity": 1, "price_defaulted": True},
    "the first": {"price": Decimal("4.00"), "user_id": "first", "event_type": "purchase"},
    "free": {"price": Decimal("0.00"), "price_defaulted": False},
    "mended": {"quantity": 2},
    "price in tens": {"price": Decimal("10.00")},
    "price in tens as text": {"price": Decimal("10.00")},
    "price as text": {"price": Decimal("10.50")},
    "price minus zero": {"price": Decimal("0.00")},
    "price at the top": {"price": Decimal("10000000.00")},
    "quantity 1e0": {"quantity": 1},
    "quantity 2.0": {"quantity": 2},
    "id of 23 digits": {"event_id": "10000000000000000000001"},
    "synonym": {"event_type": "view_item"},
    "first moment at +14:00": {"event_time": datetime(2000, 1, 1, tzinfo=UTC)},
    "first moment at -12:00": {"event_time": datetime(2000, 1, 1, tzinfo=UTC)},
    "last moment at +05:30": {"event_time": datetime(2026, 6, 1, 0, 15, tzinfo=UTC)},
    "+05:45": {"event_time": datetime(2026, 3, 1, 10, tzinfo=UTC)},
    "-00:00": {"event_time": datetime(2026, 3, 1, 10, tzinfo=UTC)},
    "lower case": {"event_time": datetime(2026, 3, 1, 10, tzinfo=UTC)},
    "an hour that summer time leaves out": {"event_time": datetime(2026, 3, 29, 1, 30, tzinfo=UTC)},
    "an hour that comes twice": {"event_time": datetime(2025, 10, 26, 0, 30, tzinfo=UTC)},
    "the same hour again": {"event_time": datetime(2025, 10, 26, 1, 30, tzinfo=UTC)},
    "leap day": {"event_time": datetime(2024, 2, 29, 10, tzinfo=UTC)},
    "first second": {"event_time": datetime(2000, 1, 1, tzinfo=UTC)},
    "first millisecond": {"event_time": datetime(2000, 1, 1, tzinfo=UTC)},
    "seconds in tens": {"event_time": datetime(2026, 3, 1, 10, tzinfo=UTC)},
}


@dataclass(frozen=True)
class Outcome:
    """What the tables hold after the refresh; `silver` and `quarantine` have the hostile ones' rows by name."""

    silver: Mapping[str, Mapping[str, Any]]
    quarantine: Mapping[str, Mapping[str, Any]]
    fates: Fates
    conflicts: int
    events: list[dict[str, Any]]
    gold: Mapping[str, list[dict[str, Any]]]

    def fate(self, name: str) -> set[str]:
        """Where the payload ended; a duplicate is what ended nowhere."""
        held = {"silver": self.silver, "quarantine": self.quarantine}
        return {fate for fate, rows in held.items() if name in rows} or {"duplicate"}


def look(shop: Shop) -> Outcome:
    events, quarantine = shop.read(SILVER_EVENTS), shop.read(SILVER_QUARANTINE)
    return Outcome(
        silver={NAMES[row["offset"]]: row for row in events if row["partition"] == 0},
        quarantine={NAMES[row["offset"]]: row for row in quarantine if row["partition"] == 0},
        fates=shop.fates(),
        conflicts=shop.conflicts(),
        events=events,
        gold={table: shop.read(table) for table in GOLD},
    )


@pytest.fixture(scope="module")
def outcome(stack: Settings, spark: "SparkSession") -> Outcome:
    """All hostile payloads in one batch, among enough good ones that the refresh is not blocked."""
    empty_lake(stack)
    shop = Shop(Lake(open_catalog(stack), spark))
    shop.produce(*(purchase(event_id=f"good {number}", price="9.99") for number in range(GOOD)), partition=1)
    shop.produce(*(payload for payload, _ in CORPUS.values()))
    shop.refresh()
    return look(shop)


def test_no_hostile_payload_hides_another_of_its_name() -> None:
    assert len(CORPUS) == sum(len(part) for part in PARTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_payload_has_its_fate(name: str, outcome: Outcome) -> None:
    assert outcome.fate(name) == {CORPUS[name][1]}


def test_among_good_events_nothing_is_lost_or_counted_twice(outcome: Outcome) -> None:
    assert outcome.fates == Fates(silver=GOOD + len(ACCEPTED), quarantine=len(REJECTED), duplicates=len(REPEATED))
    assert sum(event["event_id"].startswith("good ") for event in outcome.events) == GOOD
    assert outcome.conflicts == len(CONFLICTS)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_is_what_the_payload_said(name: str, outcome: Outcome) -> None:
    said = json.loads(CORPUS[name][0] or b"")
    row = outcome.silver[name]
    texts = {field: said.get(field) for field in TEXTS}
    assert {field: row[field] for field in TEXTS} == {
        field: str(value) if isinstance(value, int) else value for field, value in texts.items()
    }
    read = READ.get(name, {})
    assert {field: row[field] for field in read} == read


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_rejected_is_kept_byte_for_byte(name: str, outcome: Outcome) -> None:
    row = outcome.quarantine[name]
    assert row["payload"] == CORPUS[name][0]
    assert row["reasons"]


def test_gold_is_what_plain_python_makes_of_the_accepted_events(outcome: Outcome) -> None:
    expected = oracle.gold(outcome.events)
    for table in GOLD:
        assert outcome.gold[table] == expected[table], table


def test_a_few_hostile_payloads_and_nothing_else_stop_no_refresh(shop: Shop) -> None:
    for first in range(0, len(NAMES), GROUP):
        group = NAMES[first : first + GROUP]
        shop.produce(*(CORPUS[name][0] for name in group))
        began = time.monotonic()
        try:
            shop.refresh_silver()
        except Exception as error:
            error.add_note(f"The refresh had {', '.join(group)}.")
            raise
        assert time.monotonic() - began < PATIENCE_SECONDS, group
    shop.refresh()
    outcome = look(shop)
    assert {name: outcome.fate(name) for name in NAMES} == {name: {fate} for name, (_, fate) in CORPUS.items()}
    assert outcome.fates == Fates(silver=len(ACCEPTED), quarantine=len(REJECTED), duplicates=len(REPEATED))
    assert outcome.conflicts == len(CONFLICTS)
