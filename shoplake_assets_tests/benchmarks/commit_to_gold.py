"""How long does a Bronze commit take to be visible in every Gold table?

    python -m shoplake_assets_tests.benchmarks.commit_to_gold --commits 20 --rate 200

Starts a lake of its own on free ports, in a folder that is removed afterwards, and lets the generator run at a steady
rate. For each Bronze snapshot it measures the seconds from its commit until the position of every Gold table has
reached the snapshot's own. The commits of the first minute, while the JVMs are cold, are left out.

Belongs here: this one measurement. It asserts nothing: machines are noisy.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Annotated, Any

import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import commits, position_after, position_of, since
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, SILVER_EVENTS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from shoplake_assets.lake.position import Position

_POLL_SECONDS = 0.2
_WARM_UP_COMMITS = 6
_LAYERS = {"Silver": (SILVER_EVENTS,), "Gold": GOLD}


@contextmanager
def running_lake(*, rate: float) -> Iterator[Settings]:
    """A lake of its own, started as a user starts it, with the generator at the given rate."""
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder:
        home = Path(folder) / "home"
        environment = {**os.environ, "SHOPLAKE_HOME": str(home), "SHOPLAKE_GENERATOR__RATE": str(rate)}
        shoplake = [sys.executable, "-m", "shoplake_assets.cli.main"]
        subprocess.run([*shoplake, "up", "-d", "--ports", "auto"], env=environment, check=True)  # noqa: S603  our own
        try:
            yield Settings(home=home)
        finally:
            subprocess.run([*shoplake, "down"], env=environment, check=True)  # noqa: S603  our own command


def measure(catalog: "Catalog", *, count: int) -> list[dict[str, Any]]:
    """Follow commits until `count` of them, after the warm-up, have reached Gold.

    Returns:
        For each commit its rows, and the seconds from the commit to each layer.
    """
    wanted = count + _WARM_UP_COMMITS
    seen: int | None = None
    followed: list[tuple[Position, datetime, dict[str, Any]]] = []
    while True:
        bronze = catalog.load_table(BRONZE_EVENTS)
        for commit in commits(bronze, since(bronze, after=seen)):
            seen = commit.snapshot_id
            followed.append((position_after(commit.ranges), commit.committed_at, {"rows": commit.rows}))
        now = datetime.now(UTC)
        for layer, tables in _LAYERS.items():
            positions = [position_of(catalog.load_table(name).current_snapshot()) for name in tables]
            for target, committed, result in followed:
                if layer not in result and all(position.reaches(target) for position in positions):
                    result[layer] = (now - committed).total_seconds()
        done = [result for _, _, result in followed if "Gold" in result]
        if len(done) >= wanted:
            return done[_WARM_UP_COMMITS:wanted]
        time.sleep(_POLL_SECONDS)


def percentiles(values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "max": round(max(values), 1)}


def main(
    *,
    count: Annotated[int, typer.Option("--commits", min=2, help="Commits to measure.")] = 20,
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 200.0,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure from the Bronze commit to the published Silver and Gold."""
    with running_lake(rate=rate) as settings:
        results = measure(open_catalog(settings), count=count)
    summary = {layer: percentiles([result[layer] for result in results]) for layer in _LAYERS}
    table = Table("seconds from the Bronze commit to", "p50", "p95", "max")
    for layer, figures in summary.items():
        table.add_row(f"published {layer}", *(f"{figures[name]:.1f}" for name in ("p50", "p95", "max")))
    console = Console()
    console.print(table)
    rows = sum(result["rows"] for result in results)
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.platform()}"
    console.print(f"{len(results)} commits of {rows / len(results):,.0f} rows at {rate:g} events/s; {machine}.")
    if output is not None:
        document = {"machine": machine, "rate": rate, "summary": summary, "commits": results}
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
