"""The maintenance job on a real lake and a real instance of Dagster, and when its schedule starts it."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest

from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.maintenance.compaction import compact
from shoplake_assets.maintenance import maintenance_job
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.runtime.dagster_home import dagster_folder, prepare_dagster
from shoplake_assets.schedules import maintenance_schedule
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, SILVER_EVENTS
from shoplake_assets_tests.building import Shop, event

HOUR = "2026-06-01T00:10:00Z"  # long over


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    lake = Settings(home=tmp_path / "lake")
    prepare_dagster(lake)
    return dg.DagsterInstance.from_config(str(dagster_folder(lake)))


def run(settings: Settings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    resources = {
        "connection": LakeConnection(settings),
        "spark": SparkConnectResource(spark_config={"spark.remote": settings.spark_remote}),
    }
    return maintenance_job.execute_in_process(resources=resources, instance=instance, raise_on_error=False)


def observed(instance: dg.DagsterInstance, table: str) -> dict[str, object]:
    (record,) = instance.fetch_observations(dg.AssetKey(table.split(".")), limit=1).records
    assert record.asset_observation is not None
    return {key.removeprefix("shoplake/"): value.value for key, value in record.asset_observation.metadata.items()}


@pytest.mark.spark
def test_each_table_is_observed_with_its_figures_before_and_after(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    for _ in range(9):
        shop.produce(event(), kafka_time=HOUR)
    done = run(settings, instance)
    assert done.success
    bronze = observed(instance, BRONZE_EVENTS)
    assert bronze["what"] == "9 files became 1"
    assert (bronze["files_before"], bronze["files_after"]) == (9, 1)
    assert (bronze["snapshots_before"], bronze["snapshots_after"]) == (9, 10)
    assert {name: observed(instance, name)["what"] for name in ALL if name != BRONZE_EVENTS} == {
        name: "nothing was due" for name in ALL if name != BRONZE_EVENTS
    }


@pytest.mark.spark
@pytest.mark.usefixtures("shop")
def test_a_table_that_fails_does_not_keep_the_others_nor_the_history_from_being_maintained(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    def failing(lake: object, name: str, **given: object) -> list[str]:
        if name == SILVER_EVENTS:
            raise OSError(28, "No space left on device")
        return compact(lake, name, **given)  # type: ignore[arg-type]  # passed on as it came

    with patch("shoplake_assets.lake.maintenance.table.compact", failing):
        done = run(settings, instance)
    assert not done.success
    (failure,) = [event for event in done.all_events if event.is_step_failure]
    reason = "silver.events: maintenance failed, no row has changed: [Errno 28] No space left on device"
    assert reason in str(failure.step_failure_data.error)
    assert not instance.fetch_observations(dg.AssetKey(["silver", "events"]), limit=1).records
    assert observed(instance, ALL[-1])["what"] == "nothing was due"
    assert any(event.is_step_success and event.step_key == "forget_old_history" for event in done.all_events)


@pytest.mark.spark
def test_a_retry_goes_through_although_the_session_is_gone_with_spark(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    for _ in range(9):
        shop.produce(event(), kafka_time=HOUR)
    looks = count()

    def losing_the_session(lake: Lake, name: str, **given: object) -> list[str]:
        if next(looks) == 0:
            lake.spark.stop()
        return compact(lake, name, **given)  # type: ignore[arg-type]  # passed on as it came

    with patch("shoplake_assets.lake.maintenance.table.compact", losing_the_session):
        done = run(settings, instance)
    assert done.success
    assert [event.step_key for event in done.all_events if event.is_step_up_for_retry] == ["maintain_tables"]
    assert observed(instance, BRONZE_EVENTS)["what"] == "9 files became 1"


def test_the_schedule_starts_no_maintenance_while_one_is_under_way(instance: dg.DagsterInstance) -> None:
    schedule = maintenance_schedule(Settings())

    def tick() -> dg.RunRequest | dg.SkipReason:
        with dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)) as context:
            return schedule(context)  # type: ignore[return-value]

    assert isinstance(tick(), dg.RunRequest)
    under_way = instance.create_run_for_job(maintenance_job)
    assert tick() == dg.SkipReason(f"the maintenance {under_way.run_id} is still under way")
    instance.report_run_canceled(under_way)
    assert isinstance(tick(), dg.RunRequest)
