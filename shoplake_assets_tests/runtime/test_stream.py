"""What feeds the lake, asked while it runs."""

import socket
import time
from datetime import timedelta

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.broker import PATIENCE_SECONDS
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.runtime.stream import ask_kafka, ingest_patience, kafka_range
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings


def test_a_broker_that_is_not_there_is_not_waited_for(settings: Settings) -> None:
    began = time.monotonic()
    assert kafka_range(settings) is None
    with pytest.raises(ShoplakeError, match=f"cannot reach Kafka at {settings.bootstrap}; is it running"):
        ask_kafka(settings)
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_broker_that_listens_and_says_nothing_is_given_up_on_soon(settings: Settings) -> None:
    began = time.monotonic()
    with socket.create_server((LOOPBACK, settings.kafka.port)):
        assert kafka_range(settings) is None
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("position", "behind"), [({}, 130), ({0: 5}, 130), ({0: 20}, 130), ({0: 21, 1: 50}, 79), ({0: 100, 1: 60}, 0)]
)
def test_what_retention_has_removed_is_not_waited_for(position: dict[int, int], behind: int) -> None:
    begin, end = Position.of_topic("T", {0: 20}), Position.of_topic("T", {0: 100, 1: 50})
    assert KafkaRange(begin=begin, end=end).ahead_of(Position.of_topic("T", position)) == behind


def test_an_ingest_may_say_nothing_for_three_triggers_beyond_sparks_own_silence() -> None:
    assert ingest_patience(trigger_seconds=10) == timedelta(seconds=40)
    assert ingest_patience(trigger_seconds=0.5) == timedelta(seconds=11.5)
