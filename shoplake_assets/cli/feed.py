"""`shoplake generate` and `shoplake replay`: two ways to have shop events.

Belongs here: options, the progress bar, the closing summary. Does not belong here: how events are made, read or sent
(`events`).
"""

import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shoplake_assets.events.files import LineFile
    from shoplake_assets.events.producer import EventProducer
    from shoplake_assets.events.replay import Replayed
    from shoplake_assets.events.traffic import Sent

app = typer.Typer()

_INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended
_COMPLAINT_SECONDS = 10.0


class FormatName(StrEnum):
    """Formats that `replay` reads."""

    REES46 = "rees46"
    RETAILROCKET = "retailrocket"
    JSONL = "jsonl"


@app.command()
def generate(  # noqa: PLR0913  # one argument per option
    *,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Events a second, steadily. 0 sends --count events as fast as possible, with times spread over the "
            "day that ends now: more in busy hours, fewer at night. Default: SHOPLAKE_GENERATOR__RATE, 50.",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many events. Default: go on until stopped.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="The same seed gives the same shoppers; with the same --start, rate and shares, the very same "
            "events. Default: SHOPLAKE_GENERATOR__SEED, 7."
        ),
    ] = None,
    late_rate: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share that arrives 1 to 24 hours late. Default: SHOPLAKE_GENERATOR__LATE_RATE, 0.01."
        ),
    ] = None,
    duplicate_rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share that is sent a second time, a while later. Default: SHOPLAKE_GENERATOR__DUPLICATE_RATE, 0.01.",
        ),
    ] = None,
    bad_rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share that is malformed and belongs in quarantine. Default: SHOPLAKE_GENERATOR__BAD_RATE, 0.002.",
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
            help="The first event's time, UTC. Default: now; with --rate 0, a day before that.",
        ),
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a broker that is not there yet.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the closing summary as JSON.")] = False,
) -> None:
    """Send the events of plausible, invented shoppers to Kafka.

    They look at several things, sometimes put one into the cart, sometimes buy. Few products are popular, many are
    not; each keeps its name, category and price. Some events come late, twice or broken, so that what Shoplake does
    about them can be seen. The topic is made if it is absent. Ctrl-C or SIGTERM ends it once what was sent has been
    acknowledged. Events that Kafka did not take are counted, and the exit code is then 1.
    """
    from shoplake_assets.events.feed import stop_on_signal
    from shoplake_assets.events.generator import Mishaps
    from shoplake_assets.events.topic import wait_for_topic
    from shoplake_assets.events.traffic import Plan, send

    settings = load_settings()
    default = settings.generator
    wait_for_topic(settings, seconds=wait)
    if rate == 0 and count is None:
        raise ShoplakeError("--rate 0 spreads the events over one day, so it needs to know how many: give --count.")
    plan = Plan(
        seed=default.seed if seed is None else seed,
        mishaps=Mishaps(
            late=default.late_rate if late_rate is None else late_rate,
            duplicate=default.duplicate_rate if duplicate_rate is None else duplicate_rate,
            bad=default.bad_rate if bad_rate is None else bad_rate,
        ),
        start=first_arrival(rate=rate, now=time.time()) if start is None else start.replace(tzinfo=UTC).timestamp(),
        rate=(default.rate if rate is None else rate) or None,
        count=count,
    )
    with stop_on_signal() as stop:
        sent = send(settings, plan=plan, stop=stop, on_progress=_complain_about_failures())
    typer.echo(orjson.dumps(asdict(sent)) if as_json else _describe_sent(sent))
    if sent.failed:
        raise ShoplakeError(f"Kafka at {settings.bootstrap} did not take {sent.failed:,} events: {sent.failure}.")


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="The file: plain, gzip or zstd, of any size.", show_default=False)],
    *,
    format: Annotated[  # noqa: A002  # the option is called so
        FormatName,
        typer.Option(
            help="rees46: the CSV of 'eCommerce behavior data from multi category store'. retailrocket: RetailRocket's "
            "events.csv. jsonl: Shoplake's own events, one JSON object a line.",
            show_default=False,
        ),
    ],
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Factor of the events' own time: 1 plays an hour in an hour, 60 in a minute. "
            "Default: as fast as possible.",
        ),
    ] = None,
    from_line: Annotated[
        int, typer.Option(min=1, help="Go on at this line of the file; the first line, a header included, is 1.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the closing summary as JSON.")] = False,
) -> None:
    """Play a real data set into Kafka.

    The same file can be played again at will without changing any number in Silver or Gold: where the source has no
    event_id, it is the UUIDv5 of the row's content. For the same reason two rows of one file that are equal byte for
    byte count as one event that the producer sent twice.

    A line that cannot be mapped (cut, a wrong number of fields, an unknown event type, a time or a price that is
    none) is sent as it is, so that it ends in quarantine; the summary counts such lines with their numbers. Blank
    lines are not sent. A row is one line: a line break within quotes is not understood. RetailRocket has no sessions
    and no prices: a session is a visitor's UTC day, the price is null.

    Ctrl-C, SIGTERM, or a broker that stops answering ends it, and the line to go on from is printed. A line that is
    sent again by going on there is recognised as a duplicate, except one that cannot be mapped.
    """
    from shoplake_assets.events.feed import stop_on_signal
    from shoplake_assets.events.replay import FORMATS
    from shoplake_assets.events.replay import replay as play

    settings = load_settings()
    with stop_on_signal() as stop, _progress_bar(file.name) as on_progress:
        played = play(
            settings,
            path=file,
            source=FORMATS[format],
            speed=speed,
            from_line=from_line,
            stop=stop,
            on_progress=on_progress,
        )
    typer.echo(orjson.dumps(asdict(played)) if as_json else _describe_replayed(played))
    if played.failed:
        raise ShoplakeError(
            f"Kafka at {settings.bootstrap} did not take {played.failed:,} events: {played.failure}. "
            f"Go on with --from-line {played.resume_from_line}."
        )
    if played.resume_from_line is not None:
        typer.echo(f"Stopped. Go on with --from-line {played.resume_from_line}.", err=True)
        raise typer.Exit(_INTERRUPTED)


