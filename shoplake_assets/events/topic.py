"""The topic of shop events: made on first use, and asked for its identity and its offsets.

Belongs here: what the rest of Shoplake wants to know about the topic. Does not belong here: sending or reading events.
No function here makes the topic by asking about it; only `ensure_topic` does.
"""

import time
from concurrent.futures import wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, yet not re-exported to type checkers
    NewTopic,
    OffsetSpec,
)
from tenacity import (
    Retrying,
    retry,
    retry_if_exception,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.broker import PATIENCE_SECONDS, Complaints, RefusedError, admin_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from confluent_kafka import Uuid
    from confluent_kafka.admin import AdminClient

    from shoplake_assets.settings import Settings

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")

_LOOK_SECONDS = 0.2
# A broker that has just started may not know its users yet, and refuses for a moment.
_REFUSED_SECONDS = 2.0
_LEADERLESS = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.OFFSET_NOT_AVAILABLE}
)
_SILENCE = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE})


@dataclass(frozen=True)
class Topic:
    """A topic's identity: `id` changes when a topic of the same name is made anew, so offsets belong to an id.

    Attributes:
        id: Kafka's topic id, as Kafka's own tools print it (URL-safe base64, 22 characters).
        partitions: The partitions' numbers, ascending.
    """

    id: str
    partitions: tuple[int, ...]


class TopicMissingError(ShoplakeError):
    """The broker answers, but has no such topic (yet)."""


def ensure_topic(settings: "Settings") -> Topic:
    """Make the topic with the partitions and the retention of the settings, if it is absent; leave it alone if not.

    Raises:
        ShoplakeError: The broker cannot be reached or refuses.
    """
    try:
        return describe_topic(settings)
    except TopicMissingError:
        wanted = NewTopic(
            settings.kafka.topic,
            num_partitions=settings.kafka.partitions,
            replication_factor=-1,
            config={"retention.ms": str(settings.kafka.retention_hours * 3_600_000)},
        )
    try:
        _ask(settings, lambda admin: admin.create_topics([wanted]))
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise ShoplakeError(f"Kafka refuses topic {settings.kafka.topic!r}: {error.args[0].str()}.") from error
    return _describe_when_known(settings)


def wait_for_topic(settings: "Settings", *, seconds: float) -> Topic:
    """As `ensure_topic`, for a process that starts together with the broker: an absent broker is waited for.

    Raises:
        RefusedError: The broker is there and lets nobody in; that is not waited for.
        ShoplakeError: The broker cannot be reached within so many seconds.
    """
    attempts = Retrying(
        retry=retry_if_exception_type(ShoplakeError) & retry_if_not_exception_type(RefusedError),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    return attempts(ensure_topic, settings)


def describe_topic(settings: "Settings") -> Topic:
    """Ask for the topic's id and partitions.

    Raises:
        TopicMissingError: There is no such topic.
        ShoplakeError: The broker cannot be reached or refuses.
    """
    name = settings.kafka.topic
    try:
        found = _ask(settings, lambda admin: admin.describe_topics(TopicCollection([name])))[name]
    except KafkaException as error:
        raise _refusal(error, settings=settings) from error
    return Topic(id=_render(found.topic_id), partitions=tuple(sorted(part.id for part in found.partitions)))


def end_offsets(settings: "Settings", topic: Topic | None = None) -> dict[int, int]:
    """Ask, for each partition, for the offset that the next event will get; who has described the topic gives it.

    Raises:
        TopicMissingError: There is no such topic.
        ShoplakeError: The broker cannot be reached or refuses.
    """
    return _offsets(settings, topic, at=OffsetSpec.latest())  # type: ignore[no-untyped-call]


def beginning_offsets(settings: "Settings", topic: Topic | None = None) -> dict[int, int]:
    """Ask, for each partition, for the oldest offset that retention has kept; who has described the topic gives it.

    Raises:
        TopicMissingError: There is no such topic.
        ShoplakeError: The broker cannot be reached or refuses.
    """
    return _offsets(settings, topic, at=OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def _offsets(settings: "Settings", topic: Topic | None, *, at: OffsetSpec) -> dict[int, int]:
    partitions = (topic or describe_topic(settings)).partitions
    wanted = {TopicPartition(settings.kafka.topic, number): at for number in partitions}
    attempts = Retrying(
        retry=retry_if_exception(_has_no_leader_yet),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(0.1),
        reraise=True,
    )
    try:
        found = attempts(_ask, settings, lambda admin: admin.list_offsets(wanted))
    except KafkaException as error:
        raise _refusal(error, settings=settings) from error
    return {part.partition: answer.offset for part, answer in sorted(found.items(), key=lambda item: item[0].partition)}


@retry(
    retry=retry_if_exception_type(TopicMissingError),
    stop=stop_after_delay(PATIENCE_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)
def _describe_when_known(settings: "Settings") -> Topic:
    """A topic that was just made takes a moment to reach every broker."""
    return describe_topic(settings)


def _ask(
    settings: "Settings", request: "Callable[[AdminClient], dict[_Key, Future[_Answer]]]"
) -> "dict[_Key, _Answer]":
    """Put one request to the broker and wait for its answers; the client must outlive them."""
    complaints = Complaints()
    admin = admin_client(settings, complaints)
    futures = request(admin)
    began = time.monotonic()
    while wait(futures.values(), timeout=_LOOK_SECONDS).not_done:
        admin.poll(0)  # lets the complaints in
        if time.monotonic() - began > (_REFUSED_SECONDS if complaints.refused else PATIENCE_SECONDS):
            raise complaints.explain(settings)
    try:
        return {key: future.result() for key, future in futures.items()}
    except KafkaException as error:
        if error.args[0].code() in _SILENCE:
            raise complaints.explain(settings) from error
        raise


def _has_no_leader_yet(error: BaseException) -> bool:
    """A partition that was just made, or whose broker has just started, takes a moment to have a leader."""
    return isinstance(error, KafkaException) and error.args[0].code() in _LEADERLESS


def _refusal(error: KafkaException, *, settings: "Settings") -> ShoplakeError:
    problem: KafkaError = error.args[0]
    if problem.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return TopicMissingError(
            f"Kafka at {settings.bootstrap} has no topic {settings.kafka.topic!r}; 'shoplake up' makes it."
        )
    return ShoplakeError(f"Kafka at {settings.bootstrap} refuses topic {settings.kafka.topic!r}: {problem.str()}.")


def _render(topic_id: "Uuid") -> str:
    """Kafka's tools print the URL-safe alphabet, the client library the standard one."""
    return str(topic_id).rstrip("=").replace("+", "-").replace("/", "_")
