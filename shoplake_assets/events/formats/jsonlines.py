"""Shoplake's own events, one JSON object a line, as Kafka carries them.

Belongs here: what a line needs before it can be sent. Does not belong here: whether the event is valid; a JSON object
is sent byte for byte, and Silver judges it.
"""

from datetime import UTC, datetime

import orjson

from shoplake_assets.events.formats.base import Format, Mapped, UnmappableError, namespace, row_id

_NAMESPACE = namespace("jsonl")
_EPOCH_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973


def _read(line: bytes) -> Mapped:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UnmappableError(str(error)) from error
    if not isinstance(event, dict):
        raise UnmappableError("not a JSON object")
    user = event.get("user_id")
    return Mapped(
        key=None if user is None else str(user).encode(),
        value=line if "event_id" in event else _with_id(line, empty=not event),
        seconds=_seconds(event.get("event_time")),
    )


def _with_id(line: bytes, *, empty: bool) -> bytes:
    """Put the id in front of the other fields without touching their bytes: digits of money must stay as they are."""
    rest = line.lstrip()[1:]
    separator = b"" if empty else b","
    return b'{"event_id":"' + row_id(line, within=_NAMESPACE).encode() + b'"' + separator + rest


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if value >= _EPOCH_MILLISECONDS_FROM else float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


JSONLINES = Format(name="jsonl", columns=None, read=_read)
