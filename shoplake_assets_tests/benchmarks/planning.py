"""Does planning stay in bounds when the lake's metadata holds a million files?

    python -m shoplake_assets_tests.benchmarks.planning --files 1000 --files 10000 --files 100000 --files 1000000

Makes lakes of these sizes in metadata alone (`made_up_lake`), and has the code of the lake plan: what Silver lacks,
which hours Gold has to compute, what may expire, where an ingest begins. It measures seconds, memory, and what was
opened of manifests and their lists, each step in a process of its own, so that nothing is in a cache. A second round
leaves the files as they are and lets snapshots pile up, as below a table that is blocked for days.

Belongs here: this one measurement. It asserts nothing of time: machines are noisy. What must not grow is asserted by
counts in `shoplake_assets_tests/lake/test_planning.py`.
"""

import json
import multiprocessing
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS
from shoplake_assets_tests.benchmarks.made_up_lake import COMMITS, NOW, MadeUpLake
from shoplake_assets_tests.benchmarks.opened import watched

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable

# The defaults of SHOPLAKE_REFRESH__MAX_EVENTS and SHOPLAKE_MAINTENANCE__MIN_FILES.
_MOST_EVENTS, _MIN_FILES = 500_000, 8


def open_tables(catalog: "Catalog") -> None:
    """Read the metadata of Bronze and Silver."""
    catalog.load_table(BRONZE_EVENTS)
    catalog.load_table(SILVER_EVENTS)


def silver_increment(catalog: "Catalog") -> None:
    """What a refresh of Silver takes in."""
    from shoplake_assets.lake.increment import plan_increment

    silver = catalog.load_table(SILVER_EVENTS)
    increment = plan_increment(catalog.load_table(BRONZE_EVENTS), silver, code_version="2", at_most=_MOST_EVENTS)
    if increment is None or increment.is_empty:
        raise SystemExit("the plan has nothing to do")


def gold_hours(catalog: "Catalog") -> None:
    """Which hours a Gold table has to compute."""
    from shoplake_assets.lake.gold import FACTS, plan_refresh

    plan = plan_refresh(catalog.load_table(SILVER_EVENTS), catalog.load_table(GOLD_HOURLY_SALES), FACTS[0])
    if plan is None or plan.whole or len(plan.hours) != 1:
        raise SystemExit("the plan is not the hour under way")


def status(catalog: "Catalog") -> None:
    """How far each table is: `shoplake status`, the metrics, the dashboard."""
    from shoplake_assets.lake.layers import read_layers

    read_layers(catalog)


def new_offsets(catalog: "Catalog") -> None:
    """Whether the offsets of the newest commits are contiguous: the sensor's check."""
    from shoplake_assets.lake.position import Position
    from shoplake_assets.lake.ranges import faults_in
    from shoplake_assets.lake.snapshots import commits, since

    bronze = catalog.load_table(BRONZE_EVENTS)
    ranges = [part for commit in commits(bronze, since(bronze, after=None)[-20:]) for part in commit.ranges]
    if not ranges or faults_in(ranges, start=Position(), gaps=[]):
        raise SystemExit("the offsets are not contiguous")


def expiry(catalog: "Catalog") -> None:
    """Which snapshots may go."""
    from shoplake_assets.lake.maintenance.expiry import horizon_of

    for name in (BRONZE_EVENTS, SILVER_EVENTS):
        horizon_of(catalog, name, at_most=NOW)


