"""From the producer to Gold: how many seconds, and where do they go?

    python -m shoplake_assets_tests.benchmarks.latency --rate 200 --rate 5000 --commits 60 \
        --json docs/measurements/latency.json

Starts a lake of its own for each rate, as a user starts it, with commits every 5 s and the generator at a steady rate.
For each event of each commit it takes the time from the producer's timestamp until a reader of the catalog sees it in
Bronze, in Silver, and in every Gold table. The commits of the first minutes, while the JVMs are cold, are left out.

Belongs here: following commits, and the figures. It asserts nothing: machines are noisy. Does not belong here: what is
seen (`watching`), or what Dagster did meanwhile (`tracing`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import added_files, commits, position_after, since
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, SILVER_EVENTS
from shoplake_assets_tests.benchmarks.running import about, running_lake
from shoplake_assets_tests.benchmarks.tracing import Run, reports, runs_of
from shoplake_assets_tests.benchmarks.watching import Change, Watch
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from shoplake_assets.lake.position import Position

TRIGGER_SECONDS = 5
WARM_UP_COMMITS = 60
"""Five minutes, in which the JVMs compile."""
STEPS = (
    "wait for the trigger",
    "commit to Bronze",
    "sensor",
    "automation, and a refresh under way",
    "launch of the run",
    "start of its first step",
    "plan, parse and write Silver",
    "check and publish Silver",
    "Gold",
)
_PATIENCE = 4.0 * TRIGGER_SECONDS  # seconds for a commit
_LAYERS = {"Bronze": (BRONZE_EVENTS,), "Silver": (SILVER_EVENTS,), "Gold": GOLD}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A commit of the stream.

    Attributes:
        snapshot_id: Its snapshot.
        committed: When, in seconds since 1970.
        began: When its micro-batch began.
        produced: The producer's timestamp of each event.
        position: Bronze's position after it.
    """

    snapshot_id: int
    committed: float
    began: float
    produced: "np.ndarray[Any, np.dtype[np.float64]]"
    position: "Position"


def batches(catalog: "Catalog", *, skip: int, count: int) -> list[Batch]:
    """The commits of the stream after the first ones, with what their files say of each event."""
    bronze = catalog.load_table(BRONZE_EVENTS)
    snapshots = since(bronze, after=None)[skip : skip + count]
    found = []
    for snapshot, commit in zip(snapshots, commits(bronze, snapshots), strict=True):
        columns = ["kafka_timestamp", "ingested_at"]
        paths = [file.file_path.removeprefix("file://") for _, file in added_files(bronze, [snapshot])]
        rows = [pq.read_table(path, columns=columns) for path in paths]
        found.append(
            Batch(
                snapshot_id=commit.snapshot_id,
                committed=snapshot.timestamp_ms / 1000,
                began=min(_seconds(part, "ingested_at").min() for part in rows),
                produced=np.concatenate([_seconds(part, "kafka_timestamp") for part in rows]),
                position=position_after(commit.ranges),
            )
        )
    return found


