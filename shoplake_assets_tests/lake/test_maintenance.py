"""Maintenance of real tables: fewer files and snapshots, the very same rows, and nothing lost that somebody needs."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from shoplake_assets.lake.audit import Audit
from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.maintenance.compaction import compact
from shoplake_assets.lake.maintenance.expiry import expire
from shoplake_assets.lake.maintenance.table import Maintained, maintain_table
from shoplake_assets.lake.snapshots import (
    bounds,
    live_files,
    position_of,
    rearranges,
    reflecting,
    since,
    summary_of,
)
from shoplake_assets.sections import MaintenanceSettings
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, GOLD, GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID, Fates, Shop, event, purchase
from shoplake_assets_tests.embedded import empty_lake
from shoplake_assets_tests.lake.copies import Copy, put_back, set_aside

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

HOUR_1, HOUR_2, HOUR_3 = "2026-06-01T00:10:00Z", "2026-06-01T01:10:00Z", "2026-06-01T02:10:00Z"
NOW = datetime(2026, 6, 1, 2, 30, tzinfo=UTC)
LIMITS = MaintenanceSettings(min_files=3, grace_minutes=10)
FEW = LIMITS.model_copy(update={"snapshots": 1})


def rows(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    return {name: shop.read(name) for name in ALL}


def files_by_hour(table: "Table") -> dict[int, list[int]]:
    """The numbers of rows in the files of each partition."""
    current = table.current_snapshot()
    assert current is not None
    found: dict[int, list[int]] = {}
    for file in live_files(table, current):
        found.setdefault(file.partition[0], []).append(file.record_count)
    return {cell: sorted(counts) for cell, counts in found.items()}


def fill(shop: Shop) -> None:
    """Three hours of Kafka time, two partitions, three commits each; the third hour is not over at `NOW`."""
    for number, kafka_time in enumerate((HOUR_1, HOUR_2, HOUR_3)):
        for minute in range(3):
            for partition in (0, 1):
                at = f"2026-03-01T1{number}:0{minute}:00Z"
                shop.produce(purchase(at=at), b"bad", partition=partition, kafka_time=kafka_time)
            if number == 0:
                shop.refresh_silver()
    shop.refresh()


def maintain(shop: Shop, *, now: datetime = NOW, limits: MaintenanceSettings = LIMITS) -> dict[str, Maintained]:
    """Maintain all tables."""
    return {name: maintain_table(shop.lake, name, limits=limits, now=now) for name in ALL}


@pytest.fixture(scope="module")
def copy(stack: Settings, spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A lake of four refreshes, made once."""
    empty_lake(stack)
    shop = Shop(Lake(open_catalog(stack), spark))
    fill(shop)
    return set_aside(shop, tmp_path_factory.mktemp("copy"))


@pytest.fixture
def filled(copy: Copy, shop: Shop) -> Shop:
    """A lake of four refreshes, for one test."""
    return put_back(copy, shop)


def test_closed_hours_are_put_together_and_every_row_stays_what_it_was(filled: Shop) -> None:
    before, reach = rows(filled), bronze_reach(filled.lake.table(BRONZE_EVENTS), known=Reach())
    maintained = maintain(filled)
    assert rows(filled) == before

    bronze = filled.lake.table(BRONZE_EVENTS)
    first = int(datetime.fromisoformat(HOUR_1).timestamp()) // 3600
    # For each closed hour a file for each Kafka partition; the open hour as the stream left it.
    assert files_by_hour(bronze) == {first: [6, 6], first + 1: [6, 6], first + 2: [2] * 6}
    for file in live_files(bronze, bronze.current_snapshot()):  # type: ignore[arg-type]
        for column in ("topic_id", "partition"):
            smallest, largest = bounds(file, bronze.schema(), column)
            assert smallest == largest
    assert bronze_reach(bronze, known=Reach()).position == reach.position
    assert bronze_reach(bronze, known=reach).position == reach.position

    ten = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp()) // 3600
    assert files_by_hour(filled.lake.table(SILVER_EVENTS))[ten] == [6]
    done = maintained[BRONZE_EVENTS]
    assert done.says.startswith("6 files became 2; 6 files became 2")
    assert (done.before.files, done.after.files) == (18, 10)
    assert done.after.bytes < done.before.bytes
    # The day of the quarantined records is not over.
    assert maintained[SILVER_QUARANTINE].before.files == maintained[SILVER_QUARANTINE].after.files


