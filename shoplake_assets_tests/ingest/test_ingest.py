"""The ingest as a process: a real broker, a real Spark, a real Iceberg table.

One test follows one lake through drains and a running stream, because each start of the process costs seconds.
"""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from shoplake_assets.events.broker import client_options
from shoplake_assets.events.topic import describe_topic
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.lake.bronze import bronze_position
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.position import Position
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.ingest.running import bronze_rows, drain, drained, produce, running

pytestmark = pytest.mark.spark

PAYLOADS = [b'{"event_id":"e%d"}' % number for number in range(20)]
ODD = [b"", b"\xff\xfe\x00rubbish", "\u706f".encode(), b"[1, 2", b"x" * 100_000]


def _produce_null_with_headers(settings: Settings) -> None:
    producer = Producer(client_options(settings))
    producer.produce(settings.kafka.topic, value=None, key=None, headers=[("source", b"\x00\xff"), ("empty", None)])
    assert producer.flush(30) == 0


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
    produce(settings, PAYLOADS + ODD)
    _produce_null_with_headers(settings)
    drained(settings)
    rows = bronze_rows(settings)
    assert sorted(row["payload"] or b"null" for row in rows) == sorted([*PAYLOADS, *ODD[1:], b"null", b"null"])
    assert len([row for row in rows if row["payload"] == b""]) == 1
    (headed,) = [row for row in rows if row["payload"] is None]
    assert headed["headers"] == [{"key": "source", "value": b"\x00\xff"}, {"key": "empty", "value": None}]
    assert headed["key"] is None
    assert {row["key"] for row in rows} - {None} == {b"u0", b"u1", b"u2", b"u3", b"u4"}
    _assert_contiguous(settings, rows)

    # Without a checkpoint the stream goes on where Bronze itself says that it ends.
    shutil.rmtree(settings.home / "checkpoints")
    produce(settings, [b"after the loss"])
    with running(settings, tmp_path / "ingest.log") as ingest:
        ingest.wait_for_rows(1)
        document = ingest.status()
        assert document["state"] == "running"
        assert document["pid"] == ingest.process.pid
        assert document["topic_id"] == describe_topic(settings).id
        assert document["last_batch"]["rows"] == 1
        assert document["checkpoint"]["generation"] == 1
        assert document["checkpoint"]["because"] == "Bronze ends there"
        assert sum(document["checkpoint"]["offsets"].values()) == len(rows)
        produce(settings, [b"while it runs"])
        ingest.wait_for_rows(2)
        assert "shoplake_ingest_events_total 2.0" in httpx.get(f"{ingest.address}/metrics", timeout=5).text

        ingest.process.send_signal(signal.SIGTERM)
        assert ingest.wait_for_end() == 0, ingest.words()

    assert "checkpoint generation 2 begins at" in drained(settings)
    rows = bronze_rows(settings)
    assert len(rows) == len(PAYLOADS) + len(ODD) + 3
    _assert_contiguous(settings, rows)


def test_a_second_ingest_says_who_holds_the_lake(settings: Settings) -> None:
    with single_writer(settings):
        refused = drain(settings)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"shoplake: process {os.getpid()} already ingests into {settings.home}. Stop it first")
