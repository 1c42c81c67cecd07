"""What does an event cost, in CPU seconds, bytes and files, from Kafka to Gold?

    python -m shoplake_assets_tests.benchmarks.capacity --events 1000000 --json docs/measurements/capacity.json

First the ingest: so many generated events are in Kafka, and an ingest of its own drains them into Bronze. Then the
refreshes: Bronze is filled by hand, and Silver and all Gold tables take increments in, with all checks and without, and
a few late events of all hours of the day, whose cost says what the rows cost that are there already. Broker and Spark
are started for it on free ports, in a folder that is removed afterwards. `docs/SCALING.md` is made from the figures.

Belongs here: the measurement. It asserts nothing: machines are noisy. Does not belong here: how costs are counted
(`metering`), or what follows from them (`docs/scaling.py`).
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console

from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.topic import wait_for_topic
from shoplake_assets.events.traffic import Plan, send
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.maintenance.compaction import compact
from shoplake_assets.lake.maintenance.figures import figures_of
from shoplake_assets.lake.snapshots import added_files, live_files, rows_of, since
from shoplake_assets.runtime.ports import is_free
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.sections import MaintenanceSettings
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, SILVER_EVENTS
from shoplake_assets_tests.benchmarks.metering import metered
from shoplake_assets_tests.benchmarks.validation_cost import without_checks
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_DAY = datetime(2026, 3, 1, tzinfo=UTC)
_MISHAPS = Mishaps(late=0.01, duplicate=0.01, bad=0.002)
_LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)
_PARTITIONS = 2
_BATCHES = 10  # micro-batches of the drain
_FEW = 1000  # late events that touch all hours
_PORTS = range(32_700, 32_760)
_LOG_TAIL = 3000


def plan(count: int, *, seed: int) -> Plan:
    """Events of one day, with repeats, late and broken ones."""
    return Plan(seed=seed, mishaps=_MISHAPS, start=_DAY.timestamp(), rate=None, count=count)


def drain(settings: "Settings", *, events: int) -> dict[str, Any]:
    """Have an ingest of its own read what is in Kafka, and give its cost and what Bronze then has."""
    ports = [str(port) for port in _PORTS if is_free(port)]
    environment = {
        **os.environ,
        "SHOPLAKE_HOME": str(settings.home),
        "SHOPLAKE_INGEST__PORT": ports[0],
        "SHOPLAKE_INGEST__SPARK_UI_PORT": ports[1],
        "SHOPLAKE_INGEST__MAX_OFFSETS_PER_TRIGGER": str(max(events // _BATCHES, 1)),
    }
    before = figures_of(open_catalog(settings).load_table(BRONZE_EVENTS))
    with metered(_warehouse(settings), {"kafka": _pid(settings, "kafka")}) as (cost, processes):
        process = subprocess.Popen(
            [sys.executable, "-m", "shoplake_assets.ingest", "--once"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.add("ingest", process.pid)
        words, _ = process.communicate()
    if process.returncode:
        raise SystemExit(words[-_LOG_TAIL:])
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    after = figures_of(bronze)
    return {
        **asdict(cost),
        "events": events,
        "commits": after.snapshots - before.snapshots,
        "files": after.files - before.files,
        "bytes": after.bytes - before.bytes,
    }


def ingest(settings: "Settings", *, events: int) -> dict[str, Any]:
    """Drain a few events, for what a start costs, and then all."""
    empty_lake(settings)
    wait_for_topic(settings, seconds=60)
    send(settings, plan=plan(_FEW, seed=3), stop=Event(), on_progress=lambda _: None)
    start = drain(settings, events=_FEW)
    log = settings.home / "kafka" / "data"
    before = _bytes(log)
    sent = send(settings, plan=plan(events, seed=4), stop=Event(), on_progress=lambda _: None)
    return {
        "start": start,
        "drain": drain(settings, events=events),
        "kafka_bytes": _bytes(log) - before,
        "generator_events_per_second": round(events / sent.seconds),
    }


class Refreshes:
    """Refreshes of an own lake, one after the other, and what each cost."""

    def __init__(self, settings: "Settings", shop: Shop) -> None:
        self._settings, self._shop = settings, shop
        self._count = 0

    def take_in(self, payloads: Sequence[bytes], what: str, *, checks: bool = True) -> dict[str, Any]:
        """Put records into Bronze, refresh Silver and Gold, and give the costs."""
        self._count += 1
        for partition in range(_PARTITIONS):
            self._shop.produce(*payloads[partition::_PARTITIONS], partition=partition)
        silver = self._shop.lake.table(SILVER_EVENTS)
        known = silver.current_snapshot()
        with ExitStack() as mode:
            if not checks:
                mode.enter_context(without_checks())
            with metered(_warehouse(self._settings), self._roots()) as (silver_cost, _):
                self._shop.refresh_silver(run=f"capacity{self._count}")
            with metered(_warehouse(self._settings), self._roots()) as (gold_cost, _):
                self._shop._refresh_gold(f"capacity{self._count}")
        silver = self._shop.lake.table(SILVER_EVENTS)
        new = [
            file for _, file in added_files(silver, since(silver, after=None if known is None else known.snapshot_id))
        ]
        hours = {file.partition[0] for file in new}
        now = silver.current_snapshot()
        touched = 0 if now is None else sum(f.record_count for f in live_files(silver, now) if f.partition[0] in hours)
        return {
            "what": what,
            "events": len(payloads),
            "checks": checks,
            "hours": len(hours),
            "rows_in_hours": touched,
            "silver": asdict(silver_cost),
            "gold": asdict(gold_cost),
        }

    def _roots(self) -> dict[str, int]:
        return {"spark": _pid(self._settings, "spark"), "client": os.getpid()}


def refreshes(settings: "Settings", shop: Shop, *, sizes: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """Take in increments of these sizes, with and without checks, and by turns a few late events of the whole day."""
    small = min(sizes)
    total = small * (1 + rounds) + sum(sizes) * rounds
    events = iter(record.value for record in plan(total, seed=5).records())
    late = [[record.value for record in plan(_FEW, seed=100 + number).records()] for number in range(2 * rounds + 1)]
    done = Refreshes(settings, shop)
    found = [done.take_in([next(events) for _ in range(small)], "warm-up"), done.take_in(late.pop(), "warm-up")]
    found += [done.take_in(late.pop(), "late, few rows there") for _ in range(rounds)]
    for _ in range(rounds):
        found += [
            done.take_in([next(events) for _ in range(small)], "increment", checks=False),
            *(done.take_in([next(events) for _ in range(size)], "increment") for size in sizes),
        ]
    found += [done.take_in(late.pop(), "late, many rows there") for _ in range(rounds)]
    return found


def tables(shop: Shop) -> dict[str, dict[str, int]]:
    """Rows, files and bytes of each table at the end."""
    found = {}
    for name in (BRONZE_EVENTS, SILVER_EVENTS, *GOLD):
        table = shop.lake.table(name)
        figures = figures_of(table)
        found[name] = {"rows": rows_of(table.current_snapshot()), "files": figures.files, "bytes": figures.bytes}
    return found


def compaction(settings: "Settings", shop: Shop) -> dict[str, dict[str, Any]]:
    """What it costs to put the files of Bronze and of Silver together, as if their hours were over."""
    found = {}
    limits = MaintenanceSettings(min_files=2)
    for name in (BRONZE_EVENTS, SILVER_EVENTS):
        files = figures_of(shop.lake.table(name)).files
        with metered(_warehouse(settings), {"spark": _pid(settings, "spark"), "client": os.getpid()}) as (cost, _):
            compact(shop.lake, name, now=_LONG_AFTER, limits=limits)
        table = shop.lake.table(name)
        after = figures_of(table)
        found[name] = {
            **asdict(cost),
            "rows": rows_of(table.current_snapshot()),
            "files_before": files,
            "files_after": after.files,
        }
    return found


def _warehouse(settings: "Settings") -> Path:
    return settings.home / "warehouse"


def _pid(settings: "Settings", name: str) -> int:
    pid = process_states(settings)[name].pid
    if pid is None:
        raise SystemExit(f"{name} does not run")
    return pid


def _bytes(folder: Path) -> int:
    """Bytes of Kafka's logs; their indexes are laid out ahead of what they hold."""
    return sum(path.stat().st_size for path in folder.rglob("*.log"))