def test_maintenance_is_nothing_new_to_anybody(filled: Shop) -> None:
    before = rows(filled)
    maintain(filled)
    compacted = filled.snapshot_ids()
    positions = {name: position_of(reflecting(filled.lake.table(name))) for name in (SILVER_EVENTS, *GOLD)}
    assert len(set(map(str, positions.values()))) == 1
    for name, refresh in filled.refresh().items():
        assert not refresh.changed, f"{name}: {refresh.says}"
    assert filled.snapshot_ids() == compacted
    assert rows(filled) == before
    assert maintain(filled)[SILVER_EVENTS].says == "nothing was due"

    filled.produce(purchase(at="2026-03-01T10:30:00Z", price=7), kafka_time=HOUR_3)
    refreshed = filled.refresh()
    assert refreshed[SILVER_EVENTS].says.startswith("1 records: 1 to Silver")
    assert refreshed[GOLD_HOURLY_SALES].says == "1 event hours recomputed"


def test_late_rows_of_an_old_hour_are_put_together_with_it(filled: Shop) -> None:
    maintain(filled)
    for minute in range(2):
        filled.produce(purchase(at=f"2026-03-01T10:5{minute}:00Z"), kafka_time=HOUR_3)
        filled.refresh_silver()
    ten = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp()) // 3600
    assert files_by_hour(filled.lake.table(SILVER_EVENTS))[ten] == [1, 1, 6]
    maintain(filled)
    assert files_by_hour(filled.lake.table(SILVER_EVENTS))[ten] == [8]


def test_manifests_are_rewritten_where_they_have_become_many(filled: Shop) -> None:
    for _ in range(40):
        filled.produce(event(), kafka_time=HOUR_3)
    before = rows(filled)
    done = maintain(filled)[BRONZE_EVENTS]
    assert done.before.manifests >= 40
    assert done.after.manifests <= 3
    bronze = filled.lake.table(BRONZE_EVENTS)
    assert [rearranges(snapshot) for snapshot in since(bronze, after=None)[-3:]] == [True] * 3
    assert rows(filled) == before


def test_compaction_beside_a_stream_loses_and_doubles_nothing(shop: Shop) -> None:
    fill_one_hour = 12
    for _ in range(fill_one_hour):
        shop.produce(event(), kafka_time=HOUR_1)

    def stream() -> Iterator[int]:
        for number in range(40):
            shop.produce(event(), event(), partition=number % 2, kafka_time=(HOUR_1, HOUR_3)[number % 2])
            yield number

    with ThreadPoolExecutor(max_workers=1) as pool:
        appended = pool.submit(lambda: sum(1 for _ in stream()))
        while not appended.done():
            compact(shop.lake, BRONZE_EVENTS, now=NOW, limits=LIMITS)
    assert appended.result() == 40
    offsets = [(row["partition"], row["offset"]) for row in shop.read(BRONZE_EVENTS)]
    assert offsets == [(0, number) for number in range(12 + 40)] + [(1, number) for number in range(40)]
    bronze = shop.lake.table(BRONZE_EVENTS)
    assert sum(rearranges(snapshot) for snapshot in since(bronze, after=None)) >= 1
    position = bronze_reach(bronze, known=Reach()).position
    assert position.offsets == {(TOPIC_ID, 0): 52, (TOPIC_ID, 1): 40}


