"""The ingest as the supervisor starts it: a process of its own, on a real broker, into a real lake.

Belongs here: starting it, feeding it, and reading what it has done. Does not belong here: expectations.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shoplake_assets.events.producer import EventProducer
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.runtime.ports import is_free
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.waiting import wait_until

_PORTS = iter(range(32_100, 32_700))
_TOO_LONG = 180
_COMMAND = (sys.executable, "-m", "shoplake_assets.ingest")


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "SHOPLAKE_HOME": str(settings.home),
        "SHOPLAKE_KAFKA__TOPIC": settings.kafka.topic,
        "SHOPLAKE_INGEST__PORT": _free_port(),
        "SHOPLAKE_INGEST__SPARK_UI_PORT": _free_port(),
        "SHOPLAKE_INGEST__TRIGGER_SECONDS": "0.5",
    }


def _free_port() -> str:
    return str(next(port for port in _PORTS if is_free(port)))


@dataclass(frozen=True)
class Ingest:
    """An ingest that was started, with the addresses of its own pages and of its Spark UI."""

    process: "subprocess.Popen[bytes]"
    address: str
    interface: str
    log: Path

    def status(self) -> dict[str, Any]:
        """Its `/status`; a document of its own while it does not answer."""
        try:
            with internal_client(timeout=5) as client:
                document: dict[str, Any] = client.get(f"{self.address}/status").json()
        except httpx.TransportError:
            return {"state": "silent", "rows_total": 0}
        return document

    def wait_for_rows(self, rows: int) -> None:
        """Wait until this process has committed so many rows."""

        def committed() -> bool:
            assert self.process.poll() is None, self.words()
            return bool(self.status()["rows_total"] >= rows)

        wait_until(committed, what=f"the ingest has committed {rows} rows")

    def wait_until_it_runs(self) -> None:
        """Wait until its query is active."""
        wait_until(lambda: self.status()["state"] == "running", what="the query is active")

    def wait_for_end(self) -> int:
        """Wait until the process has ended, and give its exit code."""
        return self.process.wait(timeout=_TOO_LONG)

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-6000:]


def drain(settings: Settings, *, seconds: float = _TOO_LONG) -> "subprocess.CompletedProcess[str]":
    """Ingest what is in Kafka now, within so many seconds."""
    return subprocess.run(  # noqa: S603  our own command
        [*_COMMAND, "--once"],
        env=_environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def drained(settings: Settings, *, seconds: float = _TOO_LONG) -> str:
    """Ingest what is in Kafka now, which must succeed within so many seconds, and give what was logged."""
    done = drain(settings, seconds=seconds)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@contextmanager
def running(settings: Settings, log: Path) -> Iterator[Ingest]:
    """An ingest that runs until it ends or the context does."""
    environment = _environment(settings)
    with log.open("wb") as output:
        process = subprocess.Popen(_COMMAND, env=environment, stdout=output, stderr=output)  # noqa: S603  our own command
        try:
            own, spark = environment["SHOPLAKE_INGEST__PORT"], environment["SHOPLAKE_INGEST__SPARK_UI_PORT"]
            yield Ingest(process, f"http://{LOOPBACK}:{own}", f"http://{LOOPBACK}:{spark}", log)
        finally:
            process.kill()
            process.wait()


def produce(settings: Settings, payloads: Sequence[bytes]) -> None:
    """Send the payloads, by five shoppers, in order."""
    with EventProducer(settings) as producer:
        for number, payload in enumerate(payloads):
            assert producer.offer(key=b"u%d" % (number % 5), value=payload, mark=number)
    assert producer.failed == 0


def bronze_rows(settings: Settings) -> list[dict[str, Any]]:
    """All rows of Bronze."""
    rows: list[dict[str, Any]] = open_catalog(settings).load_table(BRONZE_EVENTS).scan().to_arrow().to_pylist()
    return rows


def offsets(settings: Settings, topic_id: str) -> dict[int, list[int]]:
    """The offsets of a topic in Bronze, by partition, ascending, repeats and all."""
    found: dict[int, list[int]] = {}
    for row in bronze_rows(settings):
        if row["topic_id"] == topic_id:
            found.setdefault(row["partition"], []).append(row["offset"])
    return {partition: sorted(numbers) for partition, numbers in sorted(found.items())}
