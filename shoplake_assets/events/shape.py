"""The shape of a shop event on the wire: one JSON object per Kafka record.

Belongs here: field names, the event types with their synonyms, and how a value becomes JSON. Does not belong here:
where events come from, and which events are valid (that is the contract of `silver.events`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import orjson


class EventType(StrEnum):
    """What a shopper did."""

    VIEW_ITEM = "view_item"
    ADD_TO_CART = "add_to_cart"
    PURCHASE = "purchase"


SYNONYMS = {"view": EventType.VIEW_ITEM, "cart": EventType.ADD_TO_CART}
"""Names by which Silver accepts an event type as well."""

_MILLISECOND = 1000  # in microseconds
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def event_json(  # noqa: PLR0913  # one argument per field of the event
    *,
    event_id: str,
    event_type: EventType,
    event_time: str,
    user_id: str,
    session_id: str | None,
    product_id: str,
    product_name: str | None = None,
    category: str | None = None,
    price: orjson.Fragment | None = None,
    quantity: int = 1,
    extra: Mapping[str, str] | None = None,
) -> bytes:
    """Write an event as Kafka carries it.

    Args:
        event_id: The producer's id; a retry repeats it.
        event_type: What the shopper did.
        event_time: When, as `rfc3339` writes it.
        user_id: Who.
        session_id: The visit it belongs to.
        product_id: The product it is about.
        product_name: The product's name.
        category: The product's category.
        price: Unit price as `money` makes it; none is written as null.
        quantity: Pieces; left out where it is the default, 1.
        extra: Fields of the source that the model does not know; Bronze keeps them.
    """
    event: dict[str, object] = {
        "event_id": event_id,
        "event_type": event_type.value,
        "event_time": event_time,
        "user_id": user_id,
        "session_id": session_id,
        "product_id": product_id,
        "product_name": product_name,
        "category": category,
        "price": price,
    }
    if quantity != 1:
        event["quantity"] = quantity
    if extra:
        event.update(extra)
    return orjson.dumps(event)


@lru_cache(maxsize=65_536)
def money(text: str) -> orjson.Fragment:
    """A decimal text as a JSON number with the very same digits; it never passes through a binary float.

    Raises:
        ValueError: The text is no plain decimal number.
    """
    if _JSON_NUMBER.fullmatch(text) is None:
        raise ValueError(f"not a decimal number: {text!r}")
    return orjson.Fragment(text)


def rfc3339(seconds: float) -> str:
    """A moment, in seconds since 1970, as RFC 3339 UTC text; milliseconds are written where there are any.

    Args:
        seconds: The moment; finer than a millisecond is cut off.

    Raises:
        ValueError: The moment lies outside the years 1 to 9999.
    """
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"not a moment: {seconds}") from error
    return moment.isoformat(timespec="milliseconds" if moment.microsecond >= _MILLISECOND else "seconds")[:-6] + "Z"
