"""`shoplake quarantine accept` and `replay` with a real Dagster, in which a small job stands for the refresh.

The job takes the config that Silver takes and leaves in the lake what a refresh would; no Spark is needed. The tests of
the product have the real refresh.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.dagster_api import launch_refresh, run_outcome, wait_for_run
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets.tables import SILVER_QUARANTINE
from shoplake_assets_tests.cli.conftest import record
from shoplake_assets_tests.waiting import wait_until

LOCATION = """
import json
import dagster as dg
from shoplake_assets.assets.silver import SilverRun
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import load_settings

events_key = dg.AssetKey(["silver", "events"])

@dg.multi_asset(name="silver", specs=[dg.AssetSpec(events_key), dg.AssetSpec(["silver", "quarantine"])])
def silver(context: dg.AssetExecutionContext, config: SilverRun):
    events, run = open_catalog(load_settings()).load_table("silver.events"), context.run_id[:8]
    if config.accept_because and config.accept_share < 0.2:
        events.manage_snapshots().create_branch(events.current_snapshot().snapshot_id, f"audit_{run}").commit()
        raise dg.Failure("silver.events stays as it was: 200 of 1,000 records go to quarantine.\\n(second line)")
    if config.accept_because and config.accept_share < 1:
        entry = {"because": config.accept_because, "odd": 200, "among": 1000, "run": run}
        empty = events.schema().as_arrow().empty_table()
        events.append(empty, snapshot_properties={"shoplake.accepted": json.dumps(entry)})
        events.append(empty)
    figures = {"records": 1060, "silver": 1040, "quarantine": 15, "duplicates": 3} if config.replay_quarantine else {}
    metadata = {"shoplake/what": "text", "shoplake/lag_events": 7, **{f"shoplake/{k}": v for k, v in figures.items()}}
    yield dg.MaterializeResult(asset_key=events_key, metadata=metadata)
    yield dg.MaterializeResult(asset_key=["silver", "quarantine"], metadata={"shoplake/records": 5})

defs = dg.Definitions(
    assets=[silver], jobs=[dg.define_asset_job("refresh", selection="*")], executor=dg.in_process_executor
)
"""

# Runs start at once, without a daemon that takes them from a queue.
INSTANCE = {
    "telemetry": {"enabled": False},
    "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lake with a record in quarantine, and a Dagster that has the small job."""
    folder = tmp_path_factory.mktemp("runs")
    home = folder / "lake"
    prepare_lake(Settings(home=home))
    choose_free_ports(Settings(home=home))
    settings = load_settings(home=home)
    table = open_catalog(settings).load_table(SILVER_QUARANTINE)
    table.append(pa.Table.from_pylist([record(1, "odd")], schema=table.schema().as_arrow()))
    (folder / "location.py").write_text(LOCATION)
    source = {"python_file": {"relative_path": "location.py", "location_name": "shoplake"}}
    (folder / "workspace.yaml").write_text(json.dumps({"load_from": [source]}))
    (folder / "dagster.yaml").write_text(json.dumps(INSTANCE))
    port = str(settings.dagster.port)
    process = subprocess.Popen(  # noqa: S603  Dagster's own command
        [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", port, "-w", folder / "workspace.yaml"],
        cwd=folder,
        env={**os.environ, "DAGSTER_HOME": str(folder), "SHOPLAKE_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(settings), what="Dagster answers")
        yield settings
    finally:
        process.terminate()
        process.wait(timeout=60)


def answers(settings: Settings) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{settings.dagster.port}/server_info").is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(autouse=True)
def _lake(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPLAKE_HOME", str(settings.home))


def shoplake(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main.app, ["quarantine", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_an_accepted_refresh_says_what_it_published_and_why() -> None:
    code, out, err = shoplake("accept", "--because", " the app of the first of March ")
    assert (code, out) == (
        0,
        "Published: 200 of 1,000 records went to quarantine, because: the app of the first of March\n",
    )
    assert err.startswith("Run ")
    document = json.loads(shoplake("accept", "--because", "again", "--json")[1])
    assert document["accepted"] == {"because": "again", "odd": 200, "among": 1000, "run": document["run"][:8]}


def test_a_refresh_that_goes_through_by_itself_accepts_nothing_and_says_so() -> None:
    code, out, _ = shoplake("accept", "--because", "to be safe", "--share", "1")
    assert code == 0
    assert out == "Nothing had to be accepted: the refresh stayed within the limits, or there was nothing new.\n"


def test_a_refresh_that_stays_blocked_fails_with_its_reason_and_names_the_share() -> None:
    code, out, err = shoplake("accept", "--because", "a tenth would be all right", "--share", "0.1")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == (
        "shoplake: silver.events stays as it was: 200 of 1,000 records go to quarantine. "
        "This run accepted 10%: see --share."
    )
    assert len(err.splitlines()) == 2


def test_a_replay_says_what_became_of_the_records(settings: Settings) -> None:
    code, out, _ = shoplake("replay")
    assert code == 0
    assert out == (
        "1,060 quarantined records were judged again: 1,042 moved to Silver and are in Gold, "
        "3 repeat events that are there, 15 still break a rule.\n"
    )
    document = json.loads(shoplake("replay", "--json")[1])
    assert run_outcome(settings, document.pop("run")).status == "SUCCESS"
    assert document == {"records": 1060, "moved": 1042, "repeats": 3, "broken": 15}


def test_a_run_that_takes_longer_than_one_waits_goes_on_and_is_named(settings: Settings) -> None:
    run_id = launch_refresh(settings)
    with pytest.raises(ShoplakeError, match=f"still under way after 0 s, and goes on: http://127.*/runs/{run_id}"):
        wait_for_run(settings, run_id, timeout_seconds=0)
    assert wait_for_run(settings, run_id, timeout_seconds=60).status == "SUCCESS"


def test_a_config_that_the_job_does_not_take_is_refused_with_what_is_wrong(settings: Settings) -> None:
    with pytest.raises(ShoplakeError, match="Dagster refuses the refresh: ") as refused:
        launch_refresh(settings, silver={"accept_because": "x", "no_such_option": 1})
    assert 'Received unexpected config entry "no_such_option"' in str(refused.value)
    assert "\n" not in str(refused.value)
