"""What somebody who changes a contract sees: one line is a rule, and a new column reaches the live tables."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import shoplake_assets
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD_HOURLY_SALES, SILVER_EVENTS
from shoplake_assets_tests.building import Fates, Shop, event, hour

pytestmark = pytest.mark.spark

PACKAGE = Path(shoplake_assets.__file__).parent

REFRESH = """
import json, sys
from pyspark.sql import SparkSession
from shoplake_assets.assets.specification import column_schema
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gold import refresh_gold
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.silver import refresh_silver
from shoplake_assets.settings import load_settings
from shoplake_assets.tables import GOLD, SILVER_EVENTS

settings, run = load_settings(), sys.argv[1]
session = SparkSession.builder.remote(settings.spark_remote).getOrCreate()
lake = Lake(open_catalog(settings), session)
refresh_silver(lake, run=run)
list(refresh_gold(lake, tables=GOLD, run=run))
columns = {column.name: column.constraints.other for column in column_schema(SILVER_EVENTS).columns}
print(json.dumps(columns))
session.stop()
"""


class Edit(NamedTuple):
    """One line of a module, and what it becomes."""

    module: str
    line: str
    becomes: str


def refresh_with(settings: Settings, folder: Path, *edits: Edit) -> dict[str, Any]:
    """Refresh the lake with a copy of the code in which these lines are changed; give Silver's column constraints."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in edits:
        path = folder / PACKAGE.name / edit.module
        text = path.read_text()
        assert text.count(edit.line) == 1, edit.line
        path.write_text(text.replace(edit.line, edit.becomes))
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", REFRESH, folder.name],
        cwd=folder,
        env={**os.environ, "SHOPLAKE_HOME": str(settings.home), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    constraints: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return constraints


def changed_lines(folder: Path, module: str) -> tuple[Sequence[str], Sequence[str]]:
    """Lines that only the original has, and lines that only the copy has."""
    before, after = ((root / module).read_text().splitlines() for root in (PACKAGE, folder / PACKAGE.name))
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_a_rule_is_one_line_in_one_contract(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    shop.produce(event(event_id="a", product_id="sku-1"), event(event_id="b", product_id="1"))
    folder = tmp_path / "rule"
    rule = Edit(
        "contracts/silver.py",
        "    product_id: T.StringType = pa.Field(nullable=False, **_ID,",
        '    product_id: T.StringType = pa.Field(nullable=False, str_startswith="sku-", **_ID,',
    )
    constraints = refresh_with(settings, folder, rule)
    assert [len(lines) for lines in changed_lines(folder, rule.module)] == [1, 1]
    assert shop.fates() == Fates(silver=1, quarantine=1, duplicates=0)
    assert shop.reasons() == [["product_id does not begin with sku-"]]
    assert "begins with sku-" in constraints["product_id"]


def test_a_new_column_reaches_the_live_tables_and_another_version_fills_it_for_what_was_there(
    shop: Shop, settings: Settings, tmp_path: Path
) -> None:
    shop.produce(event(event_id="old", voucher="SPRING"))
    shop.refresh()
    readers = shop.lake.table(SILVER_EVENTS).scan().to_arrow().column_names
    shop.produce(event(event_id="new", voucher="AUTUMN"), event("add_to_cart", event_id="none", at=NEXT_DAY))
    column = (
        Edit(
            "contracts/silver.py",
            "    price_defaulted: T.BooleanType",
            '    voucher: T.StringType = pa.Field(nullable=True, description="Voucher.")\n'
            "    price_defaulted: T.BooleanType",
        ),
        Edit("transforms/parsing.py", "_TEXTS = (", '_TEXTS = ("voucher", '),
        Edit(
            "contracts/gold.py",
            "    buyers: T.LongType",
            '    carts: T.LongType = pa.Field(nullable=True, ge=0, description="Additions to a cart.")\n'
            "    buyers: T.LongType",
        ),
        Edit(
            "transforms/gold.py",
            '        F.count_distinct("session_id").alias("sessions"),',
            '        F.count_distinct("session_id").alias("sessions"),\n'
            '        F.count_if(F.col("event_type") == "add_to_cart").alias("carts"),',
        ),
    )
    refresh_with(settings, tmp_path / "column", *column)
    vouchers = shop.column(SILVER_EVENTS, key="event_id", value="voucher")
    assert vouchers == {"old": None, "new": "AUTUMN", "none": None}
    assert [
        name for name in shop.lake.table(SILVER_EVENTS).scan().to_arrow().column_names if name != "voucher"
    ] == readers
    carts = shop.column(GOLD_HOURLY_SALES, key="event_hour", value="carts")
    assert carts == {hour("2026-03-01T10"): 0, hour("2026-03-02T10"): 1}

    version = Edit("contracts/silver.py", "code_version=", 'code_version="next" ')
    refresh_with(settings, tmp_path / "version", *column, version)
    vouchers = shop.column(SILVER_EVENTS, key="event_id", value="voucher")
    assert vouchers == {"old": "SPRING", "new": "AUTUMN", "none": None}


NEXT_DAY = datetime(2026, 3, 2, 10, tzinfo=UTC).isoformat()
