"""How fast does what is in Kafka come into Iceberg, beside what a user would pick instead?

    python -m shoplake_assets_tests.benchmarks.drain --events 5000000 --rounds 3 --json docs/measurements/drain.json

A topic of two partitions is filled with generated events. Then by turns, on the same broker, each contender drains it
into an empty table: Shoplake's ingest as the supervisor starts it, and then refreshes of Silver until it has all of
them; Iceberg's sink for Kafka Connect; a loop in Python; Flink SQL; and a consumer in Python that writes nothing. The
clock of each begins when it begins to consume, and ends with its last commit. What it does until half of the events are
committed is cold, and from then on warm.

The peers parse at ingest. Shoplake keeps the payload as it came in Bronze and parses in Silver, where it also
validates, deduplicates and sets broken records apart. So its Bronze compares with what a peer needs to have the events
safe in a table, and its Silver with what a peer needs to have columns.

Belongs here: the order of runs, and the figures. It asserts nothing: machines are noisy. Does not belong here: how a
peer is set up (`peers`).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.topic import wait_for_topic
from shoplake_assets.events.traffic import Plan, send
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.maintenance.figures import figures_of
from shoplake_assets.lake.session import close_session, shared_session
from shoplake_assets.lake.silver import refresh_silver
from shoplake_assets.runtime.jars import KAFKA_VERSION
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS
from shoplake_assets_tests.benchmarks.metering import Processes
from shoplake_assets_tests.benchmarks.peers.contenders import Course, Mark, java_peers, marks_of, python_peers, run
from shoplake_assets_tests.benchmarks.peers.jars import FLINK_VERSION, PEER_ICEBERG_VERSION, peers_folder
from shoplake_assets_tests.benchmarks.peers.topic import Topic
from shoplake_assets_tests.benchmarks.running import about
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

BRONZE, SILVER = "Shoplake: to Bronze", "Shoplake: to published Silver"
_DAY = datetime(2026, 3, 1, tzinfo=UTC)
# No broken record, at which the peers would stop; repeats and late events they take as they come.
_MISHAPS = Mishaps(late=0.01, duplicate=0.01, bad=0.0)
_TAIL = 3000


def fill(settings: "Settings", *, events: int) -> Topic:
    """Fill the topic."""
    wait_for_topic(settings, seconds=60)
    plan = Plan(seed=4, mishaps=_MISHAPS, start=_DAY.timestamp(), rate=None, count=events)
    sent = send(settings, plan=plan, stop=Event(), on_progress=lambda _: None)
    if sent.delivered != events:
        raise SystemExit(f"{sent.delivered:,} of {events:,} events are in Kafka: {sent.failure}")
    return Topic(
        broker=settings.bootstrap, broker_pid=_pid(settings, "kafka"), name=settings.kafka.topic, events=events
    )


def to_bronze(settings: "Settings", topic: Topic, **environment: str) -> Course:
    """Drain with the ingest, as the supervisor starts it, into an empty lake.

    Args:
        settings: The lake.
        topic: What is drained.
        environment: What the ingest's environment has beside what it needs.
    """
    empty_lake(settings)
    http, interface = free_ports(2)
    given = {
        **os.environ,
        **environment,
        "SHOPLAKE_HOME": str(settings.home),
        "SHOPLAKE_INGEST__PORT": str(http),
        "SHOPLAKE_INGEST__SPARK_UI_PORT": str(interface),
    }
    command = [sys.executable, "-m", "shoplake_assets.ingest", "--once"]
    own, broker = Processes({}), Processes({"kafka": topic.broker_pid})
    began = time.time()
    process = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    own.add("ingest", process.pid)
    words, _ = process.communicate()
    own.stop()
    broker.stop()
    if process.returncode:
        raise SystemExit(words[-_TAIL:])
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    # Spark writes this file when a query is made, before it asks Kafka for anything.
    (metadata,) = (settings.home / "checkpoints").rglob("metadata")
    consuming = metadata.stat().st_mtime
    marks = [Mark(at=consuming, events=0), *marks_of(bronze)]
    if marks[-1].events != topic.events:
        raise SystemExit(f"Bronze has {marks[-1].events:,} of {topic.events:,} events:\n{words[-_TAIL:]}")
    at = marks[-1].at
    figures = figures_of(bronze)
    return Course(
        began=began,
        marks=marks,
        cpu_seconds=round(own.spent_at(at), 2),
        cpu_consuming=round(own.spent_at(at) - own.spent_at(consuming), 2),
        kafka_cpu=round(broker.spent_at(at), 2),
        files=figures.files,
        bytes=figures.bytes,
    )


def to_silver(settings: "Settings", bronze: Course) -> Course:
    """Refresh Silver until it has all that the ingest has drained: the course from Kafka to Silver."""
    catalog = open_catalog(settings)
    spent = Processes({"spark": _pid(settings, "spark"), "client": os.getpid()})
    began, events = time.time(), bronze.marks[-1].events
    taken = [Mark(at=began, events=0)]
    session = shared_session(settings.spark_remote)
    lake = Lake(catalog, session)
    while taken[-1].events < events:
        (refreshed, _), _ = refresh_silver(lake, run=f"drain{len(taken)}", at_most=settings.refresh.max_events)
        records = int(refreshed.metadata["records"])  # type: ignore[arg-type]
        taken.append(Mark(at=time.time(), events=taken[-1].events + records))
    close_session(session)
    spent.stop()
    # What lies between the ingest's last commit and the first refresh is the end of the ingest's process.
    idle = began - bronze.marks[-1].at
    cpu = spent.spent_at(taken[-1].at)
    silver = figures_of(catalog.load_table(SILVER_EVENTS))
    return Course(
        began=bronze.began,
        marks=[bronze.marks[0], *(Mark(at=mark.at - idle, events=mark.events) for mark in taken[1:])],
        cpu_seconds=round(bronze.cpu_seconds + cpu, 2),
        cpu_consuming=round(bronze.cpu_consuming + cpu, 2),
        kafka_cpu=bronze.kafka_cpu,
        files=silver.files,
        bytes=silver.bytes,
    )


def figures(course: Course) -> dict[str, float]:
    """What the course comes to; nothing is warm where all came in one commit."""
    first, last = course.marks[0], course.marks[-1]
    half = next(mark for mark in course.marks if 2 * mark.events >= last.events)
    warm = last.at - half.at
    return {
        "start_seconds": round(first.at - course.began, 2),
        "seconds": round(last.at - first.at, 2),
        "events_per_second": round(last.events / (last.at - first.at)),
        "cold_events_per_second": round(half.events / (half.at - first.at)),
        **({"warm_events_per_second": round((last.events - half.events) / warm)} if warm else {}),
        "cpu_seconds": course.cpu_seconds,
        "events_per_cpu_second": round(last.events / course.cpu_seconds),
        "events_per_cpu_second_consuming": round(last.events / course.cpu_consuming),
        "kafka_cpu_seconds": course.kafka_cpu,
        "commits": len(course.marks) - 1,
        "files": course.files,
        "bytes_per_event": round(course.bytes / last.events, 1),
    }


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """For each contender and figure the least, the median and the most of the runs that have it."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in dict.fromkeys(one["contender"] for one in runs):
        mine = [one["figures"] for one in runs if one["contender"] == name]
        found[name] = {
            key: {"least": min(values), "median": median(values), "most": max(values)}
            for key in dict.fromkeys(key for one in mine for key in one)
            if (values := [one[key] for one in mine if key in one])
        }
    return found


