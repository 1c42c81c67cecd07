"""Playing a file of real shop events into Kafka.

Belongs here: from lines to events and the account of both. Does not belong here: what the lines mean (`formats`), how
they are read (`files`) and sent (`feed`), how progress is shown (the command line).
"""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.feed import Outgoing, Pace, feed
from shoplake_assets.events.files import open_lines
from shoplake_assets.events.formats.base import Format, UnmappableError, split_csv
from shoplake_assets.events.formats.jsonlines import JSONLINES
from shoplake_assets.events.formats.rees46 import REES46
from shoplake_assets.events.formats.retailrocket import RETAILROCKET
from shoplake_assets.events.producer import FLUSH_SECONDS, STOP_SECONDS, EventProducer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from threading import Event as Flag

    from shoplake_assets.events.files import Line, LineFile
    from shoplake_assets.settings import Settings

FORMATS = {known.name: known for known in (REES46, RETAILROCKET, JSONLINES)}

_NUMBERS_KEPT = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class Tally:
    """What became of the lines of a file.

    Attributes:
        mapped: Lines that became an event.
        unmapped: Lines that are no event of the format; they were sent as they are.
        unmapped_lines: The numbers of the first of them.
        blank: Lines without content, which are not sent.
        last_line: The last line that was read.
    """

    mapped: int = 0
    unmapped: int = 0
    unmapped_lines: list[int] = field(default_factory=list)
    blank: int = 0
    last_line: int = 0


@dataclass(frozen=True)
class Replayed:
    """The closing account of a replay.

    Attributes:
        file: What was played.
        format: As what.
        delivered: Events that Kafka has acknowledged.
        failed: Events that it has not.
        failure: Why not.
        mapped: Lines that became an event.
        unmapped: Lines that were sent as they are.
        unmapped_lines: The numbers of the first ten of them.
        blank: Lines without content.
        resume_from_line: Where to go on; none where the file was played to its end.
        seconds: How long it took.
    """

    file: str
    format: str
    delivered: int
    failed: int
    failure: str | None
    mapped: int
    unmapped: int
    unmapped_lines: list[int]
    blank: int
    resume_from_line: int | None
    seconds: float


def read_events(
    lines: "LineFile",
    *,
    path: "Path",
    source: Format,
    from_line: int,
    tally: Tally,
) -> "Iterator[Outgoing]":
    """Yield what is to be sent for each line of a file, marked with the line's number.

    A line is counted when the next one is asked for, so that one on which the caller stops is not.

    Args:
        lines: The open file.
        path: Its name, for errors.
        source: What its lines mean.
        from_line: The first line to send; the header is checked in any case.
        tally: Counts along.

    Raises:
        ShoplakeError: The header is not the format's, or the file ends before `from_line`.
    """
    for line in _data_lines(lines, path=path, source=source):
        tally.last_line = line.number
        if line.number < from_line:
            continue
        if not line.content.strip():
            tally.blank += 1
            continue
        try:
            key, value, seconds = source.read(line.content)
        except UnmappableError:
            yield Outgoing(None, line.content, None, line.number)
            tally.unmapped += 1
            if len(tally.unmapped_lines) < _NUMBERS_KEPT:
                tally.unmapped_lines.append(line.number)
        else:
            yield Outgoing(key, value, seconds, line.number)
            tally.mapped += 1
    if from_line > tally.last_line + 1:
        raise ShoplakeError(f"{path} has {tally.last_line} lines; --from-line {from_line} is beyond its end.")


def replay(  # noqa: PLR0913  # each is one decision of the caller
    settings: "Settings",
    *,
    path: "Path",
    source: Format,
    speed: float | None,
    from_line: int,
    stop: "Flag",
    on_progress: "Callable[[LineFile], None]",
) -> Replayed:
    """Play a file into Kafka.

    Args:
        settings: Names the broker and the topic.
        path: The file.
        source: Its format.
        speed: Factor of the events' own time; none is as fast as possible.
        from_line: The first line to send.
        stop: Ends it early; what was sent is still delivered.
        on_progress: Called every now and then with the open file, which knows how far it is.

    Raises:
        ShoplakeError: The file cannot be read as this format, or the broker cannot be reached.
    """
    tally = Tally()
    began = time.monotonic()
    with open_lines(path) as lines, EventProducer(settings) as producer:
        events = read_events(lines, path=path, source=source, from_line=from_line, tally=tally)
        unsent = feed(
            events,
            producer=producer,
            pace=Pace(speed),
            stop=stop,
            give_up_on_failure=True,
            on_progress=lambda: on_progress(lines),
        )
        producer.flush(deadline=FLUSH_SECONDS if unsent is None else STOP_SECONDS)
    return Replayed(
        file=str(path),
        format=source.name,
        delivered=producer.delivered,
        failed=producer.failed,
        failure=producer.failure,
        mapped=tally.mapped,
        unmapped=tally.unmapped,
        unmapped_lines=tally.unmapped_lines,
        blank=tally.blank,
        resume_from_line=min((mark for mark in (unsent, producer.first_failed) if mark is not None), default=None),
        seconds=round(time.monotonic() - began, 3),
    )


def _data_lines(lines: "LineFile", *, path: "Path", source: Format) -> "Iterator[Line]":
    for line in lines:
        if line.number > 1:
            yield line
            continue
        content = line.content.removeprefix(_BYTE_ORDER_MARK)
        if source.columns is None:
            yield line._replace(content=content)
        else:
            _check_header(content, path=path, columns=source.columns, name=source.name)


def _check_header(content: bytes, *, path: "Path", columns: tuple[str, ...], name: str) -> None:
    try:
        found = ",".join(split_csv(content))
    except UnmappableError:
        found = repr(content[:80])
    expected = ",".join(columns)
    if found != expected:
        raise ShoplakeError(
            f"{path}: the first line is not the header of {name}. Expected {expected!r}, found {found[:200]!r}. "
            "Is --format right?"
        )
