"""The ingest as a process: a real broker, a real Spark, a real Iceberg table.

One test follows one lake through drains and a running stream, because each start of the process costs seconds.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from shoplake_assets.events.broker import client_options
from shoplake_assets.events.producer import EventProducer
from shoplake_assets.events.topic import describe_topic
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.lake.bronze import bronze_position
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.position import Position
from shoplake_assets.runtime.ports import is_free
from shoplake_assets.settings import LOOPBACK, Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.waiting import wait_until

pytestmark = pytest.mark.spark

_PORTS = iter(range(32_100, 32_700))
_TOOLONG = 180
PAYLOADS = [b'{"event_id":"e%d"}' % number for number in range(20)]
ODD = [b"", b"\xff\xfe\x00rubbish", "\u706f".encode(), b"[1, 2", b"x" * 100_000]


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "SHOPLAKE_HOME": str(settings.home),
        "SHOPLAKE_KAFKA__TOPIC": settings.kafka.topic,
        "SHOPLAKE_INGEST__PORT": str(next(port for port in _PORTS if is_free(port))),
        "SHOPLAKE_INGEST__TRIGGER_SECONDS": "0.5",
    }


def _drain(settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shoplake_assets.ingest", "--once"],
        env=_environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TOOLONG,
    )


@contextmanager
def _running(settings: Settings, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An ingest that runs until it is told to stop, and the address of its status."""
    environment = _environment(settings)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shoplake_assets.ingest"], env=environment, stdout=output, stderr=output
        )
        try:
            yield process, f"http://{LOOPBACK}:{environment['SHOPLAKE_INGEST__PORT']}"
        finally:
            process.kill()
            process.wait()


def _produce(settings: Settings, payloads: list[bytes]) -> None:
    with EventProducer(settings) as producer:
        for number, payload in enumerate(payloads):
            assert producer.offer(key=b"u%d" % (number % 5), value=payload, mark=number)
    assert producer.failed == 0


def _produce_null_with_headers(settings: Settings) -> None:
    producer = Producer(client_options(settings))
    producer.produce(settings.kafka.topic, value=None, key=None, headers=[("source", b"\x00\xff"), ("empty", None)])
    assert producer.flush(30) == 0


def _bronze(settings: Settings) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = open_catalog(settings).load_table(BRONZE_EVENTS).scan().to_arrow().to_pylist()
    return rows


def _assert_contiguous(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Every offset of every partition once, from 0, and the position right behind the last."""
    topic = describe_topic(settings)
    ends = {}
    for partition in {row["partition"] for row in rows}:
        offsets = sorted(row["offset"] for row in rows if row["partition"] == partition)
        assert offsets == list(range(len(offsets)))
        ends[partition] = len(offsets)
    assert bronze_position(open_catalog(settings).load_table(BRONZE_EVENTS)) == Position.of_topic(topic.id, ends)
    assert {row["topic_id"] for row in rows} == {topic.id}
    assert {row["topic"] for row in rows} == {settings.kafka.topic}


def test_every_record_reaches_bronze_once_and_as_it_came(settings: Settings, tmp_path: Path) -> None:
    _produce(settings, PAYLOADS + ODD)
    _produce_null_with_headers(settings)
    drained = _drain(settings)
    assert drained.returncode == 0, drained.stdout[-3000:] + drained.stderr[-3000:]
    rows = _bronze(settings)
    assert sorted(row["payload"] or b"null" for row in rows) == sorted([*PAYLOADS, *ODD[1:], b"null", b"null"])
    assert len([row for row in rows if row["payload"] == b""]) == 1
    (headed,) = [row for row in rows if row["payload"] is None]
    assert headed["headers"] == [{"key": "source", "value": b"\x00\xff"}, {"key": "empty", "value": None}]
    assert headed["key"] is None
    assert {row["key"] for row in rows} - {None} == {b"u0", b"u1", b"u2", b"u3", b"u4"}
    _assert_contiguous(settings, rows)

    # Without a checkpoint the stream goes on where Bronze itself says that it ends.
    shutil.rmtree(settings.home / "checkpoints")
    _produce(settings, [b"after the loss"])
    with _running(settings, tmp_path / "ingest.log") as (process, address):

        def status() -> dict[str, Any]:
            try:
                document: dict[str, Any] = httpx.get(f"{address}/status", timeout=5).json()
            except httpx.TransportError:
                return {"state": "silent", "rows_total": 0}
            return document

        wait_until(lambda: status()["rows_total"] == 1, what="the stream has read the new record")
        document = status()
        assert document["state"] == "running"
        assert document["pid"] == process.pid
        assert document["topic_id"] == describe_topic(settings).id
        assert document["last_batch"]["rows"] == 1
        _produce(settings, [b"while it runs"])
        wait_until(lambda: status()["rows_total"] == 2, what="the stream has read the record that came while it ran")
        assert "shoplake_ingest_events_total 2.0" in httpx.get(f"{address}/metrics", timeout=5).text

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, (tmp_path / "ingest.log").read_text()[-3000:]

    again = _drain(settings)
    assert again.returncode == 0, again.stderr[-3000:]
    rows = _bronze(settings)
    assert len(rows) == len(PAYLOADS) + len(ODD) + 3
    _assert_contiguous(settings, rows)


def test_a_second_ingest_says_who_holds_the_lake(settings: Settings) -> None:
    with single_writer(settings):
        refused = _drain(settings)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"shoplake: process {os.getpid()} already ingests into {settings.home}. Stop it first")
