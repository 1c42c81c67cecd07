"""What the tests of health share: a real lake that pyiceberg fills, and ports on which nobody listens."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.lake.conftest import FIRST_TIME

if TYPE_CHECKING:
    from pyiceberg.table import Table

Load = Callable[[str], "Table"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A lake that does not exist yet."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def lake(settings: Settings) -> Settings:
    """A lake with its tables, of which no process runs."""
    prepare_lake(settings)
    choose_free_ports(settings)
    return Settings(home=settings.home)


@pytest.fixture
def load(lake: Settings) -> Load:
    """Loads a table of the lake, as it is now."""
    return open_catalog(lake).load_table


def quarantine(load: Load, *payloads: bytes, reason: str) -> None:
    """Add records to the quarantine."""
    table = load(SILVER_QUARANTINE)
    rows = [
        {
            "topic_id": TOPIC_ID,
            "partition": 0,
            "offset": offset,
            "kafka_timestamp": FIRST_TIME,
            "key": None,
            "payload": payload,
            "reasons": [reason],
            "quarantined_at": FIRST_TIME,
        }
        for offset, payload in enumerate(payloads)
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
