"""What feeds the lake, asked while it runs: Kafka's range of the topic, and what the ingest says of itself.

Belongs here: the questions, and how long a living ingest may be silent. Does not belong here: what follows from the
answers (`checks`, `health`).
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import beginning_offsets, describe_topic, end_offsets
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.runtime.probes import kafka_trouble

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_PATIENCE_SECONDS = 3.0
# Triggers that may pass without a sign of life: Spark reports an idle query only every ten seconds.
_QUIET_TRIGGERS = 3
_IDLE_REPORT = timedelta(seconds=10)


def kafka_range(settings: "Settings") -> KafkaRange | None:
    """What Kafka holds of the topic; None while it does not answer."""
    try:
        return ask_kafka(settings)
    except ShoplakeError:
        return None


def ask_kafka(settings: "Settings") -> KafkaRange:
    """What Kafka holds of the topic now.

    Raises:
        TopicMissingError: There is no such topic.
        ShoplakeError: The broker cannot be reached or refuses.
    """
    # The probe first: the client takes long to find out that nobody listens.
    if (trouble := kafka_trouble(settings)) is not None:
        raise trouble
    topic = describe_topic(settings)
    begin, end = beginning_offsets(settings, topic), end_offsets(settings, topic)
    return KafkaRange(begin=Position.of_topic(topic.id, begin), end=Position.of_topic(topic.id, end))


def ingest_status(settings: "Settings") -> dict[str, Any] | None:
    """The ingest's own `/status`; None while it does not answer."""
    try:
        with internal_client(timeout=_PATIENCE_SECONDS) as client:
            document: dict[str, Any] = client.get(ingest_url(settings)).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    return document


def ingest_url(settings: "Settings") -> str:
    """Where the ingest tells of itself."""
    return f"{settings.ingest_url}/status"


def ingest_patience(*, trigger_seconds: float) -> timedelta:
    """For how long a living ingest with such a trigger may give no sign of life."""
    return _IDLE_REPORT + timedelta(seconds=_QUIET_TRIGGERS * trigger_seconds)