@pytest.mark.parametrize("moved", [SILVER_EVENTS, SILVER_QUARANTINE, GOLD_HOURLY_SALES])
def test_a_refresh_beside_compaction_is_done_again_and_right(filled: Shop, moved: str) -> None:
    """The table is compacted between the branch and its publication, so that `main` is no longer what it was."""
    publish = Audit.publish
    compactions: list[int] = []

    def compact_first(audit: Audit) -> None:
        if audit.table == moved and not compactions:
            done = filled.lake.spark.sql(
                f"CALL lake.system.rewrite_data_files(table => '{moved}', "
                "options => map('rewrite-all', 'true', 'min-input-files', '1'))"
            ).collect()
            compactions.append(done[0].rewritten_data_files_count)
        publish(audit)

    filled.produce(purchase(at="2026-03-01T10:40:00Z", price=7), b"bad", kafka_time=HOUR_3)
    with patch.object(Audit, "publish", compact_first):
        refreshed = filled.refresh()
    assert compactions[0] > 0
    assert refreshed[moved].changed
    assert filled.fates() == Fates(silver=19, quarantine=19, duplicates=0)
    revenue = filled.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue")
    assert list(map(int, revenue.values())) == [67, 60, 60]
    assert all(not refresh.changed for refresh in filled.refresh().values())
    assert set(filled.lake.table(moved).refs()) == {"main"}


def test_compaction_beside_a_publication_is_taken_up_again(filled: Shop) -> None:
    """The other way round: refreshes publish all the while, and no compaction of theirs is lost or doubles a row."""

    def refreshes() -> int:
        for minute in range(5):
            filled.produce(purchase(at=f"2026-03-01T10:2{minute}:00Z", price=1), kafka_time=HOUR_3)
            filled.refresh_silver()
        return 5

    with ThreadPoolExecutor(max_workers=1) as pool:
        done = pool.submit(refreshes)
        while not done.done():
            for name in (SILVER_EVENTS, SILVER_QUARANTINE):
                compact(filled.lake, name, now=NOW, limits=LIMITS)
    assert done.result() == 5
    assert filled.fates() == Fates(silver=23, quarantine=18, duplicates=0)
    keys = [row["event_id"] for row in filled.read(SILVER_EVENTS)]
    assert len(keys) == len(set(keys))


def _newer_than_everything() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def test_snapshots_that_somebody_refers_to_stay_and_the_others_go(filled: Shop) -> None:
    """Gold and Silver fall behind at different times; whatever each has come to must stay readable from then on."""
    for _ in range(3):
        filled.produce(event(), kafka_time=HOUR_3)
    silver_at = filled.lake.table(BRONZE_EVENTS).metadata.current_snapshot_id
    filled.refresh()
    for _ in range(3):
        filled.produce(purchase(at="2026-03-01T11:40:00Z"), kafka_time=HOUR_3)
    unseen = [snapshot.snapshot_id for snapshot in since(filled.lake.table(BRONZE_EVENTS), after=silver_at)]
    before, rows_then = rows(filled), len(filled.read(BRONZE_EVENTS))
    done = maintain(filled, now=_newer_than_everything(), limits=FEW)
    assert done[BRONZE_EVENTS].after.snapshots < done[BRONZE_EVENTS].before.snapshots
    bronze = filled.lake.table(BRONZE_EVENTS)
    left = [snapshot.snapshot_id for snapshot in since(bronze, after=None)]
    assert left[: 1 + len(unseen)] == [silver_at, *unseen]
    assert filled.lake.rows_of(bronze, snapshot_id=silver_at).count() == rows_then - 3
    assert rows(filled) == before
    refreshed = filled.refresh()
    assert refreshed[SILVER_EVENTS].says.startswith("3 records: 3 to Silver")
    assert refreshed[GOLD_HOURLY_SALES].says == "1 event hours recomputed"


