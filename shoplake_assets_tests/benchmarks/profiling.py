"""What the processors do while the ingest drains, while Silver takes in many events, and while few events pass through.

    python -m shoplake_assets_tests.benchmarks.profiling --json docs/measurements/profile.json

Java's flight recorder takes a sample of every running thread each 10 ms; each sample is counted for the kind of work of
its innermost frame that is of a kind. So the shares of a run add up to one, and what computes a row is not counted for
what asked for it to keep or to write it. It needs a JDK: a JRE has no `jcmd` and no `jfr`.

Belongs here: the kinds of work, and their shares. It asserts nothing. Does not belong here: how long anything takes
(`drain`, `latency`).
"""

import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets_tests.benchmarks import grown_lake
from shoplake_assets_tests.benchmarks.drain import fill, to_bronze, to_silver
from shoplake_assets_tests.benchmarks.running import about
from shoplake_assets_tests.embedded import broker_and_spark

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

# A frame is of the first kind whose pattern it matches.
KINDS: Mapping[str, str] = {
    "loading classes": r"java\.util\.(zip|jar)|jdk\.internal\.loader|ClassLoader",
    "start of a task: reading its plan": r"ObjectInputStream",
    "making and compiling code": r"codehaus\.janino|CodeGenerator|CodegenContext|codegen\.Generate",
    "planning a query": r"catalyst\.(analysis|optimizer|rules)|QueryPlanner|QueryExecution|SparkConnectPlanner",
    "Kafka: fetching and decoding": r"org\.apache\.kafka\.clients|kafka010\.consumer",
    "Kafka: records to rows": r"KafkaRecordToRowConverter",
    "reading JSON": r"catalyst\.json|fasterxml",
    "patterns and times": r"java\.util\.regex|DateTimeUtils|SparkDateTimeUtils",
    "writing Parquet": r"parquet.*[Ww]rit|DataWriter|FanoutWriter",
    "reading Parquet": r"iceberg.*(vectorized|Reader)|parquet.*(Reader|reader)",
    "keeping rows in memory": r"execution\.columnar|CachedBatch",
    "shuffles and sums": r"ShuffleWriter|ShuffleBlock|Aggregat|BytesToBytesMap",
    "generated code: columns, rules, fates": r"GeneratedClass|BufferedRowIterator",
}
# Of Iceberg what no frame of the stack says to be reading or writing: its classes are in both.
ICEBERG, OTHER = "Iceberg: plans and commits", "all else"
ORDER = (*KINDS, ICEBERG, OTHER)
_SMALL, _WARM_UP, _ROUNDS = 1000, 20, 10
_DEPTH = 128


def shares(stacks: str) -> dict[str, float]:
    """The share of each kind of work in what `jfr print` has printed of execution samples."""
    found = Counter(_kind_of(sample) for sample in stacks.split("jdk.ExecutionSample")[1:])
    total = max(found.total(), 1)
    return {kind: round(found[kind] / total, 3) for kind in ORDER}


def _kind_of(sample: str) -> str:
    """The kind of the innermost frame that is of one; frames stand in lines, the innermost first."""
    kinds = (kind for frame in sample.splitlines() for kind, pattern in KINDS.items() if re.search(pattern, frame))
    return next(kinds, ICEBERG if "org.apache.iceberg" in sample else OTHER)


@contextmanager
def recorded(tools: Path, pid: int, file: Path) -> Iterator[None]:
    """Record what a JVM does meanwhile."""
    _run(tools / "jcmd", str(pid), "JFR.start", "name=shoplake", "settings=profile", f"filename={file}")
    yield
    _run(tools / "jcmd", str(pid), "JFR.stop", "name=shoplake")


def _run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout  # noqa: S603  our own


def _shares_in(tools: Path, file: Path) -> dict[str, float]:
    return shares(_run(tools / "jfr", "print", "--events", "jdk.ExecutionSample", "--stack-depth", _DEPTH, file))


def measure(settings: "Settings", folder: Path, *, events: int) -> dict[str, dict[str, float]]:
    """Profile the ingest, Silver, and refreshes of few events in a lake that has some hours."""
    tools = find_java(settings).home / "bin"
    if not (tools / "jfr").exists():
        raise ShoplakeError(f"{tools} has no 'jfr'; let JAVA_HOME be that of a JDK, 17 or 21")
    topic = fill(settings, events=events)
    option = f"-XX:StartFlightRecording=settings=profile,dumponexit=true,filename={folder / 'ingest.jfr'}"
    bronze = to_bronze(settings, topic, JAVA_TOOL_OPTIONS=option)
    to_silver(settings, bronze)  # until the JVM is warm
    bronze = to_bronze(settings, topic)
    spark = process_states(settings)["spark"].pid or 0
    with recorded(tools, spark, folder / "silver.jfr"):
        to_silver(settings, bronze)
    with grown_lake.opened(settings) as grown:
        for _ in range(_WARM_UP):
            grown.add(_SMALL)
            grown.refresh()
        with recorded(tools, spark, folder / "few.jfr"):
            for _ in range(_ROUNDS):
                grown.add(_SMALL)
                grown.refresh()
    return {name: _shares_in(tools, folder / f"{name}.jfr") for name in ("ingest", "silver", "few")}


def main(
    *,
    events: Annotated[int, typer.Option(min=10_000, help="Events in Kafka.")] = 3_000_000,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Profile."""
    document = about()
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as name, broker_and_spark(Path(name)) as settings:
        found = measure(settings, Path(name), events=events)
    table = Table("share of samples", *found)
    for kind in ORDER:
        table.add_row(kind, *(f"{one[kind]:.1%}" for one in found.values()))
    Console().print(table)
    if output is not None:
        output.write_text(json.dumps(document | {"events": events, "shares": found}, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
