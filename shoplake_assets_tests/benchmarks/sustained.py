"""How many events a second can come for ten minutes, and the stream still keeps its interval?

    python -m shoplake_assets_tests.benchmarks.sustained --minutes 10 --json docs/measurements/sustained.json

A lake of its own runs as a user starts it, refreshes and all, with commits every 5 s. Its generator is replaced by one
with a growing rate: short trials find a rate that is too high, and others from there down, a tenth at a time, one that
is not. The first that is held for the whole time is the answer. A rate is held if the generator came to it, if 95 % of
the micro-batches took no longer than the interval, and if no more events wait in Kafka at the end than two intervals
bring. A trial in which six intervals' events wait is given up.

Belongs here: the trials, and when one counts as held. It asserts nothing: machines are noisy.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import rows_of
from shoplake_assets.runtime.stream import kafka_range
from shoplake_assets.settings import PREFIX
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.benchmarks.running import about, running_lake
from shoplake_assets_tests.benchmarks.sampling import newest_batch

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

TRIGGER_SECONDS = 5
_POLL_SECONDS = 1.0
_SETTLE_SECONDS = 20.0
_FASTER, _SLOWER = 1.5, 0.9
_WAITING, _HOPELESS = 2, 6  # intervals
_CAME_TO = 0.98
_STOP_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A rate that was tried.

    Attributes:
        rate: Events a second that were asked for.
        seconds: How long; less if it was given up.
        came: Events a second that came to Kafka.
        batch_p95: 95th percentile of the seconds of a micro-batch.
        waiting: Events in Kafka that were not in Bronze at the end.
    """

    rate: float
    seconds: float
    came: float
    batch_p95: float
    waiting: int

    @property
    def held(self) -> bool:
        """Whether the stream kept up."""
        kept = self.batch_p95 <= TRIGGER_SECONDS and self.waiting <= _WAITING * TRIGGER_SECONDS * self.rate
        return kept and self.came >= _CAME_TO * self.rate


def attempt(settings: "Settings", *, rate: float, seconds: float) -> Trial:
    """Let so many events come for so long, and look how the stream does."""
    command = [sys.executable, "-m", "shoplake_assets.cli.main", "generate", "--rate", str(rate)]
    environment = {**os.environ, f"{PREFIX}HOME": str(settings.home)}
    generator = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  our own
    try:
        time.sleep(_SETTLE_SECONDS)
        began, first = time.monotonic(), _in_kafka(settings)
        batches: dict[int, float] = {}
        waiting = 0
        while (passed := time.monotonic() - began) < seconds and waiting <= _HOPELESS * TRIGGER_SECONDS * rate:
            batch = newest_batch(settings, at=passed)
            if batch is not None:
                batches[batch.id] = batch.seconds
            time.sleep(_POLL_SECONDS)
            waiting = (last := _in_kafka(settings)) - _in_bronze(settings)
    finally:
        generator.terminate()
        generator.wait(_STOP_SECONDS)
    return Trial(
        rate=rate,
        seconds=round(passed, 1),
        came=round((last - first) / passed, 1),
        batch_p95=round(float(np.percentile(list(batches.values()), 95)), 2),
        waiting=waiting,
    )


def _in_kafka(settings: "Settings") -> int:
    found = kafka_range(settings)
    if found is None:
        raise SystemExit("Kafka does not answer")
    return sum(offset for _, _, offset in found.end)


def _in_bronze(settings: "Settings") -> int:
    return rows_of(open_catalog(settings).load_table(BRONZE_EVENTS).current_snapshot())


def _drained(settings: "Settings") -> None:
    """Wait until the stream has caught up with what the last trial left."""
    while _in_kafka(settings) > _in_bronze(settings):
        time.sleep(_POLL_SECONDS)


def main(
    *,
    minutes: Annotated[float, typer.Option(min=0.5, help="How long a rate must be held.")] = 10,
    trial: Annotated[float, typer.Option(min=0.5, help="Minutes of a trial on the way.")] = 1,
    start: Annotated[float, typer.Option(min=100, help="First rate, events a second.")] = 10_000,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Find the highest rate."""
    console = Console()
    trials: list[Trial] = []
    document = {**about(), "trigger_seconds": TRIGGER_SECONDS, "minutes": minutes}
    with running_lake(GENERATOR__ENABLED=False, INGEST__TRIGGER_SECONDS=TRIGGER_SECONDS) as settings:

        def held(rate: float, *, for_minutes: float) -> bool:
            trials.append(attempt(settings, rate=rate, seconds=for_minutes * 60))
            console.print(trials[-1], "held" if trials[-1].held else "not held")
            _drained(settings)
            return trials[-1].held

        rate = start
        while held(rate, for_minutes=trial):
            rate = round(rate * _FASTER)
        rate = round(rate * _SLOWER)
        while not (held(rate, for_minutes=trial) and held(rate, for_minutes=minutes)):
            rate = round(rate * _SLOWER)
    console.print(f"{rate:,.0f} events a second are held for {minutes:g} minutes")
    if output is not None:
        document |= {"events_per_second": rate, "trials": [{**asdict(one), "held": one.held} for one in trials]}
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