def main(
    *,
    events: Annotated[int, typer.Option(min=1000, help="Events that the ingest drains.")] = 1_000_000,
    sizes: Annotated[list[int] | None, typer.Option("--increment", min=1000, help="Events of an increment.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Refreshes of each kind.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure the ingest and the refreshes."""
    from pyspark.sql import SparkSession

    document: dict[str, Any] = {
        "cores": psutil.cpu_count(),
        "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} on {platform.machine()}",
        "measured_on": datetime.now(UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("pyspark", "pyiceberg", "pyarrow")},
        },
    }
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder, broker_and_spark(Path(folder)) as settings:
        document["ingest"] = ingest(settings, events=events)
        Console().print_json(data=document["ingest"])
        spark = SparkSession.builder.remote(settings.spark_remote).getOrCreate()
        try:
            empty_lake(settings)
            shop = Shop(Lake(open_catalog(settings), spark))
            document["refreshes"] = refreshes(settings, shop, sizes=sizes or [100_000, 500_000], rounds=rounds)
            document["tables"] = tables(shop)
            document["compaction"] = compaction(settings, shop)
        finally:
            spark.stop()
    text = json.dumps(document, indent=2) + "\n"
    if output is None:
        Console().print_json(text)
    else:
        output.write_text(text)


if __name__ == "__main__":
    typer.run(main)
