"""From `shoplake up` to a lake that is ready, to the first row of Gold, and what it takes of processors and memory.

    python -m shoplake_assets_tests.benchmarks.start --rounds 3 --json docs/measurements/start.json

Starts a new lake several times as a user does, with what it downloads in the cache, and the generator at 50 events a
second. Each time it notes what every process has taken of the processors until all were ready, `up` itself among them.
In the last round it then looks at the resident memory of every process for some minutes. Runs are forked, and programs
share libraries: a page that several processes have counts once in all, by equal parts for each of them.

Belongs here: the seconds and the bytes. It asserts nothing: machines are noisy.
"""

import json
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import rows_of
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES
from shoplake_assets_tests.benchmarks.metering import Processes
from shoplake_assets_tests.benchmarks.running import about, running_lake
from shoplake_assets_tests.benchmarks.tracing import runs_of
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

RATE = 50
_LOOK_SECONDS = 1.0


def resident(settings: "Settings") -> dict[str, int]:
    """Resident bytes of each process of the lake with all that it has started, and of their supervisor."""
    sizes: dict[str, int] = {}
    for name, state in process_states(settings).items():
        if state.pid is not None:
            sizes[name] = sum(_resident(process) for process in _family(state.pid))
            sizes["supervisor"] = _resident(psutil.Process(psutil.Process(state.pid).ppid()))
    return sizes


def processor_seconds(settings: "Settings") -> dict[str, float]:
    """CPU seconds that each process of the lake has taken so far, with what it has started and runs still."""
    processes = Processes({})
    for name, state in process_states(settings).items():
        if state.pid is not None:
            processes.add(name, state.pid)
    return processes.stop()


def _spent_by_commands() -> float:
    """CPU seconds of the commands that this process has called, and of what they have waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _family(pid: int) -> Iterator[psutil.Process]:
    process = psutil.Process(pid)
    yield process
    yield from process.children(recursive=True)


def _resident(process: psutil.Process) -> int:
    """Proportional set size, bytes: added up, it is what all of them take."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def _has_gold(settings: "Settings") -> bool:
    return rows_of(open_catalog(settings).load_table(GOLD_HOURLY_SALES).current_snapshot()) > 0


def milestones(settings: "Settings") -> dict[str, float]:
    """When the way to the first row of Gold came to each of its places, in seconds since 1970."""
    first = open_catalog(settings).load_table(BRONZE_EVENTS).snapshots()[0]
    run = runs_of(settings)[0]
    return {
        "first commit to Bronze": first.timestamp_ms / 1000,
        "first refresh is asked for": run.created,
        "Silver begins": run.silver_began,
    }


def watch(settings: "Settings", *, seconds: float) -> list[dict[str, int]]:
    """Look at the memory once a second."""
    looks = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        looks.append(resident(settings))
        time.sleep(_LOOK_SECONDS)
    return looks


def main(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often to start.")] = 3,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to look at the memory.")] = 5,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure."""
    console = Console()
    document = about()
    ready: list[float] = []
    gold: list[float] = []
    spent: list[dict[str, float]] = []
    spent_to_gold: list[dict[str, float]] = []
    places: list[dict[str, float]] = []
    looks: list[dict[str, int]] = []
    for number in range(rounds):
        began, clock, before = time.monotonic(), time.time(), _spent_by_commands()
        with running_lake(GENERATOR__RATE=RATE) as settings:
            ready.append(round(time.monotonic() - began, 1))
            by_up = {"up": round(_spent_by_commands() - before, 2)}
            spent.append({**by_up, **processor_seconds(settings)})
            wait_until(partial(_has_gold, settings), what="Gold has a row")
            gold.append(round(time.monotonic() - began, 1))
            spent_to_gold.append({**by_up, **processor_seconds(settings)})
            places.append({place: round(moment - clock, 1) for place, moment in milestones(settings).items()})
            console.print(f"ready after {ready[-1]} s, first row of Gold after {gold[-1]} s; CPU seconds: {spent[-1]}")
            if number == rounds - 1:
                looks = watch(settings, seconds=minutes * 60)
    names = looks[-1]
    memory = {
        name: {
            "median": median(sizes := [look.get(name, 0) for look in looks]),
            "most": max(sizes),
        }
        for name in names
    }
    totals = [sum(look.values()) for look in looks]
    memory["all"] = {"median": median(totals), "most": max(totals)}
    table = Table("resident, MB", "median", "most")
    for name, sizes_of in memory.items():
        table.add_row(name, *(f"{sizes_of[key] / 1e6:,.0f}" for key in ("median", "most")))
    console.print(table)
    if output is not None:
        document |= {"rate": RATE, "ready_seconds": ready, "gold_seconds": gold, "minutes": minutes, "memory": memory}
        document |= {
            "cores": psutil.cpu_count(),
            "cpu_seconds": _medians(spent),
            "cpu_seconds_to_gold": _medians(spent_to_gold),
            "milestones": {place: [one[place] for one in places] for place in places[0]},
        }
        output.write_text(json.dumps(document, indent=2) + "\n")


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}


if __name__ == "__main__":
    typer.run(main)
