"""Does a refresh cost the same in a small lake and in a large one?

    python -m shoplake_assets_tests.benchmarks.refresh_cost --lake 1000000 --lake 5000000 --lake 20000000 --rounds 5

Grows lakes of these sizes, each with a Spark of its own, and then by turns commits 100,000 new events to each and
refreshes Silver and all Gold tables, with all checks. Beside them it runs what many would write instead: a
`spark-submit` that makes all of Silver anew from all of Bronze, and a second one that makes all of Gold anew from all
of Silver, on as many events.

Belongs here: the measurement. It asserts nothing: machines are noisy. Does not belong here: the lakes' events
(`grown_lake`), the classic jobs (`peers.classic`).
"""

import json
import os
import platform
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gold import refresh_gold
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.lake.silver import refresh_silver
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import GOLD
from shoplake_assets_tests.benchmarks.grown_lake import commit
from shoplake_assets_tests.benchmarks.metering import metered
from shoplake_assets_tests.benchmarks.peers import classic
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

INCREMENT = 100_000
_A_COMMIT = 1_000_000


@dataclass
class Grown:
    """A lake, and how many events it has."""

    settings: "Settings"
    lake: Lake
    events: int = 0

    def grow(self, *, to: int) -> None:
        """Let it have so many events, in Bronze, Silver and Gold."""
        while self.events < to:
            count = min(_A_COMMIT, to - self.events)
            commit(self.lake, first=self.events, count=count)
            self.events += count
            self.refresh()

    def refresh(self) -> None:
        """Refresh all tables.

        Raises:
            AuditFailedError: An audit failed.
        """
        run = f"e{self.events}"
        refresh_silver(self.lake, run=run)
        for outcome in refresh_gold(self.lake, tables=GOLD, run=run):
            if isinstance(outcome, AuditFailedError):
                raise outcome

    def increment(self) -> dict[str, Any]:
        """Commit new events and give what their refresh cost."""
        commit(self.lake, first=self.events, count=INCREMENT)
        self.events += INCREMENT
        spark = process_states(self.settings)["spark"].pid or 0
        with metered(self.settings.home / "warehouse", {"spark": spark, "client": os.getpid()}) as (cost, _):
            self.refresh()
        return asdict(cost)


def lakes(sizes: Sequence[int], folder: Path, held: ExitStack) -> dict[int, Grown]:
    """Lakes of these sizes, each with a broker and a Spark of its own, which end with `held`."""
    from pyspark.sql import SparkSession

    grown = {}
    for size in sizes:
        settings = held.enter_context(broker_and_spark(folder / str(size)))
        spark = SparkSession.builder.remote(settings.spark_remote).create()
        held.callback(spark.stop)
        empty_lake(settings)
        grown[size] = Grown(settings, Lake(open_catalog(settings), spark))
        grown[size].grow(to=size)
    return grown


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Least, median and most seconds of each kind of run."""
    found = {}
    for name in dict.fromkeys(f"{one['what']}, {one['lake']:,} events" for one in runs):
        seconds = [one["seconds"] for one in runs if f"{one['what']}, {one['lake']:,} events" == name]
        found[name] = {"least": min(seconds), "median": median(seconds), "most": max(seconds)}
    return found


def main(
    *,
    sizes: Annotated[list[int] | None, typer.Option("--lake", min=INCREMENT, help="Events of a lake.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Refreshes of each lake.")] = 5,
    batches: Annotated[int, typer.Option("--classic", min=0, help="Runs of the classic jobs on each lake.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure the refreshes and the classic jobs, by turns."""
    console = Console()
    runs: list[dict[str, Any]] = []
    wanted = sizes or [1_000_000, 5_000_000, 20_000_000]
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as name, ExitStack() as held:
        grown = lakes(wanted, Path(name), held)
        for number in range(rounds + 1):
            for size, one in grown.items():
                cost = one.increment()
                if number:  # the first one warms up
                    runs.append({"what": "increment", "lake": size, "round": number, **cost})
                    console.print(f"increment, {size:,}: {cost['seconds']} s, CPU {cost['cpu_seconds']}")
        settings = next(iter(grown.values())).settings
        java = find_java(settings)
        for size in wanted if batches else ():
            classic.make_bronze(settings, java, folder=Path(name) / f"classic{size}", events=size)
        for number in range(batches):
            for size in wanted:
                for job, cost in classic.run(settings, java, folder=Path(name) / f"classic{size}").items():
                    runs.append({"what": f"classic {job}", "lake": size, "round": number, **cost})
                    console.print(f"classic {job}, {size:,}: {cost['seconds']} s")
    found = summary(runs)
    table = Table("seconds", "least", "median", "most")
    for what, figures in found.items():
        table.add_row(what, *(f"{figures[key]:.1f}" for key in ("least", "median", "most")))
    console.print(table)
    if output is not None:
        document = {
            "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
            f"{platform.system()} on {platform.machine()}",
            "measured_on": datetime.now(UTC).date().isoformat(),
            "increment": INCREMENT,
            "summary": found,
            "runs": runs,
        }
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
