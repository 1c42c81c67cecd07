"""From generated events to Gold, as a user goes: up, generate, drain, read."""

import psutil  # type: ignore[import-untyped]
import pytest

from shoplake_assets.events.generator import Fate
from shoplake_assets_tests.oracle import Row
from shoplake_assets_tests.product.conftest import Product
from shoplake_assets_tests.product.whole.conftest import COUNT

pytestmark = [pytest.mark.spark, pytest.mark.product]


def in_order(rows: list[Row]) -> list[Row]:
    """The rows in an order that depends on their values only."""
    return sorted(rows, key=lambda row: [f"{name}={row[name]}" for name in sorted(row)])


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
