"""Real data sets, as published, through the whole product; and the snippets of `connect` against what came of them."""

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import zstandard

from shoplake_assets_tests.product.conftest import Product

pytestmark = [pytest.mark.spark, pytest.mark.product]

REES46 = """\
event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session
2019-11-01 00:00:00 UTC,view,1003461,2053013555631882655,electronics.smartphone,xiaomi,489.07,520088904,s-1
2019-11-01 00:00:09 UTC,purchase,1003461,2053013555631882655,electronics.smartphone,xiaomi,489.07,520088904,s-1
2019-11-01 00:00:14 UTC,purchase,5000088,2053013566100866035,appliances.sewing_machine,janome,293.65,530496790,s-2
2019-11-01 00:01:00 UTC,purchase,5000088,20530135661
"""
RETAILROCKET = """\
timestamp,visitorid,event,itemid,transactionid
1433221332117,257597,view,355908,
1433224214164,992329,addtocart,248676,
1433222276276,599528,transaction,356475,4000
"""
JSON_LINES = [
    {
        "event_id": "own-1",
        "event_type": "purchase",
        "event_time": "2026-03-01T10:15:00Z",
        "user_id": "u1",
        "session_id": "s1",
        "product_id": "p1",
        "category": "light",
        "price": 10.1,
        "quantity": 3,
    },
    {"event_id": "own-2", "event_type": "no such thing", "event_time": "2026-03-01T10:15:00Z"},
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small file of each format, one of them plain, one gzip, one zstd."""
    folder = tmp_path_factory.mktemp("files")
    files = {
        "rees46": folder / "2019-Nov.csv",
        "retailrocket": folder / "events.csv.gz",
        "jsonl": folder / "own.jsonl.zst",
    }
    files["rees46"].write_text(REES46)
    files["retailrocket"].write_bytes(gzip.compress(RETAILROCKET.encode()))
    lines = "".join(f"{json.dumps(line)}\n" for line in JSON_LINES)
    files["jsonl"].write_bytes(zstandard.compress(lines.encode()))
    return files


def test_each_format_reaches_gold_and_a_second_replay_changes_no_number(
    product: Product, files: dict[str, Path]
) -> None:
    for source, file in files.items():
        product.run("replay", str(file), "--format", source)
    product.run("drain")
    sales = {row["event_hour"]: (row["events"], row["revenue"]) for row in product.read("gold.hourly_sales")}
    assert sales == {
        datetime(2019, 11, 1, 0, tzinfo=UTC): (3, Decimal("782.72")),
        datetime(2015, 6, 2, 5, tzinfo=UTC): (3, Decimal("0.00")),
        datetime(2026, 3, 1, 10, tzinfo=UTC): (1, Decimal("30.30")),
    }
    quarantined = {bytes(row["payload"]).decode() for row in product.read("silver.quarantine")}
    assert quarantined == {REES46.splitlines()[-1], json.dumps(JSON_LINES[1])}
    before = product.numbers()
    del before["silver.quarantine"]
    for source, file in files.items():
        product.run("replay", str(file), "--format", source)
    product.run("drain")
    after = product.numbers()
    assert {name: after[name] for name in before} == before


def test_what_connect_prints_works_as_it_is_pasted(product: Product, tmp_path: Path) -> None:
    sections = product.run("connect").stdout.split("# ")[1:]
    snippets = dict(section.split("\n", 1) for section in sections)
    assert list(snippets) == ["pyiceberg", "DuckDB", "Polars", "Spark"]
    for tool in ("pyiceberg", "DuckDB", "Polars"):
        done = subprocess.run(  # noqa: S603  the product's own words
            [sys.executable, "-c", snippets[tool]], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{tool}: {done.stderr}"
        assert "30.30" in done.stdout or "813.02" in done.stdout, f"{tool}: {done.stdout}"


def test_a_second_ingest_refuses_to_start_and_names_the_first(product: Product) -> None:
    holder = product.json("status")["processes"]["ingest"]["pid"]
    done = subprocess.run(
        [sys.executable, "-m", "shoplake_assets.ingest"],
        env={**os.environ, "SHOPLAKE_HOME": str(product.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"shoplake: process {holder} already ingests into {product.home}.")
    assert done.stderr.count("\n") == 1
