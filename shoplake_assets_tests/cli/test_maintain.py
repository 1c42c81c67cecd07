"""`shoplake maintain`: the scheduled work, by hand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, BRONZE_GAPS
from shoplake_assets_tests.building import Shop, event

HOUR = "2026-06-01T00:10:00Z"  # long over


@pytest.mark.usefixtures("lake")
def test_without_spark_it_says_what_starts_it() -> None:
    result = CliRunner().invoke(main.app, ["maintain"])
    assert result.exit_code == 1
    assert result.stderr.startswith("shoplake: Spark at sc://127.0.0.1:")
    assert result.stderr.endswith("does not answer. 'shoplake up' starts it, 'shoplake status' shows it.\n")


def maintain(settings: Settings, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  the options are written below
        [sys.executable, "-m", "shoplake_assets.cli.main", "maintain", *options],
        env={**os.environ, "SHOPLAKE_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.spark
def test_it_says_of_each_table_what_was_done_and_how_large_it_was_and_is(shop: Shop, settings: Settings) -> None:
    for _ in range(9):
        shop.produce(event(), kafka_time=HOUR)
    done = maintain(settings, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert set(document["tables"]) == set(ALL)
    bronze = document["tables"][BRONZE_EVENTS]
    assert bronze["did"] == ["9 files became 1"]
    assert (bronze["before"]["files"], bronze["after"]["files"]) == (9, 1)
    assert document["history"] == "0 runs and 0 reports forgotten"


@pytest.mark.spark
@pytest.mark.usefixtures("shop")
def test_a_table_that_fails_is_named_and_the_others_are_maintained_and_shown(settings: Settings) -> None:
    metadata = Path(open_catalog(settings).load_table(BRONZE_GAPS).metadata_location.removeprefix("file://"))
    aside = metadata.rename(metadata.with_suffix(".aside"))
    done = maintain(settings, "--json")
    aside.rename(metadata)
    assert done.returncode == 1
    assert done.stderr.startswith("shoplake: bronze.gaps: maintenance failed, no row has changed: [Errno 2] ")
    assert done.stderr.count("\n") == 1
    document = json.loads(done.stdout)
    assert set(document["tables"]) == set(ALL) - {BRONZE_GAPS}
    assert document["history"] == "0 runs and 0 reports forgotten"
