"""Dagster forgets what is old, and never the newest of anything; its own storage, on disk."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest

from shoplake_assets.runtime.dagster_history import forget_history
from shoplake_assets.runtime.dagster_home import dagster_folder, prepare_dagster
from shoplake_assets.settings import Settings

ORDERS, STOCK = dg.AssetKey("orders"), dg.AssetKey("stock")
SHARDS = Path("storage") / "history" / "runs"


@dg.asset(key=ORDERS, check_specs=[dg.AssetCheckSpec("counted", asset=ORDERS)])
def orders() -> Iterator[dg.MaterializeResult[None]]:
    """A table with a check."""
    yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="counted")])


@dg.asset(key=STOCK)
def stock() -> None:
    """Another table, which is made less often."""


@pytest.fixture
def instance(settings: Settings) -> dg.DagsterInstance:
    prepare_dagster(settings)
    return dg.DagsterInstance.from_config(str(dagster_folder(settings)))


def run(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> str:
    return dg.materialize(assets, instance=instance).run_id


def report(instance: dg.DagsterInstance, *, row_count: int) -> None:
    """What a sensor reports: a materialization and the result of a check, outside of any run."""
    key = dg.AssetKey(["bronze", "events"])
    instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata={"rows": row_count}))
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(asset_key=key, check_name="alive", passed=True, metadata={"rows": row_count})
    )


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_old_runs_go_with_their_files_but_for_the_newest_of_each_table(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    old = run(instance, stock)
    runs = [run(instance, orders, stock), *(run(instance, orders) for _ in range(3))]
    folder = dagster_folder(settings)
    for run_id in (old, *runs):
        (folder / "compute_logs" / run_id).mkdir(parents=True, exist_ok=True)
        (folder / "compute_logs" / run_id / "step.out").touch()
    before = {key: instance.get_latest_materialization_event(key) for key in (ORDERS, STOCK)}

    forgotten = forget_history(instance, before=later())
    kept = {runs[0], runs[-1]}
    assert forgotten.runs == 3
    assert {found.run_id for found in instance.get_runs()} == kept
    assert {path.stem for path in (folder / SHARDS).glob("*-*.db")} == kept
    assert {path.name for path in (folder / "compute_logs").iterdir() if path.is_dir()} >= kept
    assert not {old, *runs} - kept & {path.name for path in (folder / "compute_logs").iterdir()}
    assert {key: instance.get_latest_materialization_event(key) for key in (ORDERS, STOCK)} == before
    assert instance.all_logs(runs[-1])


def test_reports_without_a_run_go_but_for_the_newest_of_each_table_and_check(instance: dg.DagsterInstance) -> None:
    for number in range(25):
        report(instance, row_count=number)
    with patch("shoplake_assets.runtime.dagster_history._AT_ONCE", 7):
        forgotten = forget_history(instance, before=later())
    assert forgotten.reports == 3 * 24  # a materialization, an evaluation and its result, each but for the newest
    key = dg.AssetKey(["bronze", "events"])
    newest = instance.get_latest_materialization_event(key)
    assert newest is not None
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.metadata["rows"].value == 24
    records = instance.fetch_materializations(key, limit=10).records
    assert len(records) == 1
    results = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(key, "alive"), limit=10)
    (result,) = results
    assert result.event is not None
    assert result.event.dagster_event is not None
    assert result.event.dagster_event.asset_check_evaluation_data.metadata["rows"].value == 24
    assert forget_history(instance, before=later()).reports == 0


def test_what_is_young_or_under_way_stays(instance: dg.DagsterInstance) -> None:
    runs = [run(instance, orders) for _ in range(2)]
    for number in range(3):
        report(instance, row_count=number)
    under_way = instance.create_run_for_job(dg.define_asset_job("again").resolve(asset_graph=_graph()))
    forgotten = forget_history(instance, before=datetime.now(UTC) - timedelta(minutes=1))
    assert (forgotten.runs, forgotten.reports) == (0, 0)
    assert {found.run_id for found in instance.get_runs()} == {*runs, under_way.run_id}
    forget_history(instance, before=later())
    assert {found.run_id for found in instance.get_runs()} == {runs[-1], under_way.run_id}


def _graph() -> "dg.AssetGraph":
    return dg.Definitions([orders, stock]).resolve_asset_graph()
