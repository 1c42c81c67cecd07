"""Which files of Silver the page "Live" reads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import Table

from shoplake_assets.dashboard.live.recent import Recent, RecentEvents
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import NEWEST_EVENT, NEWEST_RECORD, POSITION
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_EVENTS
from shoplake_assets_tests.dashboard.conftest import unpartitioned

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Silver:
    """A real `silver.events`, filled as a refresh does it."""

    def __init__(self, settings: Settings) -> None:
        prepare_lake(settings)
        self._catalog = open_catalog(settings)
        self._made = unpartitioned(self._catalog.load_table(SILVER_EVENTS))

    @property
    def table(self) -> Table:
        """The table as of now."""
        return self._catalog.load_table(SILVER_EVENTS)

    def publish(self, *rows: dict[str, Any], newest: datetime, arrived: datetime | None = None) -> None:
        """Add rows in one commit that says how far it reaches."""
        says = {POSITION: '{"t": {"0": 1}}', NEWEST_EVENT: newest.isoformat()}
        says[NEWEST_RECORD] = (arrived or newest).isoformat()
        made = self.table
        made.append(pa.Table.from_pylist(list(rows), schema=made.schema().as_arrow()), snapshot_properties=says)


def row(event_id: str, at: datetime, kind: str = "view_item") -> dict[str, Any]:
    """A row of Silver."""
    return {
        "event_id": event_id,
        "event_time": at,
        "event_type": kind,
        "user_id": event_id,
        "session_id": "s",
        "product_id": "p",
        "product_name": None,
        "category": None,
        "price": Decimal("1.00"),
        "quantity": 1,
        "price_defaulted": False,
        "topic_id": "t",
        "partition": 0,
        "offset": 1,
        "kafka_timestamp": at,
    }


@pytest.fixture
def silver(settings: Settings) -> Silver:
    """An empty Silver."""
    return Silver(settings)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each scan has read."""
    counted: list[int] = []
    whole = ArrowScan.to_table

    def counting(scan: ArrowScan, tasks: Any) -> pa.Table:
        tasks = list(tasks)
        counted.append(len(tasks))
        return whole(scan, tasks)

    monkeypatch.setattr(ArrowScan, "to_table", counting)
    return counted


def ids(found: Recent | None) -> set[str]:
    assert found is not None
    return set(found.rows["user_id"].to_pylist())


def test_only_files_that_are_new_are_read_and_what_is_over_is_forgotten(silver: Silver, read: list[int]) -> None:
    recent = RecentEvents()
    assert recent.of(silver.table) is None

    silver.publish(row("old", NOON - timedelta(hours=5)), newest=NOON)
    silver.publish(row("a", NOON), row("bought", NOON, "purchase"), newest=NOON)
    assert ids(recent.of(silver.table)) == {"a", "bought"}
    assert ids(recent.of(silver.table)) == {"a", "bought"}
    assert read == [1]

    silver.publish(row("b", NOON + timedelta(minutes=10)), newest=NOON + timedelta(minutes=10))
    assert ids(recent.of(silver.table)) == {"a", "bought", "b"}
    silver.publish(row("c", NOON + timedelta(minutes=20)), newest=NOON + timedelta(minutes=20))
    assert ids(recent.of(silver.table)) == {"bought", "b", "c"}
    assert read == [1, 1, 1]


def test_files_of_another_writer_are_put_together_with_what_is_known(
    silver: Silver, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = RecentEvents()
    silver.publish(row("a", NOON), newest=NOON)
    assert ids(recent.of(silver.table)) == {"a"}
    whole = ArrowScan.to_table

    def as_spark_writes(scan: ArrowScan, tasks: Any) -> pa.Table:
        found = whole(scan, tasks)
        short = [field.with_type(pa.string()) if field.type == pa.large_string() else field for field in found.schema]
        return found.cast(pa.schema(short))

    monkeypatch.setattr(ArrowScan, "to_table", as_spark_writes)
    silver.publish(row("b", NOON), newest=NOON)
    assert ids(recent.of(silver.table)) == {"a", "b"}
    silver.publish(row("old", NOON - timedelta(hours=5)), newest=NOON)
    assert ids(recent.of(silver.table)) == {"a", "b"}


def test_a_table_that_was_set_back_is_read_anew(silver: Silver) -> None:
    recent = RecentEvents()
    silver.publish(row("a", NOON), newest=NOON)
    before = silver.table.current_snapshot()
    assert before is not None
    silver.publish(row("b", NOON + timedelta(minutes=40)), newest=NOON + timedelta(minutes=40))
    assert ids(recent.of(silver.table)) == {"b"}
    silver.table.manage_snapshots().set_current_snapshot(before.snapshot_id).commit()
    assert ids(recent.of(silver.table)) == {"a"}


def test_a_fast_clock_does_not_move_what_counts_as_now(silver: Silver) -> None:
    fast = NOON + timedelta(minutes=14)
    silver.publish(row("fast", fast), row("a", NOON), newest=fast, arrived=NOON)
    found = RecentEvents().of(silver.table)
    assert found is not None
    assert found.now == NOON


def test_an_event_of_the_millisecond_of_its_arrival_is_the_newest(silver: Silver) -> None:
    at = NOON + timedelta(microseconds=789)
    silver.publish(row("a", at), newest=at, arrived=NOON)
    found = RecentEvents().of(silver.table)
    assert found is not None
    assert found.now == at
