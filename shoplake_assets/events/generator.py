"""Synthetic shop events: a pure function of a seed and a clock.

Belongs here: how sessions interleave, and what goes wrong on the way to Kafka: events that come late, twice or broken.
Does not belong here: sending them.
"""

from enum import StrEnum
from heapq import heappop, heappush
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from shoplake_assets.events.day import busyness
from shoplake_assets.events.malformed import malform
from shoplake_assets.events.shape import event_json, rfc3339
from shoplake_assets.events.shoppers import Session, start_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SECONDS_BETWEEN_STEPS = 20
_FEWEST_SHOPPERS = 10
_MOST_SHOPPERS = 5_000
_NULL_PRICE_SHARE = 0.001
_SHORTEST_DELAY = 3_600.0
_LONGEST_DELAY = 86_400.0
_MEAN_DELAY = 4 * 3_600.0
_MEAN_RETRY_DISTANCE = 200


class Fate(StrEnum):
    """Where a generated record is meant to end."""

    SILVER = "silver"
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"


class Generated(NamedTuple):
    """A generated record.

    Attributes:
        key: Kafka key, the `user_id`.
        value: The payload.
        at: When it arrives, in seconds since 1970.
        fate: Where it is meant to end.
        late: Whether its event happened hours before it arrives.
    """

    key: bytes
    value: bytes
    at: float
    fate: Fate
    late: bool


class Mishaps(NamedTuple):
    """Shares of the events that go wrong.

    Attributes:
        late: Arrive hours after they happened.
        duplicate: Are sent twice, the second time later.
        bad: Are malformed.
    """

    late: float
    duplicate: float
    bad: float


def generate(arrivals: "Iterable[float]", *, seed: int, rate: float, mishaps: Mishaps) -> "Iterator[Generated]":
    """Yield a record for each arrival.

    The seed decides what shoppers do. The ids of sessions and events come from the seed and the first arrival
    together: a generator that is started again makes new events, not old ids with new times.

    Args:
        arrivals: Ascending moments, in seconds since 1970.
        seed: The same seed and the same arrivals give the same records.
        rate: Events a second, roughly; it decides how many shoppers are about at once.
        mishaps: What goes wrong.
    """
    behaviour = Random(seed)  # noqa: S311  # plausible, not secret
    arrivals = iter(arrivals)
    first = next(arrivals, None)
    if first is None:
        return
    identity = Random(f"{seed}:{first!r}")  # noqa: S311
    most = max(_FEWEST_SHOPPERS, min(_MOST_SHOPPERS, int(rate * _SECONDS_BETWEEN_STEPS)))
    active: list[Session] = []
    retries: list[tuple[int, bytes, bytes]] = []
    for number, at in enumerate(chain((first,), arrivals)):
        if retries and retries[0][0] <= number:
            _, key, value = heappop(retries)
            yield Generated(key, value, at, Fate.DUPLICATE, late=False)
            continue
        if len(active) < most:
            active.append(_arrive(behaviour, identity=identity, at=at))
        index = int(behaviour.random() * len(active))
        session = active[index]
        key, value, late = _next_event(session, behaviour, identity=identity, at=at, late_share=mishaps.late)
        if not session.steps:
            active[index] = _arrive(behaviour, identity=identity, at=at)
        if behaviour.random() < mishaps.bad:
            yield Generated(key, malform(value, rng=behaviour), at, Fate.QUARANTINE, late=False)
            continue
        if behaviour.random() < mishaps.duplicate:
            due = number + 1 + int(behaviour.expovariate(1 / _MEAN_RETRY_DISTANCE))
            heappush(retries, (due, key, value))
        yield Generated(key, value, at, Fate.SILVER, late)


def _arrive(behaviour: Random, *, identity: Random, at: float) -> Session:
    return start_session(behaviour, session_id=f"{identity.getrandbits(40):010x}", busyness=busyness(at))


def _next_event(
    session: Session, behaviour: Random, *, identity: Random, at: float, late_share: float
) -> tuple[bytes, bytes, bool]:
    event_type, product, quantity = session.steps.pop()
    late = behaviour.random() < late_share
    delay = min(_LONGEST_DELAY, _SHORTEST_DELAY + behaviour.expovariate(1 / _MEAN_DELAY)) if late else 0.0
    value = event_json(
        event_id=_uuid4(identity),
        event_type=event_type,
        event_time=rfc3339(at - delay),
        user_id=session.user_id,
        session_id=session.session_id,
        product_id=product.id,
        product_name=product.name,
        category=product.category,
        price=None if behaviour.random() < _NULL_PRICE_SHARE else product.price,
        quantity=quantity,
    )
    return session.user_id.encode(), value, late


def _uuid4(rng: Random) -> str:
    """A version 4 UUID from a seeded source; `uuid.UUID` would double the cost of an event."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
