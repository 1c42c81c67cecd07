"""Pace, and what reaches a real broker."""

import json
import os
import signal
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.feed import Pace, stop_on_signal
from shoplake_assets.events.files import LineFile
from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.producer import EventProducer
from shoplake_assets.events.replay import FORMATS, replay
from shoplake_assets.events.topic import beginning_offsets, describe_topic, end_offsets, ensure_topic
from shoplake_assets.events.traffic import Plan, send
from shoplake_assets.settings import Settings, load_settings


def test_pace_is_measured_from_the_first_event() -> None:
    now = iter([100.0, 100.0, 103.0, 200.0])
    pace = Pace(2.0, clock=lambda: next(now))
    assert pace.seconds_until(5_000.0) == 0.0
    assert pace.seconds_until(5_010.0) == 5.0
    assert pace.seconds_until(5_010.0) == 2.0
    assert pace.seconds_until(5_010.0) == -95.0


def test_without_a_speed_or_a_time_an_event_is_due_at_once() -> None:
    assert Pace(None).seconds_until(5.0) == 0.0
    assert Pace(1.0).seconds_until(None) == 0.0


def test_sigterm_raises_the_flag_and_the_old_handler_returns() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signal() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoplake_assets.events.topic.PATIENCE_SECONDS", 0.5)
    nowhere = load_settings(kafka={"bootstrap": "127.0.0.1:1"})
    with (
        pytest.raises(ShoplakeError, match=r"cannot reach Kafka at 127\.0\.0\.1:1; is it running\?"),
        EventProducer(nowhere),
    ):
        pytest.fail("there is no broker")


def consume(settings: Settings) -> list[tuple[bytes | None, bytes]]:
    """All records of the topic, partition after partition."""
    wanted = sum(end_offsets(settings).values())
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap, "group.id": uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(settings.kafka.topic, number, 0) for number in end_offsets(settings)])
    records: list[tuple[bytes | None, bytes]] = []
    while len(records) < wanted:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        key, value = message.key(), message.value()
        assert isinstance(value, bytes)
        assert key is None or isinstance(key, bytes)
        records.append((key, value))
    consumer.close()
    return records


@pytest.mark.spark
def test_a_replayed_file_is_in_kafka_line_by_line(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    rows = [f"143322133211{n},v{n % 3},view,{n},".encode() for n in range(10)]
    file.write_bytes(b"\n".join([b"timestamp,visitorid,event,itemid,transactionid", *rows, b"14332213321"]))
    progress: list[int] = []

    def note(lines: LineFile) -> None:
        progress.append(lines.position)

    played = replay(
        settings,
        path=file,
        source=FORMATS["retailrocket"],
        speed=None,
        from_line=1,
        stop=threading.Event(),
        on_progress=note,
    )
    assert (played.delivered, played.failed, played.mapped, played.unmapped) == (11, 0, 10, 1)
    assert (played.unmapped_lines, played.resume_from_line) == ([12], None)
    assert progress[-1] == file.stat().st_size
    found = consume(settings)
    assert (None, b"14332213321") in found
    items = {(key, json.loads(value)["product_id"]) for key, value in found if key is not None}
    assert items == {(f"v{n % 3}".encode(), str(n)) for n in range(10)}


@pytest.mark.spark
def test_generated_events_reach_a_topic_that_is_made_once(settings: Settings) -> None:
    topic = ensure_topic(settings)
    assert topic == ensure_topic(settings) == describe_topic(settings)
    assert beginning_offsets(settings) == dict.fromkeys(topic.partitions, 0)
    plan = Plan(seed=3, mishaps=Mishaps(late=0.1, duplicate=0.1, bad=0.1), start=1_772_323_200, rate=None, count=500)
    sent = send(settings, plan=plan, stop=threading.Event(), on_progress=lambda _producer: None)
    assert (sent.delivered, sent.failed, sum(sent.fates.values())) == (500, 0, 500)
    assert sorted(consume(settings), key=str) == sorted(
        ((record.key, record.value) for record in plan.records()), key=str
    )
