"""What do the checks of a refresh cost?

    python -m shoplake_assets_tests.benchmarks.validation_cost --events 100000 --rounds 5

Refreshes Silver and Gold by one increment of generated events, by turns with all checks and with none, each time into a
lake that holds an increment of the same size already. Broker and Spark are started for it on free ports, in a folder
that is removed afterwards. For comparison it also has Pandera by itself judge Silver's new rows, a Spark job for each
check, which is what the combined passes stand in the place of.

Belongs here: this one measurement. It asserts nothing: machines are noisy.
"""

import json
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated
from unittest.mock import patch

import psutil  # type: ignore[import-untyped]
import typer
from pandera.config import ValidationDepth, config_context  # noqa: TID253  to have Pandera judge by itself
from rich.console import Console
from rich.table import Table

from shoplake_assets.contracts import contract
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.traffic import Plan
from shoplake_assets.lake import gold, settlement
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.tables import SILVER_EVENTS
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from shoplake_assets.settings import Settings

_DAY = datetime(2026, 3, 1, tzinfo=UTC)
_PARTITIONS = 2


@contextmanager
def without_checks() -> Iterator[None]:
    """Refreshes that judge nothing: no contract, no key, no sums, no limits."""
    unlimited = replace(contract.table_of(SilverEvents), limits=(), volume=None)
    with ExitStack() as patches:
        patches.enter_context(patch.object(settlement, "_checks", lambda *_, **__: []))
        patches.enter_context(patch.object(gold, "check_small_table", lambda *_, **__: ([], {})))
        patches.enter_context(patch.object(gold, "check_totals", lambda *_, **__: None))
        patches.enter_context(patch.object(gold, "totals", lambda *_, **__: {}))
        patches.enter_context(patch.object(gold, "require", lambda *_, **__: None))
        patches.enter_context(patch.dict(contract._TABLES, {SilverEvents: unlimited}))
        yield


def increments(events: int) -> list[list[bytes]]:
    """Two increments of generated events of one day, with repeats, late and broken ones."""
    mishaps = Mishaps(late=0.01, duplicate=0.01, bad=0.002)
    plan = Plan(seed=5, mishaps=mishaps, start=_DAY.timestamp(), rate=None, count=2 * events)
    payloads = [record.value for record in plan.records()]
    return [payloads[:events], payloads[events:]]


def refresh_seconds(
    spark: "SparkSession", settings: "Settings", batches: list[list[bytes]], *, checks: bool
) -> tuple[float, float]:
    """Seconds for the second increment, and for Pandera by itself on the rows that it brought to Silver."""
    empty_lake(settings)
    shop = Shop(Lake(open_catalog(settings), spark))
    seconds = 0.0
    for batch in batches:
        for partition in range(_PARTITIONS):
            shop.produce(*batch[partition::_PARTITIONS], partition=partition)
        with ExitStack() as mode:
            if not checks:
                mode.enter_context(without_checks())
            began = time.perf_counter()
            shop.refresh()
            seconds = time.perf_counter() - began
    return seconds, _pandera_seconds(shop) if checks else 0.0


def _pandera_seconds(shop: Shop) -> float:
    table = shop.lake.table(SILVER_EVENTS)
    rows = shop.lake.spark.read.option(
        "start-snapshot-id",
        str(table.current_snapshot().parent_snapshot_id),  # type: ignore[union-attr]
    ).table(f"lake.{SILVER_EVENTS}")
    began = time.perf_counter()
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        SilverEvents.validate(rows)  # type: ignore[arg-type]
    return time.perf_counter() - began


def main(
    *,
    events: Annotated[int, typer.Option(min=1, help="Events in the increment.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="Refreshes of each kind; one more warms up.")] = 5,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure refreshes with and without checks, by turns."""
    from pyspark.sql import SparkSession

    batches = increments(events)
    with_checks, without, pandera = [], [], []
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder, broker_and_spark(Path(folder)) as settings:
        spark = SparkSession.builder.remote(settings.spark_remote).getOrCreate()
        try:
            for turn in range(rounds + 1):
                seconds, alone = refresh_seconds(spark, settings, batches, checks=True)
                bare, _ = refresh_seconds(spark, settings, batches, checks=False)
                if turn:
                    with_checks.append(seconds)
                    without.append(bare)
                    pandera.append(alone)
        finally:
            spark.stop()
    rows = {
        "refresh without checks": without,
        "refresh with all checks": with_checks,
        "difference: the checks": [one - other for one, other in zip(with_checks, without, strict=True)],
        "Pandera by itself, Silver only": pandera,
    }
    table = Table("seconds", "median", "least", "most")
    for name, values in rows.items():
        table.add_row(name, *(f"{figure(values):.2f}" for figure in (median, min, max)))
    console = Console()
    console.print(table)
    share = median(rows["difference: the checks"]) / median(without)
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.platform()}"
    console.print(
        f"The checks cost {share:.0%} of the refresh without them; {events:,} events, {rounds} rounds; {machine}."
    )
    if output is not None:
        output.write_text(json.dumps({"machine": machine, "events": events, "seconds": rows}, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
