"""From generated events to Gold, as a user goes: up, generate, drain, read, down, up again."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import psutil  # type: ignore[import-untyped]
import pytest

from shoplake_assets.events.generator import Fate, Mishaps
from shoplake_assets.events.traffic import Plan
from shoplake_assets_tests.oracle import Event, Row, gold
from shoplake_assets_tests.product.conftest import Product

pytestmark = [pytest.mark.spark, pytest.mark.product]

COUNT = 5_000
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def records() -> dict[Fate, list[bytes]]:
    """What the generator is going to send, by the fate that it is meant to have."""
    mishaps = Mishaps(late=0.05, duplicate=0.05, bad=0.02)
    plan = Plan(seed=11, mishaps=mishaps, start=START.timestamp(), rate=None, count=COUNT)
    by_fate: dict[Fate, list[bytes]] = {fate: [] for fate in Fate}
    for record in plan.records():
        by_fate[record.fate].append(record.value)
    return by_fate


@pytest.fixture(scope="module")
def expected(records: dict[Fate, list[bytes]]) -> dict[str, list[Row]]:
    """What every Gold table must hold, computed in plain Python from the payloads that were sent."""
    return gold(event_of(payload) for payload in records[Fate.SILVER])


def event_of(payload: bytes) -> Event:
    """A good payload as the oracle takes it; money stays the digits that were sent."""
    event = json.loads(payload, parse_float=Decimal)
    price = Decimal(event.get("price") or 0)
    time = datetime.fromisoformat(event["event_time"]).astimezone(UTC)
    return {"product_name": None, "category": None, "quantity": 1, **event, "event_time": time, "price": price}


def in_order(rows: list[Row]) -> list[Row]:
    """The rows in an order that depends on their values only."""
    return sorted(rows, key=lambda row: [f"{name}={row[name]}" for name in sorted(row)])


@pytest.fixture(scope="module")
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


def test_every_event_ends_where_it_was_meant_to(drained: Product, records: dict[Fate, list[bytes]]) -> None:
    tables = drained.json("status")["tables"]
    assert tables["bronze.events"]["rows"] == COUNT
    assert tables["silver.events"]["rows"] == len(records[Fate.SILVER])
    assert tables["silver.quarantine"]["rows"] == len(records[Fate.QUARANTINE])
    assert min(len(payloads) for payloads in records.values()) > 0
    assert {table["lag_events"] for table in tables.values()} == {0}


def test_every_gold_table_equals_the_totals_computed_from_the_events(
    drained: Product, expected: dict[str, list[Row]]
) -> None:
    assert len(expected) == 7
    for table, rows in expected.items():
        assert in_order(drained.read(table)) == in_order(rows), table


def test_status_tells_programs_all_they_need(drained: Product) -> None:
    status = drained.json("status")
    assert {name: process["state"] for name, process in status["processes"].items()} == dict.fromkeys(
        ("kafka", "spark", "ingest", "code-server", "webserver", "daemon", "dashboard"), "running"
    )
    for process in status["processes"].values():
        assert process.keys() == {"pid", "state", "since", "restarts"}
        assert process["restarts"] == 0
    assert status["kafka"]["topic"] == "shop-events"
    assert status["tables"]["silver.events"].keys() == {
        "rows",
        "snapshot_id",
        "position",
        "lag_events",
        "lag_seconds",
        "newest_event_time",
    }


def test_what_refreshes_gives_way_to_what_takes_in(drained: Product) -> None:
    pids = {name: process["pid"] for name, process in drained.json("status")["processes"].items()}
    nice = {name: psutil.Process(pid).nice() for name, pid in pids.items()}
    assert nice["spark"] == nice["code-server"] > nice["ingest"] == nice["kafka"]


def test_down_and_up_and_drain_change_no_number(drained: Product) -> None:
    before = drained.numbers()
    drained.run("down")
    drained.run("up", "-d", "--no-generator", "--ports", "auto")
    drained.run("drain")
    assert drained.numbers() == before