def _seconds(rows: Any, column: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    micros = rows[column].cast("int64").to_numpy()
    return np.asarray(micros, dtype=np.float64) / 1e6


def visible(batch: Batch, changes: Sequence[Change]) -> dict[str, float]:
    """When each layer first showed the batch; a layer that has not shown it yet has no entry."""
    found = {}
    for layer, tables in _LAYERS.items():
        moments = [_first(batch, [change for change in changes if change.table == name]) for name in tables]
        if None not in moments:
            found[layer] = max(moment for moment in moments if moment is not None)
    return found


def _first(batch: Batch, changes: Sequence[Change]) -> float | None:
    if changes and changes[0].table == BRONZE_EVENTS:
        return next((one.at for one in changes if one.snapshot_id == batch.snapshot_id), None)
    return next((one.at for one in changes if one.position.reaches(batch.position)), None)


def steps(batch: Batch, seen: Mapping[str, float], run: Run, *, reported: float, written: float) -> dict[str, float]:
    """Where the seconds from the producer to Gold went, of the mean event of the batch."""
    # A refresh may take in a commit that the sensor has not told of yet.
    reported = min(reported, run.created)
    created = max(run.created, batch.committed)
    began = max(run.began, batch.committed)
    moments = [
        float(batch.produced.mean()),
        batch.began,
        batch.committed,
        max(reported, batch.committed),
        created,
        began,
        max(run.silver_began, batch.committed),
        written,
        seen["Silver"],
        seen["Gold"],
    ]
    return dict(zip(STEPS, np.diff(moments).round(3).tolist(), strict=True))


def percentiles(values: "Sequence[float] | np.ndarray[Any, Any]") -> dict[str, float]:
    """Median, 95th and 99th percentile, and the most."""
    found = np.percentile(values, [50, 95, 99, 100])
    return {name: round(float(value), 2) for name, value in zip(("p50", "p95", "p99", "max"), found, strict=True)}


def measure(*, rate: float, count: int) -> dict[str, Any]:
    """Run a lake at the rate until so many commits after the warm-up are in Gold."""
    with running_lake(GENERATOR__RATE=rate, INGEST__TRIGGER_SECONDS=TRIGGER_SECONDS) as settings:
        catalog = open_catalog(settings)
        with Watch(catalog, {BRONZE_EVENTS, SILVER_EVENTS, *GOLD}) as watch:  # type: ignore[arg-type]
            # What has been seen anyway is asked, so that waiting takes nothing from what is measured.
            enough = WARM_UP_COMMITS + count
            wait_until(lambda: watch.seen(BRONZE_EVENTS) > enough, what=f"{enough} commits", seconds=_PATIENCE * enough)
            found = batches(catalog, skip=WARM_UP_COMMITS, count=count)
            wait_until(lambda: "Gold" in visible(found[-1], watch.changes), what="the last commit is in Gold")
        runs, told = runs_of(settings), reports(settings)
    results = []
    for batch in found:
        seen = visible(batch, watch.changes)
        run = next(run for run in runs if run.began <= seen["Silver"] <= run.ended)
        written = max(
            one.newest_ms / 1000
            for one in watch.changes
            if one.table == SILVER_EVENTS and run.began <= one.at <= seen["Silver"] and one.newest_ms / 1000 <= one.at
        )
        reported = told.get(batch.snapshot_id, run.created)
        results.append((batch, seen, steps(batch, seen, run, reported=reported, written=written)))
    return {
        "rate": rate,
        "commits": count,
        "events": sum(len(batch.produced) for batch in found),
        "producer_to": {
            layer: percentiles(np.concatenate([seen[layer] - batch.produced for batch, seen, _ in results]))
            for layer in _LAYERS
        },
        "commit_to": {
            layer: percentiles([seen[layer] - batch.committed for batch, seen, _ in results]) for layer in _LAYERS
        },
        "steps": {step: percentiles([one[step] for _, _, one in results]) for step in STEPS},
    }


def main(
    *,
    rates: Annotated[list[float] | None, typer.Option("--rate", min=1, help="Events a second.")] = None,
    count: Annotated[int, typer.Option("--commits", min=2, help="Commits to measure at each rate.")] = 60,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure at each rate."""
    console = Console()
    document = about()
    found = [measure(rate=rate, count=count) for rate in rates or [200.0, 5000.0]]
    for one in found:
        table = Table(f"seconds at {one['rate']:g} events/s", "p50", "p95", "p99", "max")
        for what in ("producer_to", "commit_to", "steps"):
            for name, figures in one[what].items():
                label = {"producer_to": "producer to ", "commit_to": "commit to "}.get(what, "  ") + name
                table.add_row(label, *(f"{figures[key]:.1f}" for key in ("p50", "p95", "p99", "max")))
        console.print(table)
    if output is not None:
        document |= {
            "trigger_seconds": TRIGGER_SECONDS,
            "warm_up_commits": WARM_UP_COMMITS,
            "rates": found,
        }
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
