"""One loop that plays events into Kafka, in step with a clock, until they end or somebody stops it.

Belongs here: pace, backpressure, stopping. Does not belong here: where the events come from, and what a user is told.
"""

import signal
import time
from contextlib import contextmanager
from threading import Event as Flag
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from shoplake_assets.events.producer import EventProducer

_SHORTEST_SLEEP = 0.002
_LONGEST_SLEEP = 0.5
_STRIDE = 1024


class Outgoing(NamedTuple):
    """An event on its way.

    Attributes:
        key: Kafka key, the `user_id`; none for a payload that has none.
        value: The payload.
        at: When it is due, in seconds of the source's own clock; none means at once.
        mark: The source's number for it, such as its line.
    """

    key: bytes | None
    value: bytes
    at: float | None
    mark: int


class Pace:
    """Holds events to their times: no drift, because each is measured from the first, never from the one before.

    Args:
        speed: Factor of real time; none is as fast as possible.
        clock: Seconds that only ever grow.
    """

    def __init__(self, speed: float | None, *, clock: "Callable[[], float]" = time.monotonic) -> None:
        self._speed = speed
        self._clock = clock
        self._origin: tuple[float, float] | None = None

    def seconds_until(self, at: float | None) -> float:
        """How long it is until an event is due; 0 or less when it is."""
        if self._speed is None or at is None:
            return 0.0
        now = self._clock()
        if self._origin is None:
            self._origin = (now, at)
        real, source = self._origin
        return real + (at - source) / self._speed - now


@contextmanager
def stop_on_signal() -> "Iterator[Flag]":
    """Turn SIGTERM and SIGINT into a flag, so that the events under way are still delivered."""
    stop = Flag()

    def handle(_number: int, _frame: "FrameType | None") -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def feed(  # noqa: PLR0913  # each is one decision of the caller
    events: "Iterable[Outgoing]",
    *,
    producer: "EventProducer",
    pace: Pace,
    stop: Flag,
    give_up_on_failure: bool,
    on_progress: "Callable[[], None]" = lambda: None,
) -> int | None:
    """Send events until they end, `stop` is set or, if asked to give up on that, a delivery fails.

    Args:
        events: What to send, in order.
        producer: Where to.
        pace: When.
        stop: Ends the loop before the next event.
        give_up_on_failure: Whether the first failed delivery ends the loop too.
        on_progress: Called every now and then.

    Returns:
        The mark of the first event that was not sent, or none if all were.
    """
    for count, event in enumerate(events):
        if count % _STRIDE == 0:
            on_progress()
        while (seconds := pace.seconds_until(event.at)) > _SHORTEST_SLEEP and not stop.is_set():
            on_progress()
            producer.wait(0)
            stop.wait(min(seconds, _LONGEST_SLEEP))
        if stop.is_set() or (give_up_on_failure and producer.failed):
            return event.mark
        while not producer.offer(key=event.key, value=event.value, mark=event.mark):
            producer.wait(_LONGEST_SLEEP)
            if stop.is_set() or (give_up_on_failure and producer.failed):
                return event.mark
    on_progress()
    return None