def show(console: Console, found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print the medians."""
    columns = {
        "events/s": "events_per_second",
        "cold": "cold_events_per_second",
        "warm": "warm_events_per_second",
        "per CPU s, consuming": "events_per_cpu_second_consuming",
        "whole": "events_per_cpu_second",
        "start s": "start_seconds",
        "B/event": "bytes_per_event",
        "files": "files",
        "commits": "commits",
    }
    table = Table("medians", *columns)
    for name, mine in found.items():
        table.add_row(name, *(f"{mine[key]['median']:,.0f}" if key in mine else "" for key in columns.values()))
    console.print(table)


def _pid(settings: "Settings", name: str) -> int:
    pid = process_states(settings)[name].pid
    if pid is None:
        raise SystemExit(f"{name} does not run")
    return pid


def main(
    *,
    events: Annotated[int, typer.Option(min=10_000, help="Events in Kafka.")] = 5_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each contender.")] = 3,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Peers whose name has this; all by default.")] = None,
) -> None:
    """Measure all contenders, by turns."""
    console = Console()
    document = about(
        flink=FLINK_VERSION, peers_iceberg=PEER_ICEBERG_VERSION, polars=version("polars"), kafka_connect=KAFKA_VERSION
    )
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as name, broker_and_spark(Path(name)) as settings:
        topic = fill(settings, events=events)
        java = find_java(settings)
        chosen = [
            peer
            for peer in (
                *python_peers(topic),
                *java_peers(topic, java=java, jars=peers_folder(settings, java)),
            )
            if only is None or any(part in peer.name for part in only)
        ]
        for number in range(rounds):
            courses = {BRONZE: to_bronze(settings, topic)}
            courses[SILVER] = to_silver(settings, courses[BRONZE])
            for place, peer in enumerate(chosen):
                courses[peer.name] = run(peer, topic, folder=Path(name) / f"run{number}-{place}")
            for contender, course in courses.items():
                runs.append({"contender": contender, "round": number, "figures": figures(course), **asdict(course)})
                console.print(contender, figures(course))
    found = summary(runs)
    show(console, found)
    if output is not None:
        document |= {
            "events": events,
            "rounds": rounds,
            "summary": found,
            "runs": runs,
        }
        output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
