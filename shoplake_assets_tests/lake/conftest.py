"""What the tests of the lake share that need no JVM: a real Iceberg lake in a fresh folder, filled by pyiceberg."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.building import TOPIC_ID

if TYPE_CHECKING:
    from pyiceberg.table import Table

FIRST_TIME = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def own_lake(tmp_path: Path) -> Settings:
    """A prepared lake that shares nothing with the stack."""
    settings = Settings(home=tmp_path / "lake")
    prepare_lake(settings)
    return settings


@pytest.fixture
def bronze(own_lake: Settings) -> "Table":
    """Its empty Bronze."""
    return open_catalog(own_lake).load_table(BRONZE_EVENTS)


def commit(bronze: "Table", offsets: range, *, partition: int = 0, topic: str = TOPIC_ID) -> int:
    """Commit one record for each offset, a second apart, as the stream would; give the snapshot's id."""
    rows = [
        {
            "topic": "shop-events",
            "topic_id": topic,
            "partition": partition,
            "offset": offset,
            "kafka_timestamp": FIRST_TIME + timedelta(seconds=offset),
            "key": None,
            "payload": b"{}",
            "headers": [{"key": "source", "value": b"test"}],
            "ingested_at": FIRST_TIME,
        }
        for offset in offsets
    ]
    bronze.append(pa.Table.from_pylist(rows, schema=bronze.schema().as_arrow()))
    snapshot = bronze.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id
