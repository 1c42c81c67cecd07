"""RetailRocket's `events.csv`.

Belongs here: how one of its rows becomes an event. Does not belong here: reading files, sending.

The data set knows no sessions, names, categories or prices. A session is a visitor's UTC day; the price is null. The
transaction's id travels along as `transaction_id`.
"""

import re

from shoplake_assets.events.formats.base import Format, Mapped, UnmappableError, namespace, row_id, split_csv
from shoplake_assets.events.shape import EventType, event_json, rfc3339

_COLUMNS = ("timestamp", "visitorid", "event", "itemid", "transactionid")
_EVENT_TYPES = {
    "view": EventType.VIEW_ITEM,
    "addtocart": EventType.ADD_TO_CART,
    "transaction": EventType.PURCHASE,
}
_NAMESPACE = namespace("retailrocket")
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


def _read(line: bytes) -> Mapped:
    fields = split_csv(line)
    if len(fields) != len(_COLUMNS):
        raise UnmappableError(f"{len(fields)} fields instead of {len(_COLUMNS)}")
    timestamp, visitor, kind, item, transaction = fields
    event_type = _EVENT_TYPES.get(kind)
    if event_type is None or not visitor or not item:
        raise UnmappableError("unknown event, or no visitor or item")
    if _MILLISECONDS.fullmatch(timestamp) is None:
        raise UnmappableError(f"not a timestamp: {timestamp!r}")
    seconds = int(timestamp) / 1000
    try:
        event_time = rfc3339(seconds)
    except ValueError as error:
        raise UnmappableError(str(error)) from error
    return Mapped(
        key=visitor.encode(),
        value=event_json(
            event_id=row_id(line, within=_NAMESPACE),
            event_type=event_type,
            event_time=event_time,
            user_id=visitor,
            session_id=f"{visitor}-{event_time[:10]}",
            product_id=item,
            extra={"transaction_id": transaction} if transaction else None,
        ),
        seconds=seconds,
    )


RETAILROCKET = Format(name="retailrocket", columns=_COLUMNS, read=_read)