def hours_to_compact(catalog: "Catalog") -> None:
    """Which hours have many small files, where maintenance looked half an hour ago."""
    from shoplake_assets.lake.hours import hour_of
    from shoplake_assets.lake.maintenance.looking import Look, cells_to_look_at

    for name in (BRONZE_EVENTS, SILVER_EVENTS):
        table = catalog.load_table(name)
        then = table.metadata.snapshots[len(table.metadata.snapshots) // 2]
        last = Look(snapshot=then.snapshot_id, before=hour_of(NOW) - 1, min_files=_MIN_FILES, all_at=NOW.isoformat())
        cells = cells_to_look_at(table, last, before=hour_of(NOW), min_files=_MIN_FILES, now=NOW)
        if cells is None or len(cells) != 1:
            raise SystemExit("more than the hour that has ended is looked at")
        _crowded(table, name, cells)


def all_hours_to_compact(catalog: "Catalog") -> None:
    """The same of all hours, as maintenance looks once a day."""
    for name in (BRONZE_EVENTS, SILVER_EVENTS):
        _crowded(catalog.load_table(name), name, None)


def _crowded(table: "IcebergTable", name: str, cells: "frozenset[int] | None") -> None:
    from shoplake_assets.lake.hours import hour_of
    from shoplake_assets.lake.maintenance.compaction import COMPACTED, small_files
    from shoplake_assets.lake.maintenance.plan import crowded

    small = small_files(table, COMPACTED[name], cells=cells)
    if {cell for cells in crowded(small, before=hour_of(NOW), min_files=_MIN_FILES).values() for cell in cells} != {
        hour_of(NOW) - 1
    }:
        raise SystemExit("it is not the hour that has ended that is to be put together")


def ingest_start(catalog: "Catalog") -> None:
    """Where an ingest begins."""
    from shoplake_assets.lake.bronze import bronze_position

    bronze_position(catalog.load_table(BRONZE_EVENTS))


def quick_verification(catalog: "Catalog") -> None:
    """`shoplake verify --quick`: it proves something of every file, so it has to look at every file."""
    from shoplake_assets.lake.verify.quick import verify_quickly

    found = verify_quickly(catalog, kafka=lambda: None)
    if not all(proof.holds for proof in found.proofs if proof.name in ("offsets", "files")):
        raise SystemExit("the lake does not hold")


STEPS: dict[str, Callable[["Catalog"], None]] = {
    "open Bronze and Silver": open_tables,
    "increment of Silver": silver_increment,
    "hours of Gold": gold_hours,
    "status of all tables": status,
    "offsets of new commits": new_offsets,
    "snapshots to expire": expiry,
    "hours to compact": hours_to_compact,
    "hours to compact, all": all_hours_to_compact,
    "start of an ingest": ingest_start,
    "quick verification": quick_verification,
}
"""What is planned, by its name."""
_OF_SNAPSHOTS = ("open Bronze and Silver", "increment of Silver", "hours of Gold", "snapshots to expire")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One step on one lake.

    Attributes:
        step: Its name.
        files: Data files of Bronze and of Silver, each, that are older than an hour.
        snapshots: Snapshots of Bronze.
        seconds: How long it took.
        peak_mb: What it added to the memory of its process at most, MB.
        manifests: Manifests that it opened.
        manifest_lists: Manifest lists that it opened.
        mb_read: MB of both.
    """

    step: str
    files: int
    snapshots: int
    seconds: float
    peak_mb: float
    manifests: int
    manifest_lists: int
    mb_read: float


def measure(home: Path, step: str, *, files: int, snapshots: int) -> Measured:
    """Measure a step, in this process, which has not looked at the lake before."""
    # What it needs is imported before its memory is looked at.
    import shoplake_assets.lake.gold
    import shoplake_assets.lake.layers
    import shoplake_assets.lake.maintenance.compaction
    import shoplake_assets.lake.verify.quick  # noqa: F401

    catalog = open_catalog(Settings(home=home))
    catalog.load_table(BRONZE_EVENTS if step != "open Bronze and Silver" else GOLD_HOURLY_SALES)
    before = psutil.Process().memory_info().rss
    with watched() as opened:
        began = time.perf_counter()
        STEPS[step](catalog)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(
        step=step,
        files=files,
        snapshots=snapshots,
        seconds=round(seconds, 3),
        peak_mb=round(max(0, peak - before) / 1e6, 1),
        manifests=len(opened.manifests),
        manifest_lists=len(opened.manifest_lists),
        mb_read=round(opened.bytes / 1e6, 2),
    )


def measured(files: int, *, commits: int, steps: Sequence[str]) -> list[Measured]:
    """Make a lake and measure the steps, each in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder,
        ProcessPoolExecutor(max_workers=1, max_tasks_per_child=1, mp_context=fresh) as processes,
    ):
        home = Path(folder) / "home"
        MadeUpLake(Settings(home=home), files, commits=commits).make()
        return [
            processes.submit(measure, home, step, files=files, snapshots=commits + 1).result()
            for step in track(steps, f"{files:,} files, {commits + 1:,} snapshots")
        ]


def show(rows: Sequence[Measured]) -> None:
    """Print what was measured, a step under the other."""
    table = Table("step", "files", "snapshots", "seconds", "MB of memory", "manifests", "lists of them", "MB read")
    for row in sorted(rows, key=lambda row: (list(STEPS).index(row.step), row.files)):
        table.add_row(
            row.step,
            f"{row.files:,}",
            f"{row.snapshots:,}",
            f"{row.seconds:.2f}",
            f"{row.peak_mb:.0f}",
            f"{row.manifests:,}",
            f"{row.manifest_lists:,}",
            f"{row.mb_read:.1f}",
        )
    Console().print(table)


def main(
    *,
    sizes: Annotated[
        list[int] | None, typer.Option("--files", min=1, help="Data files of a lake; once for each.")
    ] = None,
    commits: Annotated[
        list[int] | None, typer.Option("--commits", min=COMMITS, help="Commits that pile up; once for each.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure planning on lakes of several sizes."""
    by_files = [row for files in sizes or (1000, 10_000) for row in measured(files, commits=COMMITS, steps=list(STEPS))]
    show(by_files)
    _write(output, by_files, [])
    by_snapshots = [row for count in commits or () for row in measured(1000, commits=count, steps=_OF_SNAPSHOTS)]
    if by_snapshots:
        show(by_snapshots)
    _write(output, by_files, by_snapshots)


def _write(output: Path | None, by_files: Sequence[Measured], by_snapshots: Sequence[Measured]) -> None:
    if output is None:
        return
    document = {
        "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "measured_on": datetime.now(UTC).date().isoformat(),
        "by_files": [asdict(row) for row in by_files],
        "by_snapshots": [asdict(row) for row in by_snapshots],
    }
    output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
