"""What Shoplake's commands say where the Dagster UI may only show: a real one, as the product starts it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.dagster_api import ask, launch_refresh, refreshes_under_way
from shoplake_assets.runtime.dagster_home import dagster_folder, workspace_file
from shoplake_assets.runtime.jars import Jars
from shoplake_assets.runtime.java import Java
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.runtime.probes import probes
from shoplake_assets.runtime.processes import all_processes
from shoplake_assets.settings import Settings
from shoplake_assets_tests.waiting import wait_until

# What a viewer must not do, each by the first thing that Dagster checks.
FORBIDDEN = (
    "reloadWorkspace",
    'deletePipelineRun(runId: "x")',
    'startSensor(sensorSelector: {repositoryName: "r", repositoryLocationName: "shoplake", sensorName: "s"})',
    'wipeAssets(assetPartitionRanges: [{assetKey: {path: ["silver", "events"]}}])',
    'reportRunlessAssetEvents(eventParams: {eventType: ASSET_MATERIALIZATION, assetKey: {path: ["silver", "events"]}})',
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lake whose Dagster UI is read-only. It needs no code: who may do what is asked first."""
    home = tmp_path_factory.mktemp("read-only") / "home"
    prepare_lake(Settings(home=home))
    choose_free_ports(Settings(home=home))
    settings = Settings(home=home, dagster={**Settings(home=home).dagster.model_dump(), "read_only": True})
    dagster_folder(settings).mkdir()
    (dagster_folder(settings) / "dagster.yaml").write_text(json.dumps({"telemetry": {"enabled": False}}))
    workspace_file(settings).write_text(json.dumps({"load_from": []}))
    nothing = Java(Path(), 21, "wheel"), Jars((), ())
    (webserver,) = (spec for spec in all_processes(settings, *nothing) if spec.name == "webserver")
    with (home / "webserver.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            webserver.command, env={**os.environ, **webserver.environment}, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: probes(settings)["webserver"](0.0), what="Dagster answers")
            yield settings
        finally:
            process.terminate()
            process.wait(timeout=60)


def test_a_refresh_that_a_read_only_ui_refuses_is_told_in_one_line_with_what_to_set(settings: Settings) -> None:
    with pytest.raises(ShoplakeError) as refused:
        launch_refresh(settings)
    assert str(refused.value) == (
        f"the Dagster UI at http://127.0.0.1:{settings.dagster.port} is read-only and starts nothing. Set "
        "SHOPLAKE_DAGSTER__HOST and SHOPLAKE_DAGSTER__PORT to the one of operators, or start one with "
        "SHOPLAKE_DAGSTER__READ_ONLY=false; docs/security.md shows how."
    )


def test_a_command_that_needs_a_run_says_so_and_ends_with_1(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPLAKE_HOME", str(settings.home))
    told = CliRunner().invoke(main.app, ["quarantine", "accept", "--because", "a test"])
    assert told.exit_code == 1
    assert told.stderr.count("\n") == 1
    assert "is read-only and starts nothing" in told.stderr


def test_questions_are_answered_and_nothing_else(settings: Settings) -> None:
    assert refreshes_under_way(settings) == []
    for mutation in FORBIDDEN:
        name = mutation.split("(", maxsplit=1)[0]
        answer = ask(settings, f"mutation {{ {mutation} {{ __typename }} }}", {})
        assert answer == {name: {"__typename": "UnauthorizedError"}}
