"""Synthetic shoppers."""

import json
from collections import Counter
from decimal import Decimal
from itertools import islice

import pytest

from shoplake_assets.events.day import over_a_day, steady
from shoplake_assets.events.generator import Fate, Generated, Mishaps, generate
from shoplake_assets.events.malformed import WAYS

START = 1_772_323_200.0  # 2026-03-01T00:00:00Z
MISHAPS = Mishaps(late=0.02, duplicate=0.03, bad=0.01)


def records(count: int, *, seed: int = 7, start: float = START, mishaps: Mishaps = MISHAPS) -> list[Generated]:
    return list(generate(islice(steady(start=start, rate=50.0), count), seed=seed, rate=50.0, mishaps=mishaps))


@pytest.fixture(scope="module")
def many() -> list[Generated]:
    return list(generate(over_a_day(start=START, events=20_000), seed=7, rate=0.5, mishaps=MISHAPS))


def events(of: list[Generated]) -> list[dict[str, object]]:
    return [json.loads(record.value, parse_float=Decimal) for record in of if record.fate is Fate.SILVER]


def test_the_same_seed_and_start_give_the_same_records() -> None:
    assert records(500) == records(500)
    assert records(500) != records(500, seed=8)


def test_a_restarted_generator_makes_new_ids() -> None:
    first = {event["event_id"] for event in events(records(500))}
    second = {event["event_id"] for event in events(records(500, start=START + 1))}
    assert not first & second


def test_mishaps_come_at_the_set_rates(many: list[Generated]) -> None:
    fates = Counter(record.fate for record in many)
    assert 450 < fates[Fate.DUPLICATE] < 700
    assert 140 < fates[Fate.QUARANTINE] < 270
    assert 310 < sum(record.late for record in many) < 490


def test_without_mishaps_every_record_is_for_silver() -> None:
    clean = records(2_000, mishaps=Mishaps(late=0, duplicate=0, bad=0))
    assert {record.fate for record in clean} == {Fate.SILVER}
    assert len({event["event_id"] for event in events(clean)}) == 2_000


def test_a_duplicate_repeats_an_earlier_record_byte_for_byte(many: list[Generated]) -> None:
    seen: set[tuple[bytes, bytes]] = set()
    for record in many:
        if record.fate is Fate.DUPLICATE:
            assert (record.key, record.value) in seen
        seen.add((record.key, record.value))
    assert len({event["event_id"] for event in events(many)}) == len(events(many))


def test_late_events_are_hours_behind_and_others_on_time() -> None:
    from datetime import datetime

    for record in records(5_000):
        if record.fate is Fate.SILVER:
            behind = record.at - datetime.fromisoformat(json.loads(record.value)["event_time"]).timestamp()
            assert (3_600 <= behind <= 86_401) if record.late else (0 <= behind < 0.01)


def test_a_product_keeps_its_name_category_and_price(many: list[Generated]) -> None:
    facts: dict[object, set[tuple[object, object]]] = {}
    prices: dict[object, set[object]] = {}
    for event in events(many):
        facts.setdefault(event["product_id"], set()).add((event["product_name"], event["category"]))
        if event["price"] is not None:
            prices.setdefault(event["product_id"], set()).add(event["price"])
    assert {len(of) for of in facts.values()} == {1}
    assert {len(of) for of in prices.values()} == {1}


def test_popularity_has_a_long_tail(many: list[Generated]) -> None:
    views = Counter(event["product_id"] for event in events(many) if event["event_type"] == "view_item")
    ranked = [count for _, count in views.most_common()]
    assert sum(ranked[:20]) > 0.3 * sum(ranked)
    assert len(ranked) > 700


def test_shoppers_view_before_they_add_and_add_before_they_buy() -> None:
    done: dict[object, set[tuple[object, object]]] = {}
    for event in events(records(20_000, mishaps=Mishaps(late=0, duplicate=0, bad=0))):
        before = done.setdefault(event["session_id"], set())
        product = event["product_id"]
        if event["event_type"] == "add_to_cart":
            assert ("view_item", product) in before
        if event["event_type"] == "purchase":
            assert ("add_to_cart", product) in before
        before.add((event["event_type"], product))


def test_fewer_buy_than_add_and_fewer_add_than_view(many: list[Generated]) -> None:
    types = Counter(event["event_type"] for event in events(many))
    assert types["view_item"] > 4 * types["add_to_cart"] > 4 * types["purchase"] > 0


def test_evenings_are_busier_than_nights() -> None:
    hours = Counter(int((at - START) // 3_600) for at in over_a_day(start=START, events=10_000))
    assert sum(hours.values()) == 10_000
    assert set(hours) == set(range(24))
    assert hours[20] > 5 * hours[3]


def test_a_day_that_starts_within_an_hour_is_a_whole_day() -> None:
    arrivals = list(over_a_day(start=START + 1_234.5, events=1_000))
    assert arrivals == sorted(arrivals)
    assert arrivals[0] > START + 1_234.5
    assert arrivals[-1] < START + 1_234.5 + 86_400


def test_a_payload_weighs_about_what_the_design_reckons_with(many: list[Generated]) -> None:
    assert 210 < sum(len(record.value) for record in many) / len(many) < 260


def test_every_way_to_break_an_event_changes_it() -> None:
    value = records(1, mishaps=Mishaps(late=0, duplicate=0, bad=0))[0].value
    broken = {name: way(value) for name, way in WAYS.items()}
    assert len({value, *broken.values()}) == len(WAYS) + 1
