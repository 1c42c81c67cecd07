"""Which snapshots the dashboard reads."""

from collections import Counter
from datetime import UTC
from typing import Any

import pytest
from pyiceberg.table import DataScan, Table

from shoplake_assets.dashboard.data import LakeReader
from shoplake_assets.dashboard.insights.page import changes
from shoplake_assets.dashboard.insights.panels import PANELS
from shoplake_assets.dashboard.page import Request
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, GOLD, GOLD_HOURLY_SALES, GOLD_TOP_USERS
from shoplake_assets_tests.dashboard.conftest import Append, hour, sales


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the scans of each table."""
    counted: Counter[str] = Counter()
    scan = Table.scan

    def counting(table: Table, **how: Any) -> DataScan:
        counted[".".join(table.name())] += 1
        return scan(table, **how)

    monkeypatch.setattr(Table, "scan", counting)
    return counted


def refresh(reader: LakeReader, shown: dict[str, str], *, window: str = "24h") -> dict[str, Any]:
    asked = Request(search=f"?window={window}", zone=UTC, shown=shown)
    return changes(reader.look(), request=asked, currency="USD")


def test_a_snapshot_is_read_once_and_only_a_changed_table_again(
    settings: Settings, shop: Append, scans: Counter[str]
) -> None:
    reader = LakeReader(lambda: open_catalog(settings))
    first = refresh(reader, {})
    # The days of the categories are read, and of the day that counts in part the hours.
    assert scans == dict.fromkeys(GOLD, 1)
    refresh(reader, {})  # A second viewer.
    assert refresh(reader, first["shown"]) == {}
    assert scans == dict.fromkeys(GOLD, 1)

    shop(GOLD_TOP_USERS, [{"window": "24h", "rank": 3, "user_id": "u3"} | sales(1, 1, "0.01")])
    scans.clear()
    again = refresh(reader, first["shown"])
    assert scans == {GOLD_TOP_USERS: 1}
    assert {name.split("-")[0] for name in again if "-" in name} == {"users"}
    assert "tiles" not in again


@pytest.mark.usefixtures("shop")
def test_what_a_viewer_is_choosing_with_is_not_replaced_by_its_own_choice(settings: Settings) -> None:
    view = LakeReader(lambda: open_catalog(settings)).look()

    def sent(search: str, *, shown: dict[str, str], chosen: str | None) -> dict[str, Any]:
        asked = Request(search=search, zone=UTC, shown=shown, states={"chosen": chosen})
        return changes(view, request=asked, currency="USD")

    first = sent("", shown={}, chosen=None)
    assert {"windows", "inputs"} <= first.keys()
    typed = sent("?from=2026-03-01", shown=first["shown"], chosen="?from=2026-03-01")
    assert ("windows" in typed, "inputs" in typed) == (True, False)
    linked = sent("?window=7d", shown=typed["shown"], chosen="?from=2026-03-01")
    assert {"windows", "inputs"} <= linked.keys()


@pytest.mark.usefixtures("shop")
def test_another_window_reads_only_what_reaches_further_back(settings: Settings, scans: Counter[str]) -> None:
    reader = LakeReader(lambda: open_catalog(settings))
    shown = refresh(reader, {})["shown"]
    scans.clear()
    found = refresh(reader, shown, window="7d")
    assert scans == {"gold.user_hourly": 1, "gold.product_hourly": 1}
    assert {f"{panel.id}-figure" for panel in PANELS} < found.keys()


def test_a_lake_without_tables_is_empty_and_one_that_comes_later_is_seen(settings: Settings) -> None:
    reader = LakeReader(lambda: open_catalog(settings))
    first = refresh(reader, {})
    assert first["empty"].startswith("No event has reached Gold yet: the lake has no Gold tables so far.")
    assert first["panels_hidden"] is True
    assert refresh(reader, first["shown"]) == {}


def test_the_page_appears_with_the_first_hour_in_gold(settings: Settings, append: Append) -> None:
    reader = LakeReader(lambda: open_catalog(settings))
    first = refresh(reader, {})
    assert first["empty"].startswith("No event has reached Gold yet: nothing has arrived from Kafka so far.")
    row = {"event_hour": hour(1, 1), "events": 3, "buyers": 1, "sessions": 1, "average_order_value": None}
    append(GOLD_HOURLY_SALES, [row | sales(1, 1, "9.99")])
    second = refresh(reader, first["shown"])
    assert (second["empty_hidden"], second["panels_hidden"]) == (True, False)
    assert second["sales-figure"].data[0].y == (9.99,)


@pytest.mark.usefixtures("append")
def test_a_view_has_the_state_of_each_table(settings: Settings) -> None:
    view = LakeReader(lambda: open_catalog(settings)).look()
    assert set(view.states) == set(ALL)
    assert view.snapshot_id("bronze.events") is None
    assert view.snapshot_id(GOLD_HOURLY_SALES) is not None
    assert view.snapshot_id("gold.unknown") is None
