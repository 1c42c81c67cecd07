"""A look at a whole lake, while some of its parts answer and others do not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

import psutil  # type: ignore[import-untyped]
import pytest
from flask import Flask
from werkzeug.serving import make_server

from shoplake_assets.health.reader import HealthReader, disk_of, table_health, usage
from shoplake_assets.health.state import Pulse, Source
from shoplake_assets.health.tables import Seen
from shoplake_assets.ingest.progress import Progress
from shoplake_assets.ingest.server import application
from shoplake_assets.lake.layers import Layer
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.runtime.supervision import ProcessState
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.health.conftest import Load
from shoplake_assets_tests.health.picture import NOW
from shoplake_assets_tests.lake.conftest import commit


@contextmanager
def served(app: Flask, *, port: int) -> Iterator[None]:
    """Serve an application while the block runs."""
    server = make_server(LOOPBACK, port, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def test_of_a_lake_that_is_down_the_tables_are_seen_and_each_silent_part_is_named(lake: Settings, load: Load) -> None:
    commit(load(BRONZE_EVENTS), range(10))
    found = HealthReader(lake).look()
    assert list(found.tables) == [BRONZE_EVENTS, *DERIVED]
    bronze = found.tables[BRONZE_EVENTS]
    assert (bronze.rows, bronze.lag_events, bronze.lag_seconds) == (10, None, None)
    assert (found.checks, found.freshness, found.refreshes, found.processes) == ((), {}, (), {})
    assert found.stream.pulse is Pulse.STOPPED
    assert found.quiet_seconds == 40
    troubles = dict(found.troubles)
    dagster = f"Dagster does not answer at http://127.0.0.1:{lake.dagster.port}/graphql ("
    assert troubles.pop(Source.DAGSTER).startswith(dagster)
    assert troubles == {
        Source.KAFKA: (
            f"cannot reach Kafka at {lake.bootstrap}; is it running? 'shoplake up' starts it, "
            "SHOPLAKE_KAFKA__BOOTSTRAP names another."
        ),
        Source.INGEST: (
            f"the ingest does not answer at http://127.0.0.1:{lake.ingest.port}/status; see its log, or "
            "'shoplake status'."
        ),
        Source.SUPERVISOR: f"nothing runs in {lake.home}; 'shoplake up' starts it.",
    }


def test_a_lake_that_does_not_exist_yet_has_no_tables(settings: Settings) -> None:
    found = HealthReader(settings).look()
    assert (found.tables, found.quarantine, found.gaps, found.duplicates) == ({}, None, (), 0)
    assert Source.CATALOG not in found.troubles
    assert found.disk.free_bytes > 0


def test_a_lake_whose_tables_cannot_be_read_hides_nothing_else(lake: Settings) -> None:
    (lake.home / "catalog.db").write_bytes(b"no database " * 100)
    found = HealthReader(lake).look()
    assert found.tables == {}
    assert found.troubles[Source.CATALOG].startswith(f"the lake in {lake.home} cannot be read: ")
    assert found.disk.size_bytes > 0


def test_an_ingest_that_answers_gives_the_stream_its_pulse(lake: Settings, load: Load) -> None:
    commit(load(BRONZE_EVENTS), range(10))
    progress = Progress(trigger_seconds=lake.ingest.trigger_seconds)
    progress.note(state="running")
    progress.beat()
    with served(application(progress), port=lake.ingest.port):
        reader = HealthReader(lake)
        found, stream = reader.look(), reader.look_at_stream()
    assert found.ingest == progress.document()
    assert found.stream.pulse is stream.pulse is Pulse.ACTIVE
    assert stream.newest_record == found.stream.newest_record == found.tables[BRONZE_EVENTS].newest_record
    assert Source.INGEST not in found.troubles


@pytest.mark.parametrize(
    ("position", "lag_events", "lag_seconds"),
    [
        ({0: 100, 1: 50}, 0, 0.0),
        ({0: 100, 1: 40}, 10, 25.0),
        # Kafka begins at 20 and 0: what retention has removed is lost, and no table lags behind because of it.
        ({}, 130, 25.0),
    ],
)
def test_a_table_lags_by_what_kafka_still_holds_beyond_its_position(
    position: dict[int, int], lag_events: int, lag_seconds: float
) -> None:
    kafka = KafkaRange(
        begin=Position.of_topic(TOPIC_ID, {0: 20, 1: 0}), end=Position.of_topic(TOPIC_ID, {0: 100, 1: 50})
    )
    layer = Layer(
        rows=3,
        snapshot_id=7,
        position=Position.of_topic(TOPIC_ID, position),
        newest_record=NOW - timedelta(seconds=25),
        newest_event=None,
    )
    seen = Seen(layer=layer, committed_at=NOW, files=1, size_bytes=100, snapshots=2)
    found = table_health(seen, kafka=kafka, now=NOW)
    assert (found.lag_events, found.lag_seconds) == (lag_events, lag_seconds)
    assert table_health(seen, kafka=None, now=NOW).lag_events is None


def test_memory_and_processor_time_are_those_of_the_processes_that_live() -> None:
    with psutil.Popen(["true"]) as ended:
        ended.wait()
    states = {
        "here": ProcessState(pid=os.getpid(), state="running", since=None, restarts=0),
        "ended": ProcessState(pid=ended.pid, state="running", since=None, restarts=0),
        "down": ProcessState(pid=None, state="stopped", since=None, restarts=0),
    }
    found = usage(states)
    assert list(found) == ["here"]
    assert found["here"].resident_bytes > 10_000_000
    assert found["here"].cpu_seconds > 0


def test_the_disk_is_that_of_the_home_also_before_there_is_one(tmp_path: Path) -> None:
    assert disk_of(tmp_path / "lake" / "home").size_bytes == psutil.disk_usage(str(tmp_path)).total
