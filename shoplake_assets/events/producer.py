"""The idempotent producer through which every event of Shoplake's own reaches Kafka.

Belongs here: sending, backpressure, and the account of what the broker did not take. Does not belong here: what an
event looks like, when it is sent.
"""

import time
from functools import partial
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException, Producer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.broker import client_options
from shoplake_assets.events.topic import ensure_topic

if TYPE_CHECKING:
    from types import TracebackType

    from confluent_kafka import KafkaError, Message

    from shoplake_assets.settings import Settings

FLUSH_SECONDS = 30.0
"""How long a run that has come to its end waits for the last acknowledgements."""
STOP_SECONDS = 5.0
"""How long a run that is being stopped does."""

_DELIVERY_SECONDS = 60
_QUEUE_EVENTS = 200_000
_QUEUE_KIB = 128 * 1024
_POLL_EVERY = 512


class EventProducer:
    """Sends events to the topic of shop events, which it makes on entry if need be. A context manager.

    Each event is acknowledged by all replicas and written once, in order within its key. What could not be delivered
    is counted in `failed`; `first_failed` is the lowest mark among it and `failure` says why.

    Args:
        settings: Names the broker and the topic.

    Raises:
        ShoplakeError: On entry, where the broker cannot be reached.
    """

    def __init__(self, settings: "Settings") -> None:
        self.handed = 0
        self.failed = 0
        self.first_failed: int | None = None
        self.failure: str | None = None
        self._settings = settings
        self._topic = settings.kafka.topic

    def __enter__(self) -> Self:
        ensure_topic(self._settings)
        self._producer = Producer(
            {
                **client_options(self._settings),
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 50,
                # Java's clients place a key by murmur2; a user's events must not depend on which client sent them.
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": _DELIVERY_SECONDS * 1000,
                "delivery.report.only.error": True,
                "queue.buffering.max.messages": _QUEUE_EVENTS,
                "queue.buffering.max.kbytes": _QUEUE_KIB,
            }
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        explained = kind is None or issubclass(kind, ShoplakeError)
        self.flush(deadline=FLUSH_SECONDS if explained else STOP_SECONDS)

    @property
    def delivered(self) -> int:
        """Events that were handed over and have not failed; after `flush` these are the acknowledged ones."""
        return self.handed - self.failed

    def offer(self, *, key: bytes | None, value: bytes, mark: int) -> bool:
        """Hand an event over, unless the queue is full.

        Args:
            key: Decides the partition; the event's `user_id`.
            value: The payload.
            mark: The caller's number for the event, such as its line in a file.

        Returns:
            Whether the event was taken. If not, `wait` and offer it again.
        """
        try:
            self._producer.produce(self._topic, value=value, key=key, on_delivery=partial(self._report, mark))
        except BufferError:
            return False
        except KafkaException as error:
            self._count_failure(mark, error.args[0])
        self.handed += 1
        if self.handed % _POLL_EVERY == 0:
            self._producer.poll(0)
        return True

    def wait(self, seconds: float) -> None:
        """Let the broker's answers in for at most so long; returns early when one has come."""
        self._producer.poll(seconds)

    def flush(self, *, deadline: float) -> None:
        """Wait until all events are answered for; what is not by the deadline counts as failed.

        Args:
            deadline: Seconds to wait at most.
        """
        until = time.monotonic() + deadline
        while self._producer.flush(max(0.0, min(0.5, until - time.monotonic()))) and time.monotonic() < until:
            continue
        if len(self._producer):
            self._producer.purge()
            self._producer.flush(1.0)

    def _report(self, mark: int, error: "KafkaError | None", _message: "Message") -> None:
        if error is not None:
            self._count_failure(mark, error)

    def _count_failure(self, mark: int, error: "KafkaError") -> None:
        self.failed += 1
        self.failure = self.failure or error.str()
        self.first_failed = mark if self.first_failed is None else min(mark, self.first_failed)
