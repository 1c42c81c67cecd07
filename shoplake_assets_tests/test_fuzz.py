"""The fuzz is what property tests and the product's test rely on: deterministic, of all kinds, a third of it valid."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings

from shoplake_assets_tests.fuzz import fuzzed, payloads

COUNT = 20_000
KINDS = ("plain", "odd", "not an object", "not JSON", "not UTF-8")


def kind(payload: bytes) -> str:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    try:
        event = json.loads(text)
    except ValueError:
        return "not JSON"
    if not isinstance(event, dict):
        return "not an object"
    return "plain" if is_plain(event) else "odd"


def is_plain(event: dict[str, Any]) -> bool:
    """Whether nobody could say anything against it; some that are valid are not plain."""
    try:
        ids = [event[name] for name in ("event_id", "user_id", "product_id")]
        time = datetime.fromisoformat(event["event_time"])
        sure = event["event_type"] in ("view_item", "add_to_cart", "purchase")
        price, quantity = event["price"], event["quantity"]
        texts = [event[name] for name in ("session_id", "product_name", "category")]
    except (KeyError, TypeError, ValueError):
        return False
    return (
        sure
        and all(isinstance(name, str) and name.isalnum() and len(name) <= 128 for name in ids)
        and all(text is None or (isinstance(text, str) and len(text) <= 128) for text in texts)
        and (
            time.utcoffset() is not None and datetime(2025, 3, 1, tzinfo=UTC) <= time < datetime(2025, 3, 3, tzinfo=UTC)
        )
        and (price is None or (isinstance(price, float) and 0 <= price < 1000))
        and (type(quantity) is int and 1 <= quantity < 100)
    )


def test_the_fuzz_is_the_same_for_a_seed_and_another_for_another() -> None:
    once = fuzzed(2000, seed=1)
    assert fuzzed(2000, seed=1) == once
    assert fuzzed(2000, seed=2) != once
    assert len(once) == 2000


def test_the_fuzz_is_of_all_kinds_and_a_third_of_it_is_valid() -> None:
    made = fuzzed(COUNT, seed=3)
    kinds = Counter(map(kind, made))
    assert kinds.total() == COUNT
    assert 0.25 < kinds["plain"] / COUNT < 0.4
    assert all(kinds[name] / COUNT > 0.02 for name in KINDS)
    assert 0.02 < 1 - len(set(made)) / COUNT < 0.1
    plain = [json.loads(payload) for payload in set(made) if kind(payload) == "plain"]
    prices: dict[str, set[object]] = {}
    for event in plain:
        prices.setdefault(event["event_id"], set()).add(event["price"])
    assert any(len(found) > 1 for found in prices.values())


def test_hypothesis_throws_all_kinds_as_well() -> None:
    found: set[str] = set()

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(payloads())
    def look(payload: bytes) -> None:
        found.add(kind(payload))

    look()
    assert found == set(KINDS)
