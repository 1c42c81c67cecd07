"""Do faults to a product under traffic until it should have broken, and report what became of the events.

    python -m shoplake_assets_tests.faults --kills 100 --report docs/faults.md

Belongs here: the command. A run that is interrupted still reports what it has.
"""

import random
import secrets
import shlex
import signal
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shoplake_assets_tests.faults.campaign import Campaign, Strike
from shoplake_assets_tests.faults.faults import Fault, catalogue, kills, nothing
from shoplake_assets_tests.faults.ground import product_under_traffic
from shoplake_assets_tests.faults.recovery import PROMISE_SECONDS, settle
from shoplake_assets_tests.faults.report import Run, line, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType


_LONGEST_PAUSE_SECONDS = 5.0
_WITHOUT_FAULT = 5  # for comparison

console = Console(highlight=False, soft_wrap=True)


def chosen(*, only: list[str], count: int, others: int, rng: random.Random) -> "Iterator[Fault]":
    """The faults of a run: some of none, random kills in one go, each of the others so often; or only those named."""
    if only:
        yield from (catalogue()[name] for name in only for _ in range(max(1, others)))
        return
    yield from (nothing() for _ in range(_WITHOUT_FAULT))
    for _ in range(count):
        yield rng.choice(kills())
    known = {fault.name for fault in (nothing(), *kills())}
    yield from (fault for fault in catalogue().values() if fault.name not in known for _ in range(others))


def _known(names: list[str] | None) -> list[str]:
    """The names, if each is a fault's: a wrong one is told before anything is started."""
    for name in names or []:
        if name not in catalogue():
            message = f"{name!r} is no fault; there are: {', '.join(catalogue())}"
            raise typer.BadParameter(message)
    return names or []


def main(  # noqa: PLR0913  one argument per option
    *,
    count: Annotated[int, typer.Option("--kills", min=0, help="Random kills in one go.")] = 100,
    others: Annotated[int, typer.Option(min=0, help="How often each fault is done that is no kill.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Seed of the random choice; a new one by default.")] = None,
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 500.0,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds after each fault for which Gold is waited for before the next.")
    ] = PROMISE_SECONDS,
    report: Annotated[Path | None, typer.Option(help="File for the page.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Do this fault, by its name; may be repeated.", callback=_known)
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for the lake, which then stays.")] = None,
) -> None:
    """Do faults, one after the other, each waited for until the product is back; then account for every event."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    given = secrets.randbelow(100_000) if seed is None else seed
    rng = random.Random(given)  # noqa: S311  a choice that can be made again
    faults = list(chosen(only=only or [], count=count, others=others, rng=rng))
    console.print(f"seed {given}")
    with tempfile.TemporaryDirectory(prefix="shoplake-faults-") as temporary:
        run = _run(keep or Path(temporary), faults, seed=given, rng=rng, rate=rate, patience=patience)
    text = page(run)
    if report is None:
        console.print(text, markup=False)
    else:
        report.write_text(text)
    well = run.whole is not None and not run.wrong and not run.whole.lost and not run.whole.doubled
    sys.exit(0 if well and all(strike.harmless for strike in run.strikes) else 1)


def _interrupt(_number: int, _frame: "FrameType | None") -> None:
    """Take a request to end like Ctrl-C, also where the shell has had Ctrl-C ignored."""
    raise KeyboardInterrupt


def _run(  # noqa: PLR0913  what the command was given
    folder: Path, faults: "Sequence[Fault]", *, seed: int, rng: random.Random, rate: float, patience: float
) -> Run:
    began, strikes, whole, wrong = datetime.now(UTC), list[Strike](), None, list[str]()
    command = shlex.join(["python", "-m", "shoplake_assets_tests.faults", *sys.argv[1:]])
    with suppress(KeyboardInterrupt), product_under_traffic(folder, rate=rate) as ground:
        campaign = Campaign(ground, patience, strikes)
        settle(ground)
        for fault in faults:
            time.sleep(rng.uniform(0, _LONGEST_PAUSE_SECONDS))
            try:
                console.print(line(len(strikes) + 1, campaign.strike(fault)), markup=False)
            except AssertionError as error:
                wrong.append(f"{fault.name} could not be done: {error}")
                console.print(wrong[-1])
        whole, found = campaign.finish()
        wrong += found
        console.print(f"{whole.produced:,} events, {whole.lost} lost, {whole.doubled} doubled", *wrong, sep="\n")
    return Run(
        command=command, seed=seed, rate=rate, patience=patience, began=began, strikes=strikes, whole=whole, wrong=wrong
    )


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
