"""Dagster accepts the configuration that is written for it."""

import pytest
from dagster import DagsterInstance
from dagster._core.instance.config import PoolGranularity
from dagster._core.run_coordinator import QueuedRunCoordinator

from shoplake_assets.runtime.dagster_home import dagster_folder, instance_config, prepare_dagster, workspace_file
from shoplake_assets.settings import Settings


@pytest.fixture
def instance(settings: Settings) -> DagsterInstance:
    prepare_dagster(settings)
    return DagsterInstance.from_config(str(dagster_folder(settings)))


def test_dagster_polls_its_queue_every_second_and_sends_no_telemetry(instance: DagsterInstance) -> None:
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    assert instance.run_coordinator.dequeue_interval_seconds == 1
    assert not instance.telemetry_enabled
    assert instance.freshness_enabled


def test_two_runs_never_refresh_the_same_table_at_once(instance: DagsterInstance) -> None:
    pools = instance.get_concurrency_config().pool_config
    assert (pools.default_pool_limit, pools.pool_granularity) == (1, PoolGranularity.RUN)


def test_a_lost_run_is_started_again_and_a_failed_audit_is_not(instance: DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert not instance.run_retries_retry_on_asset_or_op_failure


def test_the_workspace_names_the_code_server(settings: Settings) -> None:
    prepare_dagster(settings)
    assert f'"port": {settings.dagster.code_server_port}' in workspace_file(settings).read_text()


def test_compute_logs_go_to_the_bucket_that_is_set(settings: Settings) -> None:
    with_bucket = settings.model_copy(
        update={
            "dagster": settings.dagster.model_copy(update={"compute_log_bucket": "logs"}),
            "s3": settings.s3.model_copy(update={"endpoint": "http://127.0.0.1:9"}),
        }
    )
    compute_logs = instance_config(with_bucket)["compute_logs"]
    assert compute_logs["class"] == "S3ComputeLogManager"
    assert compute_logs["config"]["bucket"] == "logs"
    assert compute_logs["config"]["endpoint_url"] == "http://127.0.0.1:9"
    prepare_dagster(with_bucket)
    ref = DagsterInstance.from_config(str(dagster_folder(with_bucket))).get_ref()
    assert type(ref.compute_log_manager).__name__ == "S3ComputeLogManager"
