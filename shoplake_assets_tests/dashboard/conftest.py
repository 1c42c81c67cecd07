"""What the tests of the dashboard share: a real lake in a folder of its own, written by pyiceberg."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyiceberg.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import POSITION
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
)

Append = Callable[..., None]

SCRIPT = "<script>alert('lamp')</script>"


def hour(day: int, number: int) -> datetime:
    """An hour of March 2026."""
    return datetime(2026, 3, day, number, tzinfo=UTC)


def sales(purchases: int, units: int, revenue: str) -> dict[str, Any]:
    """The columns that all tables of sales have."""
    return {"purchases": purchases, "units": units, "revenue": Decimal(revenue)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A lake that does not exist yet."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def append(settings: Settings) -> Append:
    """Makes the lake's tables and appends rows to them."""
    prepare_lake(settings)
    catalog = open_catalog(settings)

    def into(name: str, rows: list[dict[str, Any]], *, position: str = "{}") -> None:
        table = unpartitioned(catalog.load_table(name))
        table.append(
            pa.Table.from_pylist(rows, schema=table.schema().as_arrow()), snapshot_properties={POSITION: position}
        )

    return into


@pytest.fixture
def shop(append: Append) -> Append:
    """A small shop's Gold: five hours of two days, the newest of which is 2026-03-02 12:00."""
    append(
        GOLD_HOURLY_SALES,
        [
            _hour_of(hour(1, 12), sales(1, 1, "1000.10"), events=10),
            _hour_of(hour(1, 13), sales(1, 2, "0.20"), events=20),
            _hour_of(hour(1, 23), sales(0, 0, "0.00"), events=30),
            _hour_of(hour(2, 9), sales(2, 3, "33.33"), events=40),
            _hour_of(hour(2, 12), sales(1, 1, "66.67"), events=50),
        ],
        position='{"topic": {"0": 1500, "1": 7}}',
    )
    append(
        GOLD_HOURLY_FUNNEL,
        [
            {"event_hour": hour(1, 12), "viewed": 900, "added": 800, "purchased": 700},
            {"event_hour": hour(1, 13), "viewed": 8, "added": 3, "purchased": 1},
            {"event_hour": hour(2, 12), "viewed": 1, "added": 1, "purchased": 2},
        ],
    )
    append(
        GOLD_PRODUCT_HOURLY,
        [
            _product_hour(hour(1, 12), "toys", sales(1, 1, "1000.10")),
            _product_hour(hour(1, 13), "home", sales(1, 2, "0.20")),
            _product_hour(hour(1, 23), "garden", sales(0, 0, "0.00")),
            _product_hour(hour(2, 9), "home", sales(2, 3, "33.33")),
            _product_hour(hour(2, 12), "toys", sales(1, 1, "66.67")),
        ],
    )
    append(
        GOLD_CATEGORY_SALES,
        [
            {"event_date": date(2026, 3, 1), "category": "toys", **sales(1, 1, "1000.10")},
            {"event_date": date(2026, 3, 1), "category": "home", **sales(1, 2, "0.20")},
            {"event_date": date(2026, 3, 1), "category": "garden", **sales(0, 0, "0.00")},
            {"event_date": date(2026, 3, 2), "category": "home", **sales(2, 3, "33.33")},
            {"event_date": date(2026, 3, 2), "category": "toys", **sales(1, 1, "66.67")},
        ],
    )
    append(
        GOLD_USER_HOURLY,
        [
            {"event_hour": hour(1, 12), "user_id": "u9", **sales(1, 1, "1000.10")},
            {"event_hour": hour(1, 13), "user_id": "u1", **sales(1, 2, "0.20")},
            {"event_hour": hour(2, 9), "user_id": "u1", **sales(2, 3, "33.33")},
            {"event_hour": hour(2, 12), "user_id": "u2", **sales(1, 1, "66.67")},
        ],
    )
    append(
        GOLD_TOP_PRODUCTS,
        [
            _top("24h", 1, sales(1, 1, "66.67"), product_id="p2", product_name=None, category="toys"),
            _top("24h", 2, sales(2, 3, "33.33"), product_id="p1", product_name=SCRIPT, category="home"),
            _top("24h", 3, sales(1, 2, "0.20"), product_id="p3", product_name=SCRIPT, category="home"),
            _top("all", 1, sales(2, 2, "1066.77"), product_id="p2", product_name=None, category="toys"),
        ],
    )
    append(
        GOLD_TOP_USERS,
        [
            _top("24h", 1, sales(1, 1, "66.67"), user_id="u2"),
            _top("24h", 2, sales(3, 5, "33.53"), user_id="u1"),
            _top("all", 1, sales(1, 1, "1000.10"), user_id="u9"),
        ],
    )
    return append


def _hour_of(event_hour: datetime, sold: dict[str, Any], *, events: int) -> dict[str, Any]:
    return {"event_hour": event_hour, "events": events, "buyers": 0, "sessions": 0, "average_order_value": None, **sold}


def _product_hour(event_hour: datetime, category: str, sold: dict[str, Any]) -> dict[str, Any]:
    fact = {"event_hour": event_hour, "category": category, "product_id": category, "product_name": None}
    return {**fact, "views": 1, "carts": 0, **sold}


def _top(window: str, rank: int, sold: dict[str, Any], **who: str | None) -> dict[str, Any]:
    return {"window": window, "rank": rank, **who, **sold}


def unpartitioned(table: Table) -> Table:
    """Without its partitions: pyiceberg needs one more package to write them, and the dashboard reads both alike."""
    if not table.spec().is_unpartitioned():
        with table.update_spec() as update:
            for field in table.spec().fields:
                update.remove_field(field.name)
    return table
