"""`shoplake verify`: its document, its exit codes, and what it says when it cannot act; proofs are tested in `lake`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.cli.conftest import NOON, TOPIC_ID


def shoplake(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main.app, ["verify", *arguments])
    return result.exit_code, result.stdout, result.stderr


def commit(settings: Settings, *offsets: int) -> None:
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    rows = [
        {
            "topic": "shop-events",
            "topic_id": TOPIC_ID,
            "partition": 0,
            "offset": offset,
            "kafka_timestamp": NOON,
            "ingested_at": NOON,
        }
        for offset in offsets
    ]
    bronze.append(pa.Table.from_pylist(rows, schema=bronze.schema().as_arrow()))


def proof(document: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    (found,) = (proof for proof in document["proofs"] if (proof["table"], proof["name"]) == (table, name))
    return dict(found)


def test_a_quick_look_at_a_good_lake_says_what_it_leaves_open_and_ends_with_0(lake: Settings) -> None:
    commit(lake, 0, 1, 2)
    code, out, err = shoplake("--quick", "--json")
    document = json.loads(out)
    assert (code, err, document["holds"], document["quick"]) == (0, "", True, True)
    assert proof(document, BRONZE_EVENTS, "offsets") == {
        "name": "offsets",
        "table": BRONZE_EVENTS,
        "holds": True,
        "says": "3 records in 1 file fill their offsets",
        "findings": [],
        "figures": {"records": 3, "files": 1, "faults": 0},
    }
    assert proof(document, BRONZE_EVENTS, "rows")["holds"] is None
    assert proof(document, BRONZE_EVENTS, "kafka")["says"].startswith("Kafka does not answer")
    assert shoplake("--quick")[1].splitlines()[-1].startswith("Metadata holds (")


def test_what_is_wrong_is_named_and_ends_with_1(lake: Settings) -> None:
    commit(lake, 0, 1, 3)
    code, out, err = shoplake("--quick")
    assert (code, err) == (1, "")
    assert f"  partition 0 of topic {TOPIC_ID}: 3 rows for the 4 offsets 0 to 3" in out.splitlines()
    assert json.loads(shoplake("--quick", "--json")[1])["holds"] is False


@pytest.mark.usefixtures("lake")
def test_without_spark_one_line_says_what_starts_it() -> None:
    code, out, err = shoplake()
    assert (code, out) == (1, "")
    assert err.startswith("shoplake: Spark at sc://127.0.0.1:")
    assert err.endswith("does not answer. 'shoplake up' starts it, 'shoplake status' shows it.\n")
    assert err.count("\n") == 1


def test_without_a_lake_one_line_says_how_there_comes_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "none"))
    told = f"shoplake: there is no lake in {tmp_path / 'none'}. 'shoplake up' makes it.\n"
    assert shoplake("--quick") == (1, "", told)


def test_a_quick_look_needs_neither_spark_nor_dagster(lake: Settings) -> None:
    commit(lake, 0)
    program = (
        "import atexit, sys; heavy = {'dagster', 'pandera', 'pyspark'}; "
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr)); "
        "from shoplake_assets.cli.main import app; app(['verify', '--quick'])"
    )
    done = subprocess.run(  # noqa: S603  the program is written above
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "[]"