def test_the_newest_commit_of_the_stream_stays_an_ancestor(shop: Shop) -> None:
    bronze = shop.lake.table(BRONZE_EVENTS)
    for _ in range(4):
        shop.produce(event(), kafka_time=HOUR_1)
    columns = bronze.schema().as_arrow()
    epoch = {"spark.sql.streaming.queryId": "q", "spark.sql.streaming.epochId": "7"}
    bronze = shop.lake.table(BRONZE_EVENTS)
    bronze.append(columns.empty_table(), snapshot_properties=epoch)
    streamed = bronze.metadata.current_snapshot_id
    for _ in range(4):
        shop.produce(event(), kafka_time=HOUR_1)
    maintain(shop, now=_newer_than_everything(), limits=FEW)
    left = since(shop.lake.table(BRONZE_EVENTS), after=None)
    assert left[0].snapshot_id == streamed
    assert summary_of(left[0])["spark.sql.streaming.epochId"] == "7"
    assert rearranges(left[-1])


def test_snapshots_younger_than_the_minimum_age_stay(filled: Shop) -> None:
    done = maintain(filled, now=datetime.now(UTC), limits=FEW)
    assert all(after.before.snapshots <= after.after.snapshots for after in done.values())


def test_branches_of_blocked_refreshes_outlive_expiry_and_go_after_their_week(filled: Shop) -> None:
    silver = filled.lake.table(SILVER_EVENTS)
    audit = filled.lake.audit(silver, run="blocked")
    audit.replace_all(audit.rows().limit(1), provenance=_provenance(filled))
    head = audit.snapshot().snapshot_id
    for minute in range(3):
        filled.produce(purchase(at=f"2026-03-01T11:4{minute}:00Z"), kafka_time=HOUR_3)
        filled.refresh_silver()
    filled.refresh()  # what Gold has come to is newer than the branch
    expire(filled.lake, SILVER_EVENTS, now=datetime.now(UTC) + timedelta(days=6, hours=23), limits=FEW)
    assert filled.lake.table(SILVER_EVENTS).refs()["audit_blocked"].snapshot_id == head
    assert filled.lake.spark.table(f"lake.{SILVER_EVENTS}.branch_audit_blocked").count() == 1
    expire(filled.lake, SILVER_EVENTS, now=datetime.now(UTC) + timedelta(days=7, hours=1), limits=FEW)
    silver = filled.lake.table(SILVER_EVENTS)
    assert set(silver.refs()) == {"main"}
    assert silver.snapshot_by_id(head) is None


def _provenance(shop: Shop) -> Any:
    from shoplake_assets.lake.audit import Provenance
    from shoplake_assets.lake.position import Position

    return Provenance(position=Position(), source_snapshot=1, code_version="2", newest_record=None, newest_event=None)


def test_old_metadata_files_go_with_the_commits_of_either_writer(filled: Shop) -> None:
    limits = LIMITS.model_copy(update={"metadata_files": 4})
    maintain(filled, limits=limits)
    for _ in range(6):
        filled.produce(event(), kafka_time=HOUR_3)
        filled.refresh_silver()
    for name in (BRONZE_EVENTS, SILVER_EVENTS):
        table = filled.lake.table(name)
        folder = Path(table.location().removeprefix("file://")) / "metadata"
        written = sorted(folder.glob("*.metadata.json"), key=lambda path: path.stat().st_mtime)
        assert len(table.metadata.metadata_log) == 4, name
        known = {Path(entry.metadata_file).name for entry in table.metadata.metadata_log}
        assert known | {Path(table.metadata_location).name} <= {path.name for path in written}, name


def test_only_files_that_no_table_refers_to_and_that_are_old_are_removed(filled: Shop) -> None:
    table = filled.lake.table(BRONZE_EVENTS)
    folder = Path(table.location().removeprefix("file://"))
    now = time.time()
    ages = {"data/killed.parquet": 4, "data/under-way.parquet": 2, "metadata/left.avro": 4, "metadata/young.json": 2}
    for name, days in ages.items():
        (folder / name).write_bytes(b"left behind")
        os.utime(folder / name, (now - days * 86_400,) * 2)
    old = now - 9 * 86_400
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in {Path(name).name for name in ages}:
            os.utime(path, (old, old))  # files of the table are never too old
    before = rows(filled)
    maintain(filled, now=datetime.now(UTC))
    assert {name for name in ages if (folder / name).exists()} == {"data/under-way.parquet", "metadata/young.json"}
    assert rows(filled) == before
