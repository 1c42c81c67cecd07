"""The code location as a whole: it loads, and its asset graph is the one that was agreed on.

`python -m shoplake_assets_tests.dagster_layer.test_definitions` writes the graph as it is now.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.gold import LINEAGE
from shoplake_assets.checks.verification import VERIFIABLE, VERIFIED
from shoplake_assets.definitions import build_definitions
from shoplake_assets.lake.gold import WAVES
from shoplake_assets.lake.refresh import RECONCILES
from shoplake_assets.runtime.dagster_api import REFRESH_JOB, run_config
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD

SNAPSHOT = Path(__file__).parent / "asset_graph.json"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return built()


def built() -> dg.Definitions:
    return build_definitions(Settings(home=Path("/nonexistent/shoplake")))


def asset_graph(definitions: dg.Definitions) -> dict[str, Any]:
    graph = definitions.resolve_asset_graph()
    return {
        node.key.to_user_string(): {
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": sorted(node.owners),
            "parents": sorted(key.to_user_string() for key in node.parent_keys),
            "checks": sorted(key.name for key in node.check_keys),
            "code_version": node.code_version,
            "automation": None if node.automation_condition is None else node.automation_condition.get_label(),
            "materializable": node.is_materializable,
            "fresh": node.freshness_policy is not None,
        }
        for node in graph.asset_nodes
    }


def test_the_asset_graph_is_the_committed_one(definitions: dg.Definitions) -> None:
    """To accept a change, run this module, and look at the difference that it makes to the file."""
    assert asset_graph(definitions) == json.loads(SNAPSHOT.read_text())


def test_the_code_location_loads_and_everything_is_on(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    sensors = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    assert sensors == {
        "bronze_ingest": dg.DefaultSensorStatus.RUNNING,
        "refresh_automation": dg.DefaultSensorStatus.RUNNING,
    }
    schedules = {schedule.name: schedule.default_status for schedule in repository.schedule_defs}
    assert schedules == dict.fromkeys(("exports", "maintenance", "verify"), dg.DefaultScheduleStatus.RUNNING)


def test_only_its_own_job_verifies(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    verified = {key for key in graph.asset_check_keys if key.name == VERIFIED}
    assert {key.asset_key.to_user_string() for key in verified} == {name.replace(".", "/") for name in VERIFIABLE}
    for name in ("refresh", "write_exports", "maintenance", "verify"):
        nodes = {node.name for node in definitions.resolve_job_def(name).nodes}
        assert ("verification" in nodes) == (name == "verify")
    # A check with a condition of its own does not ride along when automation refreshes its table.
    riding = {key.asset_key.to_user_string() for key in verified if graph.get(key).automation_condition is None}
    assert riding == {"bronze/events"}  # which nothing refreshes


def test_every_table_shows_its_columns_and_every_blocking_check_its_purpose(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for node in graph.asset_nodes:
        if node.group_name in ("bronze", "silver", "gold"):
            schema = node.metadata["dagster/column_schema"]
            assert isinstance(schema, dg.TableSchema), node.key
            assert all(column.description for column in schema.columns), node.key
            assert node.description, node.key
    for key in graph.asset_check_keys:
        assert graph.get(key).description, key


@pytest.mark.parametrize(
    "silver", [None, {"accept_because": "the outage", "accept_share": 0.25}, {"replay_quarantine": True}]
)
def test_the_refresh_job_takes_what_the_command_line_asks_of_it(
    definitions: dg.Definitions, silver: dict[str, Any] | None
) -> None:
    job = definitions.resolve_job_def(REFRESH_JOB)
    given = dg.validate_run_config(job, run_config(silver))["ops"]["silver"]["config"]
    nothing = {"accept_because": "", "accept_share": 1.0, "replay_quarantine": False}
    assert given == {**nothing, **(silver or {})}


def test_the_order_of_refreshing_is_the_lineage_that_is_shown() -> None:
    order = [gold.name for wave in WAVES for gold in wave]
    assert set(order) == set(GOLD) == set(LINEAGE)
    reconciled = {name for name in GOLD if any(spec.name == RECONCILES for spec in check_specs(name))}
    assert reconciled == {gold.name for wave in WAVES for gold in wave if gold.adds_up}
    for wave in WAVES:
        earlier = order[: order.index(wave[0].name)]
        for gold in wave:
            assert gold.source in LINEAGE[gold.name]
            assert all(below in earlier or below.startswith("silver.") for below in LINEAGE[gold.name])


@pytest.mark.parametrize("arguments", [[], ["-w", "workspace.yaml"]], ids=["pyproject", "workspace.yaml"])
def test_a_bare_dagster_command_finds_the_code_location(arguments: list[str], tmp_path: Path) -> None:
    """`dagster dev` looks into pyproject.toml first and into workspace.yaml otherwise; both name the same location."""
    found = subprocess.run(  # noqa: S603  Dagster's own command
        [sys.executable, "-m", "dagster", "definitions", "validate", *arguments],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "Validation successful for code location shoplake" in found.stdout + found.stderr


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(asset_graph(built()), indent=2, sort_keys=True) + "\n")
