"""What the tests of the commands share: a real lake on a machine where nothing runs, and records for its quarantine."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import snapshot_id_of
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.table import Table

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A prepared lake, and a machine on which nothing runs."""
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "lake"))
    settings = Settings(home=tmp_path / "lake")
    prepare_lake(settings)
    choose_free_ports(settings)
    return settings


@pytest.fixture
def table(lake: Settings) -> "Table":
    """Its quarantine, empty."""
    return open_catalog(lake).load_table(SILVER_QUARANTINE)


def record(offset: int, *reasons: str, payload: bytes | None = b"{}", **fields: Any) -> dict[str, Any]:
    """A quarantined record; the higher its offset, the later it came."""
    return {
        "topic_id": TOPIC_ID,
        "partition": 0,
        "offset": offset,
        "kafka_timestamp": NOON + timedelta(seconds=offset),
        "key": None,
        "payload": payload,
        "reasons": list(reasons),
        "quarantined_at": NOON,
        **fields,
    }


def put(table: "Table", records: Iterable[dict[str, Any]], *, branch: str = "main") -> None:
    """Add the records in one commit, as a refresh does."""
    table.append(pa.Table.from_pylist(list(records), schema=table.schema().as_arrow()), branch=branch)


def put_on_branch(table: "Table", branch: str, *records: dict[str, Any], in_place_of_all: bool = False) -> None:
    """Do what a refresh does that is not published: add the records on a branch, or replace all that was there."""
    table.manage_snapshots().create_branch(snapshot_id_of(table), branch).commit()
    if in_place_of_all:
        table.overwrite(pa.Table.from_pylist(list(records), schema=table.schema().as_arrow()), branch=branch)
    else:
        put(table, records, branch=branch)
