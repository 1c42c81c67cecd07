"""What a broken producer sends: payloads that no valid event can be made of.

Belongs here: the ways to break an event. Does not belong here: how often, and where broken events end.
"""

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


def _set(**fields: object) -> "Callable[[bytes], bytes]":
    return lambda value: orjson.dumps({**orjson.loads(value), **fields})


def _without(field: str) -> "Callable[[bytes], bytes]":
    return lambda value: orjson.dumps({name: item for name, item in orjson.loads(value).items() if name != field})


WAYS: "dict[str, Callable[[bytes], bytes]]" = {
    "cut JSON": lambda value: value[: len(value) // 2],
    "not JSON": lambda _value: b"<html>502 Bad Gateway</html>",
    "not an object": lambda _value: b"[1, 2, 3]",
    "no event_id": _without("event_id"),
    "no user_id": _without("user_id"),
    "no product_id": _without("product_id"),
    "no event_time": _without("event_time"),
    "time that is none": _set(event_time="yesterday"),
    "unknown type": _set(event_type="wish"),
    "price of the wrong type": _set(price="cheap"),
    "negative price": _set(price=-1),
    "no pieces": _set(quantity=0),
}
"""Every way to break an event, by name."""

_ALL = tuple(WAYS.values())


def malform(value: bytes, *, rng: "Random") -> bytes:
    """Break an event in one of the `WAYS`."""
    return rng.choice(_ALL)(value)
