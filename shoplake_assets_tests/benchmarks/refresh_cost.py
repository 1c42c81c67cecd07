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
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets_tests.benchmarks.grown_lake import PARTS, Grown, grown_lake
from shoplake_assets_tests.benchmarks.metering import metered
from shoplake_assets_tests.benchmarks.peers import classic
from shoplake_assets_tests.benchmarks.running import about

INCREMENT = 100_000


def increment(grown: Grown) -> dict[str, Any]:
    """Commit new events and give what their refresh cost."""
    grown.add(INCREMENT)
    spark = process_states(grown.settings)["spark"].pid or 0
    with metered(grown.settings.home / "warehouse", {"spark": spark, "client": os.getpid()}) as (cost, _):
        parts = grown.refresh()
    return {**asdict(cost), "parts": parts}


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Least, median and most seconds of each kind of run."""
    found = {}
    for name in dict.fromkeys(f"{one['what']}, {one['lake']:,} events" for one in runs):
        seconds = [one["seconds"] for one in runs if f"{one['what']}, {one['lake']:,} events" == name]
        found[name] = {"least": min(seconds), "median": median(seconds), "most": max(seconds)}
    return found


def parts_of(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median seconds of each part of an increment, by the lake's size."""
    increments = [one for one in runs if one["what"] == "increment"]
    return {
        str(size): {part: median(one["parts"][part] for one in increments if one["lake"] == size) for part in PARTS}
        for size in sorted({one["lake"] for one in increments})
    }


def main(
    *,
    sizes: Annotated[list[int] | None, typer.Option("--lake", min=INCREMENT, help="Events of a lake.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Refreshes of each lake.")] = 5,
    batches: Annotated[int, typer.Option("--classic", min=0, help="Runs of the classic jobs on each lake.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure the refreshes and the classic jobs, by turns."""
    console = Console()
    document = about()
    runs: list[dict[str, Any]] = []
    wanted = sizes or [1_000_000, 5_000_000, 20_000_000]
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as name, ExitStack() as held:
        # The largest first: a session ends where it is idle for long, as that of a small lake would be meanwhile.
        by_size = sorted(wanted, reverse=True)
        grown = {size: held.enter_context(grown_lake(Path(name) / str(size), events=size)) for size in by_size}
        for number in range(rounds + 1):
            for size in wanted:
                cost = increment(grown[size])
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
        document |= {
            "increment": INCREMENT,
            "summary": found,
            "parts": parts_of(runs),
            "runs": runs,
        }
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
