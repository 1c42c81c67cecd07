"""`shoplake maintain`: the scheduled work, by hand."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS
from shoplake_assets_tests.building import Shop, event

HOUR = "2026-06-01T00:10:00Z"  # long over


@pytest.mark.usefixtures("lake")
def test_without_spark_it_says_what_starts_it() -> None:
    result = CliRunner().invoke(main.app, ["maintain"])
    assert result.exit_code == 1
    assert result.stderr == ("shoplake: Spark does not run, and maintenance works with it. 'shoplake up' starts it.\n")


@pytest.mark.spark
def test_it_says_of_each_table_what_was_done_and_how_large_it_was_and_is(shop: Shop, settings: Settings) -> None:
    for _ in range(9):
        shop.produce(event(), kafka_time=HOUR)
    done = subprocess.run(
        [sys.executable, "-m", "shoplake_assets.cli.main", "maintain", "--json"],
        env={**os.environ, "SHOPLAKE_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    document = json.loads(done.stdout)
    assert set(document["tables"]) == set(ALL)
    bronze = document["tables"][BRONZE_EVENTS]
    assert bronze["did"] == ["9 files became 1"]
    assert (bronze["before"]["files"], bronze["after"]["files"]) == (9, 1)
    assert document["history"] == "0 runs and 0 reports forgotten"
