"""What every format has to say about itself.

Belongs here: the interface between a format and the replay, and the identity of a row. Does not belong here: any one
format.
"""

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOPLAKE = UUID("5c3bb3f4-7a36-5d51-9c59-0f7ac7c70b0c")


class UnmappableError(ValueError):
    """A line that is no event of its format; it is sent as it is, so that Silver quarantines it."""


class Mapped(NamedTuple):
    """A line as an event.

    Attributes:
        key: The event's `user_id`.
        value: The event as Kafka carries it.
        seconds: When it happened, in seconds since 1970; none where the line does not say.
    """

    key: bytes | None
    value: bytes
    seconds: float | None


@dataclass(frozen=True)
class Format:
    """A format of shop events.

    Attributes:
        name: What a user calls it.
        columns: The header line that the file must have; none for formats without one.
        read: Makes an event of a line, or raises `UnmappableError`.
    """

    name: str
    columns: tuple[str, ...] | None
    read: "Callable[[bytes], Mapped]"


def namespace(format_name: str) -> bytes:
    """The UUID namespace of a format's rows, so that equal bytes in two formats are two events."""
    return uuid5(_SHOPLAKE, format_name).bytes


def row_id(line: bytes, *, within: bytes) -> str:
    """The UUIDv5 of a row's content: the same row is the same event, whenever and however often it is sent.

    Args:
        line: The row without its line end.
        within: The format's `namespace`.
    """
    digest = hashlib.sha1(within + line, usedforsecurity=False).digest()
    return str(UUID(bytes=digest[:16], version=5))


def split_csv(line: bytes) -> list[str]:
    """The fields of one CSV row.

    Raises:
        UnmappableError: The row is not UTF-8, or a quote is left open.
    """
    try:
        text = line.decode("utf-8")
        if '"' not in text:
            return text.split(",")
        return next(csv.reader([text], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnmappableError(str(error)) from error
