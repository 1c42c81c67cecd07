"""A steady producer that knows what Kafka has acknowledged: the truth that the lake is held against.

Belongs here: sending, and the account of acknowledgements. Does not belong here: anything of the lake. Events have
numbers; what an event is follows from its number, so that the account of millions stays small. It outlives the broker:
what is not acknowledged is sent again until it is.
"""

import threading
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Self

import orjson
from confluent_kafka import Producer

if TYPE_CHECKING:
    from types import TracebackType

    from confluent_kafka import KafkaError, Message

ACCEPTED, REPEATED, MALFORMED = "accepted", "repeated", "malformed"

_REPEATS_EVERY, _MALFORMED_EVERY, _LATE_EVERY = 100, 250, 20
# Late events belong to hours that are over, so that maintenance has files to put together.
_LATE_MS = 3 * 3_600_000
_USERS, _PRODUCTS = 997, 89
_TICK_SECONDS = 0.02
_DELIVERY_MS = 900_000
_FLUSH_SECONDS = 120.0


@dataclass(frozen=True)
class Sale:
    """What a number's event sells: nothing, unless it is a purchase."""

    quantity: int
    price: Decimal


def fate(number: int) -> str:
    """Where an event must end: in Silver, as a repeat of the event before it, or in the quarantine."""
    if number % _REPEATS_EVERY == 1:
        return REPEATED
    return MALFORMED if number % _MALFORMED_EVERY == 7 else ACCEPTED


def sale(number: int) -> Sale | None:
    """What an event sells; every fifth is a purchase."""
    return Sale(quantity=1 + number % 3, price=Decimal(100 + number % 900) / 100) if number % 5 == 0 else None


def payload(number: int, *, moment_ms: int) -> bytes:
    """The event of a number, as it is sent."""
    sold = sale(number)
    event = {
        "event_id": event_id(number),
        "event_type": "purchase" if sold else "view_item",
        "event_time": datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "user_id": f"u{number % _USERS}",
        "session_id": f"s{number // 10}",
        "product_id": f"p{number % _PRODUCTS}",
        "product_name": "Lamp",
        "category": f"c{number % 7}",
        "price": "free" if fate(number) == MALFORMED else orjson.Fragment(str(sold.price if sold else 5)),
        "quantity": sold.quantity if sold else 1,
    }
    return orjson.dumps(event)


def _moment_ms(number: int) -> int:
    """When an event that is made now has happened."""
    return time.time_ns() // 1_000_000 - (_LATE_MS if number % _LATE_EVERY == 0 else 0)


def event_id(number: int) -> str:
    """The id of a number's event; all have one length."""
    return f"f{number:012d}"


class Traffic:
    """Sends so many events a second from a thread of its own, from entry to exit. A context manager.

    Args:
        bootstrap: Kafka's address.
        topic: The topic.
        rate: Events a second.

    Attributes:
        moments: When each number was made, milliseconds since 1970: its event time.
        numbers: By partition, the number behind each acknowledged offset, in the order of `offsets`.
        offsets: By partition, the acknowledged offsets.
        failures: What was refused for good; each is the failure of a run.
    """

    def __init__(self, *, bootstrap: str, topic: str, rate: float) -> None:
        self.moments = array("q")
        self.numbers: dict[int, array[int]] = defaultdict(partial(array, "q"))
        self.offsets: dict[int, array[int]] = defaultdict(partial(array, "q"))
        self.failures: list[str] = []
        self._topic, self._rate = topic, rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="traffic")
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 50,
                "compression.type": "lz4",
                "delivery.timeout.ms": _DELIVERY_MS,
                "reconnect.backoff.max.ms": 1000,
                "queue.buffering.max.messages": 2_000_000,
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Send nothing more, and wait until Kafka has answered for everything that was sent."""
        self._stop.set()
        self._thread.join()
        if self._producer.flush(_FLUSH_SECONDS):
            self.failures.append(f"{len(self._producer)} events were never answered for")
            self._producer.purge()

    @property
    def acknowledged(self) -> int:
        """Events that Kafka has taken."""
        return sum(len(offsets) for offsets in list(self.offsets.values()))

    def position(self) -> dict[int, int]:
        """By partition, the offset behind what is acknowledged now."""
        return {number: offsets[-1] + 1 for number, offsets in list(self.offsets.items())}

    def _send(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(_TICK_SECONDS):
            due = int((time.monotonic() - began) * self._rate)
            for number in range(len(self.moments), due):
                again = fate(number) == REPEATED
                self.moments.append(self.moments[number - 1] if again else _moment_ms(number))
                sent = number - 1 if again else number
                self._producer.produce(
                    self._topic,
                    value=payload(sent, moment_ms=self.moments[sent]),
                    key=f"u{sent % _USERS}".encode(),
                    on_delivery=partial(self._answered, number),
                )
            self._producer.poll(0)

    def _answered(self, number: int, error: "KafkaError | None", message: "Message") -> None:
        where, offset = message.partition(), message.offset()
        if error is not None or where is None or offset is None or offset < 0:
            self.failures.append(f"event {number}: {error or 'acknowledged without an offset'}")
            return
        self.numbers[where].append(number)
        self.offsets[where].append(offset)