def first_arrival(*, rate: float | None, now: float) -> float:
    """When the first event arrives unless somebody says otherwise, in seconds since 1970.

    A day that is sent at once ends now: events with times in the future would belong in quarantine.
    """
    from shoplake_assets.events.day import DAY_SECONDS

    return now - DAY_SECONDS if rate == 0 else now


@contextmanager
def _progress_bar(name: str) -> "Iterator[Callable[[LineFile], None]]":
    """A bar over the bytes of the file, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    shown = sys.stdout.isatty() and sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task(name, total=None)
        yield lambda lines: progress.update(task, completed=lines.position, total=lines.size)


def _complain_about_failures() -> "Callable[[EventProducer], None]":
    """A run without end tells about lost events while it runs, not only when it ends."""
    told, told_at = 0, 0.0

    def complain(producer: "EventProducer") -> None:
        nonlocal told, told_at
        if producer.failed > told and time.monotonic() - told_at > _COMPLAINT_SECONDS:
            told, told_at = producer.failed, time.monotonic()
            typer.echo(f"{told:,} events could not be delivered so far: {producer.failure}", err=True)

    return complain


def _describe_sent(sent: "Sent") -> str:
    fates = sent.fates
    return (
        f"{sent.delivered:,} events delivered in {sent.seconds:,.1f} s "
        f"({sent.delivered / max(sent.seconds, 0.001):,.0f}/s), {sent.failed:,} failed. "
        f"For Silver {fates['silver']:,} ({sent.late:,} of them late), duplicates {fates['duplicate']:,}, "
        f"malformed {fates['quarantine']:,}. Seed {sent.seed}, from {sent.start}."
    )


def _describe_replayed(played: "Replayed") -> str:
    lines = [
        (
            f"{played.delivered:,} lines of {played.file} delivered in {played.seconds:,.1f} s "
            f"({played.delivered / max(played.seconds, 0.001):,.0f}/s), {played.failed:,} failed."
        )
    ]
    if played.unmapped:
        numbers = ", ".join(map(str, played.unmapped_lines))
        more = ", ..." if played.unmapped > len(played.unmapped_lines) else ""
        lines.append(
            f"{played.unmapped:,} are no {played.format} event and were sent as they are, to be quarantined: "
            f"line {numbers}{more}."
        )
    if played.blank:
        lines.append(f"{played.blank:,} blank lines were left out.")
    return "\n".join(lines)
