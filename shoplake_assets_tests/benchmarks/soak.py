"""Does anything pile up while the lake runs for an hour?

    python -m shoplake_assets_tests.benchmarks.soak --minutes 60 --rate 200

Starts a lake of its own on free ports, in a folder that is removed afterwards, with commits every 5 s, the generator at
a steady rate and maintenance by its schedule. What is kept is set so short that every bound is reached within the first
quarter: from then on each count must stay what it is. Files of the hour under way are no such count: they grow until
the hour is over, and compaction takes them then.

It ends with 1 if a count of the last quarter is larger than in the second one by more than `TOLERANCE`, if the 95th
percentile of the commit latency has grown by more than `SLOWER`, or if the logs or the lake itself are not in order.
Counts are compared by their means, but for two that rise and fall by far more than their mean is: small files of hours
that are over come with each commit and go with each maintenance, and temporary files come with each refresh and go when
the JVM has collected its garbage. Of these the lowest counts are compared: what is left over.

Belongs here: the run, its table and its verdicts. Does not belong here: what is counted (`sampling`).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import mean, quantiles
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.settings import Settings
from shoplake_assets_tests.benchmarks.sampling import Batch, Sample, newest_batch, take_sample

TOLERANCE = 1.25
SLOWER = 1.3
WARM_UP_SECONDS = 60.0
_POLL_SECONDS = 1.0
# Eight processes and their supervisor, each with its log of 1 MiB and the three that were put aside before.
_LOG_BYTES = 9 * 4 * 2**20
_BOUNDED: Mapping[str, Callable[[Iterable[int]], float]] = {
    "snapshots": mean,
    "metadata_files": mean,
    "metadata_bytes": mean,
    "closed_hour_files": min,
    "checkpoint_files": mean,
    "dagster_runs": mean,
    "dagster_events": mean,
    "dagster_files": mean,
    "dagster_bytes": mean,
    "scratch_files": min,
}


def environment(home: Path, *, minutes: float, rate: float) -> dict[str, str]:
    """The settings of the soak: as in an hour, but that all is kept for a sixth of the run at most."""
    kept = minutes / 6
    every = max(1, round(minutes / 12))
    given = {
        "HOME": home,
        "GENERATOR__RATE": rate,
        "INGEST__TRIGGER_SECONDS": 5,
        "DAGSTER__MAINTENANCE_CRON": f"*/{every} * * * *",
        "MAINTENANCE__GRACE_MINUTES": min(1, kept),
        "MAINTENANCE__SNAPSHOT_MINUTES": kept,
        "MAINTENANCE__HISTORY_HOURS": kept / 60,
        # Few enough that a slow machine has refreshed so often within the first quarter.
        "MAINTENANCE__SNAPSHOTS": 5,
        "MAINTENANCE__METADATA_FILES": 10,
        "MAINTENANCE__CHECKPOINT_BATCHES": max(2, round(kept * 60 / 5)),
        "MAINTENANCE__LOG_MB": 1,
    }
    return {**os.environ, **{f"SHOPLAKE_{name}": str(value) for name, value in given.items()}}


@contextmanager
def running_lake(given: Mapping[str, str]) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    """Start the lake as a user does, give its command line, and stop the lake whatever happens."""

    def shoplake(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "shoplake_assets.cli.main", *arguments]
        return subprocess.run(command, env=given, check=check, capture_output=True, text=True)  # noqa: S603  our own

    shoplake("up", "-d", "--ports", "auto")
    try:
        yield shoplake
    finally:
        shoplake("down", check=False)


def watch(settings: Settings, *, minutes: float, say: Callable[[Sample], None]) -> tuple[list[Sample], list[Batch]]:
    """Follow the lake: every batch of the stream, and a sample about every sixtieth of the time."""
    began = time.monotonic()
    samples: list[Sample] = []
    batches: dict[int, Batch] = {}
    while (passed := time.monotonic() - began) < minutes * 60:
        batch = newest_batch(settings, at=passed)
        if batch is not None:
            batches.setdefault(batch.id, batch)
        if passed >= len(samples) * minutes:
            samples.append(take_sample(settings, at=passed))
            say(samples[-1])
        time.sleep(_POLL_SECONDS)
    return samples, list(batches.values())


def quarter(things: Sequence[Any], number: int, *, seconds: float) -> list[Any]:
    """The samples or batches of one quarter, 1 to 4, of the time."""
    return [thing for thing in things if seconds * (number - 1) / 4 <= thing.at < seconds * number / 4]


def p95(batches: Sequence[Batch]) -> float:
    """The 95th percentile of the time from the beginning of a batch to its commit, seconds."""
    return quantiles([batch.seconds for batch in batches], n=20, method="inclusive")[-1]


def verdicts(samples: Sequence[Sample], batches: Sequence[Batch], *, seconds: float) -> dict[str, Any]:
    """For each bound: the figure of an earlier and of the last quarter, the largest allowed, and whether that holds."""
    found = {}
    for name, figure in _BOUNDED.items():
        earlier, last = (
            figure(getattr(sample, name) for sample in quarter(samples, number, seconds=seconds)) for number in (2, 4)
        )
        # A handful more or less of something that is small anyway is no trend.
        found[name] = {"earlier": round(earlier), "last": round(last), "most": round(max(earlier * TOLERANCE, 10))}
    found["log_bytes"] = {"earlier": samples[0].log_bytes, "last": samples[-1].log_bytes, "most": _LOG_BYTES}
    warm = [batch for batch in batches if batch.at >= WARM_UP_SECONDS]
    first, last = (p95(quarter(warm, number, seconds=seconds)) for number in (1, 4))
    found["commit_p95_ms"] = {
        "earlier": round(first * 1000),
        "last": round(last * 1000),
        "most": round(first * SLOWER * 1000),
    }
    return {name: {**figures, "holds": figures["last"] <= figures["most"]} for name, figures in found.items()}


def _line(sample: Sample) -> str:
    figures = (f"{name.replace('_', ' ')} {value:,.0f}" for name, value in asdict(sample).items())
    return ", ".join(figures)


def _report(console: Console, samples: Sequence[Sample], judged: Mapping[str, Any]) -> None:
    rows = Table(title="over time", box=None, pad_edge=False)
    names = list(asdict(samples[0]))
    for name in names:
        rows.add_column(name.replace("_", " "), justify="right")
    step = max(1, len(samples) // 20)
    for sample in [*samples[:-1:step], samples[-1]]:
        rows.add_row(*(f"{value:,.0f}" for value in asdict(sample).values()))
    console.print(rows)
    table = Table(title="verdicts", box=None, pad_edge=False)
    for heading in ("what", "earlier", "last", "most", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, figures in judged.items():
        numbers = (f"{figures[key]:,}" for key in ("earlier", "last", "most"))
        table.add_row(name.replace("_", " "), *numbers, "holds" if figures["holds"] else "FAILS")
    console.print(table)


def _in_order(shoplake: "Callable[..., subprocess.CompletedProcess[str]]", console: Console) -> bool:
    """Let everything arrive, and have the lake verify itself where it can."""
    checks = [("drain",), ("verify",)] if shoplake("verify", "--help", check=False).returncode == 0 else [("drain",)]
    good = True
    for command in checks:
        done = shoplake(*command, check=False)
        console.print(f"shoplake {' '.join(command)}: {(done.stdout or done.stderr).strip()}", soft_wrap=True)
        good &= done.returncode == 0
    return good


def main(
    *,
    minutes: Annotated[float, typer.Option(min=6, help="How long to watch, after the start.")] = 60.0,
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 200.0,
    home: Annotated[Path | None, typer.Option(help="The lake's folder, which is then left in place.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="File for all samples and verdicts.")] = None,
) -> None:
    """Watch what piles up."""
    # A soak that is asked to end stops what it has started, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, width=260)
    with tempfile.TemporaryDirectory(prefix="shoplake-soak-") as folder:
        where = home or Path(folder) / "home"
        given = environment(where, minutes=minutes, rate=rate)
        with running_lake(given) as shoplake:
            settings = Settings(home=where)
            samples, batches = watch(settings, minutes=minutes, say=lambda sample: console.print(_line(sample)))
            good = _in_order(shoplake, console)
    judged = verdicts(samples, batches, seconds=minutes * 60)
    _report(console, samples, judged)
    if output is not None:
        document = {
            "minutes": minutes,
            "rate": rate,
            "verdicts": judged,
            "in_order": good,
            "samples": [asdict(sample) for sample in samples],
            "batches": [asdict(batch) for batch in batches],
        }
        output.write_text(json.dumps(document, indent=2) + "\n")
    if not good or not all(figures["holds"] for figures in judged.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
