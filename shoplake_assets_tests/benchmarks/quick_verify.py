"""How long does `shoplake verify --quick` take on a lake of many files?

    python -m shoplake_assets_tests.benchmarks.quick_verify --files 1000 --rounds 5

Makes a lake in a folder that is removed afterwards, without Spark and without Kafka: Bronze has as many data files and
commits as asked for, by default two files to a commit, as the stream leaves them with two Kafka partitions. It measures
the verification by itself, and the whole command with the start of Python.

Belongs here: this one measurement. It asserts nothing: machines are noisy.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import psutil  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.lake.verify.quick import verify_quickly
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY = datetime(2026, 3, 1, tzinfo=UTC)
_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
_PARTITIONS = 2
_ROWS = 10


def fill(settings: Settings, *, files: int, commits: int) -> None:
    """Commit files of ten records to Bronze, equally many in each commit, the Kafka partitions by turns."""
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    schema = bronze.schema().as_arrow()
    numbers = count()
    for _ in track(range(commits), "Making the lake"):
        # A file for each hour, so a commit's files are told apart by the hours of their records.
        rows = [row for hour in range(files // commits) for row in _records(next(numbers), hour=hour)]
        bronze.append(pa.Table.from_pylist(rows, schema=schema))


def _records(number: int, *, hour: int) -> "Iterator[dict[str, object]]":
    first = number // _PARTITIONS * _ROWS
    for offset in range(first, first + _ROWS):
        yield {
            "topic": "shop-events",
            "topic_id": _TOPIC_ID,
            "partition": number % _PARTITIONS,
            "offset": offset,
            "kafka_timestamp": _DAY + timedelta(hours=hour),
            "key": b"u1",
            "payload": b"{}",
            "headers": None,
            "ingested_at": _DAY,
        }


def seconds_alone(settings: Settings) -> float:
    """Seconds of the verification by itself."""
    began = time.perf_counter()
    found = verify_quickly(open_catalog(settings), kafka=lambda: None)
    seconds = time.perf_counter() - began
    if not found.holds:
        raise SystemExit("the lake does not hold")
    return seconds


def seconds_of_command(settings: Settings) -> float:
    """Seconds of the whole command."""
    command = [sys.executable, "-m", "shoplake_assets.cli.main", "verify", "--quick", "--json"]
    environment = {**os.environ, "SHOPLAKE_HOME": str(settings.home)}
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
    return time.perf_counter() - began


def main(
    *,
    files: Annotated[int, typer.Option(min=_PARTITIONS, help="Data files in Bronze.")] = 1000,
    commits: Annotated[int, typer.Option(min=1, help="Commits that made them.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="Times to measure; one more warms up.")] = 5,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure the quick verification."""
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder:
        settings = Settings(home=Path(folder) / "lake")
        prepare_lake(settings)
        choose_free_ports(settings)
        fill(settings, files=files, commits=commits)
        measured = {
            "the verification": [seconds_alone(settings) for _ in range(rounds + 1)][1:],
            "the whole command": [seconds_of_command(settings) for _ in range(rounds + 1)][1:],
        }
    table = Table("seconds", "median", "least", "most")
    for name, values in measured.items():
        table.add_row(name, *(f"{figure(values):.2f}" for figure in (median, min, max)))
    console = Console()
    console.print(table)
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.platform()}"
    console.print(f"{files:,} data files in {commits:,} commits, {rounds} rounds; {machine}.")
    if output is not None:
        output.write_text(
            json.dumps({"machine": machine, "files": files, "commits": commits, "seconds": measured}, indent=2) + "\n"
        )


if __name__ == "__main__":
    typer.run(main)
