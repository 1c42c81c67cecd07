"""The product that the tests of this package share, and what it has been sent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shoplake_assets.events.generator import Fate, Mishaps
from shoplake_assets.events.traffic import Plan
from shoplake_assets_tests.oracle import Event, Row, gold
from shoplake_assets_tests.product.conftest import Product, started

COUNT = 5_000
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The one product of this package; a start takes longer than most of its tests."""
    with started(tmp_path_factory.mktemp("whole") / "home") as product:
        yield product


@pytest.fixture(scope="package")
def records() -> dict[Fate, list[bytes]]:
    """What the generator is going to send, by the fate that it is meant to have."""
    mishaps = Mishaps(late=0.05, duplicate=0.05, bad=0.02)
    plan = Plan(seed=11, mishaps=mishaps, start=START.timestamp(), rate=None, count=COUNT)
    by_fate: dict[Fate, list[bytes]] = {fate: [] for fate in Fate}
    for record in plan.records():
        by_fate[record.fate].append(record.value)
    return by_fate


@pytest.fixture(scope="package")
def expected(records: dict[Fate, list[bytes]]) -> dict[str, list[Row]]:
    """What every Gold table must hold, computed in plain Python from the payloads that were sent."""
    return gold(event_of(payload) for payload in records[Fate.SILVER])


def event_of(payload: bytes) -> Event:
    """A good payload as the oracle takes it; money stays the digits that were sent."""
    event = json.loads(payload, parse_float=Decimal)
    price = Decimal(event.get("price") or 0)
    time = datetime.fromisoformat(event["event_time"]).astimezone(UTC)
    return {"product_name": None, "category": None, "quantity": 1, **event, "event_time": time, "price": price}


@pytest.fixture(scope="package")
def drained(product: Product) -> Product:
    """The product after the events have been sent and have arrived."""
    product.run(
        *("generate", "--rate", "0", "--count", str(COUNT), "--seed", "11", "--start", f"{START:%Y-%m-%dT%H:%M:%SZ}"),
        *("--late-rate", "0.05", "--duplicate-rate", "0.05", "--bad-rate", "0.02"),
    )
    summary = product.json("drain")
    assert summary["drained"]
    assert summary["events"] == COUNT
    return product
