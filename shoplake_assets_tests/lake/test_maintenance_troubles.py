"""Maintenance where something is in its way: a table that is broken, a file written by hand, a refresh under way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.maintenance.compaction import compact
from shoplake_assets.lake.maintenance.expiry import expire
from shoplake_assets.lake.maintenance.lake import Failed, maintain_lake
from shoplake_assets.lake.maintenance.orphans import LOOKED_AT
from shoplake_assets.lake.snapshots import live_files, snapshot_id_of
from shoplake_assets.lake.tables import set_properties
from shoplake_assets.sections import MaintenanceSettings
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, BRONZE_GAPS, GOLD_TOP_USERS, GOLD_USER_HOURLY, SILVER_EVENTS
from shoplake_assets_tests.building import Shop, event

HOUR_1, HOUR_2 = "2026-06-01T00:10:00Z", "2026-06-01T01:10:00Z"
LIMITS = MaintenanceSettings(min_files=3, grace_minutes=10)


@pytest.fixture
def idle(own_lake: Settings) -> Lake:
    """A lake without a session: nothing is due that would need one."""
    lake = Lake(open_catalog(own_lake), spark=None)  # type: ignore[arg-type]
    for name in ALL:
        set_properties(lake.catalog, name, {LOOKED_AT: datetime.now(UTC).isoformat()})
    return lake


def test_whatever_a_table_raises_the_others_are_maintained(idle: Lake) -> None:
    Path(idle.table(BRONZE_GAPS).metadata_location.removeprefix("file://")).unlink()
    idle.catalog.drop_table(GOLD_TOP_USERS)
    outcomes = {outcome.table: outcome for outcome in maintain_lake(idle, LIMITS)}
    assert list(outcomes) == list(ALL)
    failed = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Failed)}
    assert {name: type(failure.error).__name__ for name, failure in failed.items()} == {
        BRONZE_GAPS: "FileNotFoundError",
        GOLD_USER_HOURLY: "NoSuchTableError",  # which asks what the table made from it refers to
        GOLD_TOP_USERS: "NoSuchTableError",
    }
    told = "gold.top_users: maintenance failed, no row has changed: Table does not exist: gold.top_users"
    assert failed[GOLD_TOP_USERS].says == told
    assert {outcome.says for name, outcome in outcomes.items() if name not in failed} == {"nothing was due"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (RuntimeError("database is locked\n[SQL: SELECT\n 1]"), "database is locked [SQL: SELECT 1]"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("word " * 100), f"{'word ' * 59}…"),
    ],
)
def test_why_a_table_failed_is_said_in_one_line(error: Exception, reason: str) -> None:
    told = f"{SILVER_EVENTS}: maintenance failed, no row has changed: {reason}"
    assert Failed(table=SILVER_EVENTS, error=error).says == told


@pytest.mark.spark
def test_an_hour_in_which_somebody_has_mixed_kafka_partitions_is_left_alone(shop: Shop) -> None:
    for partition in (0, 1):
        shop.produce(event(), partition=partition, kafka_time=HOUR_1)
    by_hand = "options => map('rewrite-all', 'true')"
    shop.lake.spark.sql(f"CALL lake.system.rewrite_data_files(table => '{BRONZE_EVENTS}', {by_hand})").collect()
    for kafka_time in (HOUR_1, HOUR_2):
        for _ in range(3):
            shop.produce(event(), kafka_time=kafka_time)
    before = shop.read(BRONZE_EVENTS)
    did = compact(shop.lake, BRONZE_EVENTS, now=datetime(2026, 6, 1, 3, tzinfo=UTC), limits=LIMITS)
    assert did == ["3 files became 1"]
    bronze = shop.lake.table(BRONZE_EVENTS)
    current = bronze.current_snapshot()
    assert current is not None
    assert sorted(file.record_count for file in live_files(bronze, current)) == [1, 1, 1, 2, 3]
    assert shop.read(BRONZE_EVENTS) == before


def test_the_branch_of_a_refresh_that_has_just_begun_stays_however_old_its_base_is(idle: Lake) -> None:
    silver = idle.table(SILVER_EVENTS)
    for branch in ("audit_begun", "audit_blocked"):
        silver.manage_snapshots().create_branch(snapshot_id_of(silver), branch).commit()
    silver.append(silver.schema().as_arrow().empty_table(), branch="audit_blocked")
    silver.append(silver.schema().as_arrow().empty_table())
    did = expire(idle, SILVER_EVENTS, now=datetime.now(UTC) + timedelta(days=8), limits=LIMITS)
    assert did == ["dropped the branches audit_blocked"]
    assert set(idle.table(SILVER_EVENTS).refs()) == {"main", "audit_begun"}
