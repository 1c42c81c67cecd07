"""What is read of the tables, and how often."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyiceberg.table import DataScan, Table

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.health.tables import EMPTY, TableReader
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import Gap, record_gaps
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import POSITION, TOTAL_DUPLICATES
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.health.conftest import Load, quarantine
from shoplake_assets_tests.lake.conftest import FIRST_TIME, commit

GAP = Gap(topic_id=TOPIC_ID, partition=1, first=10, last=19, found_at=FIRST_TIME)


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the scans of each table."""
    counted: Counter[str] = Counter()
    scan = Table.scan

    def counting(table: Table, *what: Any, **how: Any) -> DataScan:
        counted[".".join(table.name())] += 1
        return scan(table, *what, **how)

    monkeypatch.setattr(Table, "scan", counting)
    return counted


def test_a_lake_that_does_not_exist_is_empty_and_is_not_made_by_looking(settings: Settings) -> None:
    assert TableReader(settings).read() == EMPTY
    assert not settings.home.exists()


def test_a_home_without_tables_is_empty(settings: Settings) -> None:
    settings.home.mkdir()
    assert TableReader(settings).read() == EMPTY


def test_each_table_is_described_by_its_metadata(lake: Settings, load: Load) -> None:
    commit(load(BRONZE_EVENTS), range(10))
    commit(load(BRONZE_EVENTS), range(5), partition=1)
    quarantine(load, b"{}", b"[]", reason="payload is not a JSON object")
    found = TableReader(lake).read()
    assert list(found.tables) == [BRONZE_EVENTS, *DERIVED]
    bronze = found.tables[BRONZE_EVENTS]
    assert (bronze.layer.rows, bronze.files, bronze.snapshots) == (15, 2, 2)
    assert bronze.layer.position == Position({(TOPIC_ID, 0): 10, (TOPIC_ID, 1): 5})
    assert bronze.layer.newest_record == FIRST_TIME + timedelta(seconds=9)
    files = [Path(urlsplit(file).path) for file in load(BRONZE_EVENTS).inspect.files()["file_path"].to_pylist()]
    assert bronze.size_bytes == sum(file.stat().st_size for file in files)
    current = load(BRONZE_EVENTS).current_snapshot()
    assert current is not None
    assert bronze.committed_at is not None
    assert bronze.committed_at.timestamp() == current.timestamp_ms / 1000
    rejected = found.tables[SILVER_QUARANTINE]
    assert (rejected.layer.rows, rejected.files) == (2, 1)


def test_bronze_is_followed_forwards_and_back(lake: Settings, load: Load) -> None:
    reader = TableReader(lake)

    def reached() -> Position:
        return reader.read().tables[BRONZE_EVENTS].layer.position

    assert reached() == Position()
    first = commit(load(BRONZE_EVENTS), range(10))
    assert reached() == Position({(TOPIC_ID, 0): 10})
    commit(load(BRONZE_EVENTS), range(10, 30))
    assert reached() == Position({(TOPIC_ID, 0): 30})
    load(BRONZE_EVENTS).manage_snapshots().rollback_to_snapshot(first).commit()
    assert reached() == Position({(TOPIC_ID, 0): 10})


def test_repeats_are_those_that_silver_has_counted(lake: Settings, load: Load) -> None:
    reader = TableReader(lake)
    assert reader.read().duplicates == 0
    silver = load(SILVER_EVENTS)
    counted = {POSITION: "{}", TOTAL_DUPLICATES: "7"}
    silver.append(silver.schema().as_arrow().empty_table(), snapshot_properties=counted)
    assert reader.read().duplicates == 7


def test_quarantine_and_gaps_are_read_again_only_once_they_have_changed(
    lake: Settings, load: Load, scans: Counter[str]
) -> None:
    quarantine(load, b"[1]", reason="payload is not a JSON object")
    record_gaps(open_catalog(lake), [GAP])
    reader, again = TableReader(lake), TableReader(lake)
    first = reader.read()
    assert first.quarantine is not None
    assert [(one.reason, one.records) for one in first.quarantine.reasons] == [("payload is not a JSON object", 1)]
    assert [example.payload for one in first.quarantine.reasons for example in one.examples] == ["[1]"]
    assert first.gaps == (GAP,)

    scans.clear()
    commit(load(BRONZE_EVENTS), range(10))
    second = reader.read()
    assert (second.quarantine, second.gaps) == (first.quarantine, first.gaps)
    assert not scans

    quarantine(load, b"{}", b"{}", reason="user_id is missing")
    third = reader.read()
    assert third.quarantine == again.read().quarantine
    assert third.quarantine is not None
    assert {one.reason: one.records for one in third.quarantine.reasons} == {
        "user_id is missing": 2,
        "payload is not a JSON object": 1,
    }


def test_a_lake_that_cannot_be_read_is_named_in_one_line(lake: Settings, load: Load) -> None:
    lost = Path(urlsplit(load(SILVER_EVENTS).metadata_location).path)
    lost.unlink()
    with pytest.raises(ShoplakeError, match=f"^the lake in {lake.home} cannot be read: .*{lost.name}.*$"):
        TableReader(lake).read()
