"""One run of a peer: from its start to its last commit.

Belongs here: starting a peer, following its commits, stopping it. Does not belong here: the order of runs and the
figures (`drain`).
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.lake.maintenance.figures import figures_of
from shoplake_assets_tests.benchmarks.metering import Processes
from shoplake_assets_tests.benchmarks.peers import flink, kafka_connect, python_loop, raw_consumer
from shoplake_assets_tests.benchmarks.peers.table import make_table, open_table
from shoplake_assets_tests.benchmarks.peers.topic import Topic

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.runtime.java import Java

_POLL_SECONDS = 0.25
_LONGEST_SECONDS = 600
_STOP_SECONDS = 40
_TAIL = 3000


@dataclass(frozen=True, kw_only=True)
class Mark:
    """So many events were committed at this moment, in seconds since 1970."""

    at: float
    events: int


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a run went.

    Attributes:
        began: Start of the process, in seconds since 1970.
        marks: The beginning of consuming, with no event, and each commit.
        cpu_seconds: CPU seconds of the contender from its start to its last commit.
        cpu_consuming: Those since it began to consume.
        kafka_cpu: Those of the broker, from the contender's start to its last commit.
        files: Data files at the end.
        bytes: Their size.
    """

    began: float
    marks: Sequence[Mark]
    cpu_seconds: float
    cpu_consuming: float
    kafka_cpu: float
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Peer:
    """How a peer is run.

    Attributes:
        name: What it is called in the report.
        command: Its command, in the folder of the run.
        consuming: Pattern of the line of its log that says it begins to consume.
        environment: What its environment has beside that of this process.
        moment: From that line to the moment it tells, in seconds since 1970.
        ends: Whether it ends by itself once it has read everything.
        commits: Whether it writes a table; one that does not tells in its log how many events it has taken.
    """

    name: str
    command: Callable[[Path], list[str]]
    consuming: str
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda _: {})
    moment: Callable[[str], float] = field(default=lambda line: int(line.split(maxsplit=1)[0]) / 1000)
    ends: bool = True
    commits: bool = True


def python_peers(topic: Topic) -> list[Peer]:
    """Those that need nothing but Python."""

    def program(module: str) -> Callable[[Path], list[str]]:
        arguments = (topic.broker, topic.name, str(topic.events))
        return lambda folder: [sys.executable, "-m", module, str(folder), *arguments]

    def told(line: str) -> float:
        return float(line.split()[1])

    return [
        Peer(
            name="Python loop",
            command=program(python_loop.__name__),
            consuming="^CONSUMING ",
            moment=told,
        ),
        Peer(
            name="Python consumer that writes nothing",
            command=program(raw_consumer.__name__),
            consuming="^CONSUMING ",
            moment=told,
            commits=False,
        ),
    ]


def java_peers(topic: Topic, *, java: "Java", jars: Path) -> list[Peer]:
    """Those that run on a JVM."""
    return [
        Peer(
            name="Iceberg's sink for Kafka Connect",
            command=lambda folder: kafka_connect.command(folder, topic, java=java, jars=jars),
            consuming=kafka_connect.CONSUMING.format(topic=topic.name),
            ends=False,
        ),
        Peer(
            name="Flink SQL",
            command=lambda folder: flink.command(folder, topic, java=java, jars=jars),
            consuming=flink.CONSUMING,
            environment=flink.environment,
        ),
    ]


def run(peer: Peer, topic: Topic, *, folder: Path) -> Course:
    """Run a peer once, in an empty folder.

    Raises:
        SystemExit: It has ended before all events were there, or takes too long; with the end of its log.
    """
    folder.mkdir(parents=True)
    if peer.commits:
        make_table(folder)
    log = folder / "log.txt"
    command = peer.command(folder)
    broker = Processes({"kafka": topic.broker_pid})
    with log.open("wb") as output:
        began = time.time()
        own = Processes({})
        process = subprocess.Popen(  # noqa: S603  made above
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **peer.environment(folder)}
        )
        own.add(peer.name, process.pid)
        try:
            _wait(peer, process, topic, folder=folder, log=log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            own.stop()
            broker.stop()
    text = log.read_text(errors="replace")
    marks = [Mark(at=_began_to_consume(peer, text), events=0), *_marks(peer, text, folder=folder)]
    if marks[-1].events != topic.events:
        raise SystemExit(f"{peer.name} has {marks[-1].events:,} of {topic.events:,} events:\n{text[-_TAIL:]}")
    end = marks[-1].at
    figures = figures_of(open_table(folder)) if peer.commits else None
    return Course(
        began=began,
        marks=marks,
        cpu_seconds=round(own.spent_at(end), 2),
        cpu_consuming=round(own.spent_at(end) - own.spent_at(marks[0].at), 2),
        kafka_cpu=round(broker.spent_at(end), 2),
        files=figures.files if figures else 0,
        bytes=figures.bytes if figures else 0,
    )


def _wait(peer: Peer, process: "subprocess.Popen[bytes]", topic: Topic, *, folder: Path, log: Path) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"{peer.name} takes too long:\n{log.read_text(errors='replace')[-_TAIL:]}")
        if not peer.ends and _rows(open_table(folder)) >= topic.events:
            return
        time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{peer.name} has failed:\n{log.read_text(errors='replace')[-_TAIL:]}")


def _began_to_consume(peer: Peer, text: str) -> float:
    pattern = re.compile(peer.consuming)
    line = next((line for line in text.splitlines() if pattern.search(line)), None)
    if line is None:
        raise SystemExit(f"{peer.name} has not begun to consume:\n{text[-_TAIL:]}")
    return peer.moment(line)


def _marks(peer: Peer, text: str, *, folder: Path) -> list[Mark]:
    if not peer.commits:
        told = re.findall(r"^TAKEN (\S+) (\d+)$", text, re.MULTILINE)
        return [Mark(at=float(at), events=int(events)) for at, events in told]
    return marks_of(open_table(folder))


def marks_of(table: "Table") -> list[Mark]:
    """The commits of a table that have brought rows."""
    marks = []
    for snapshot in sorted(table.metadata.snapshots, key=lambda one: one.sequence_number or 0):
        summary = snapshot.summary
        if summary and int(summary["added-records"] or 0):
            marks.append(Mark(at=snapshot.timestamp_ms / 1000, events=int(summary["total-records"] or 0)))
    return marks


def _rows(table: "Table") -> int:
    marks = marks_of(table)
    return marks[-1].events if marks else 0
