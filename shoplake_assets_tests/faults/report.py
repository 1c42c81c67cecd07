"""The report of a run: one line for each fault as it goes, and the page at the end.

Belongs here: words and figures. Does not belong here: measuring.
"""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import psutil  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from shoplake_assets_tests.faults.accounting import Account
    from shoplake_assets_tests.faults.campaign import Strike

_HEADINGS = (
    "Fault",
    "Times",
    "Processes back, s: p50",
    "p95",
    "Gold back, s: p50",
    "p95",
    "most",
    "Not back in 60 s",
    "Lost",
    "Doubled",
)
_PROMISE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a page reports.

    Attributes:
        command: The command that made it.
        seed: The seed of the random kills.
        rate: Events a second.
        began: When it began, UTC.
        strikes: The faults.
        whole: The account of all events; None for a run that was interrupted.
        wrong: What was found wrong at the end.
    """

    command: str
    seed: int
    rate: float
    began: datetime
    strikes: "Sequence[Strike]"
    whole: "Account | None"
    wrong: Sequence[str]


def line(number: int, strike: "Strike") -> str:
    """One fault, as it is told while the run goes on."""
    account = strike.account
    found = "not back"
    if account is not None:
        found = f"{account.produced:,} events, {account.lost} lost, {account.doubled} doubled"
    recovery = strike.recovery
    return f"{number:4d}  {strike.fault:<48} processes {_s(recovery.processes)}  Gold {_s(recovery.gold)}  {found}"


def page(run: Run) -> str:
    """The page in Markdown."""
    names = list(dict.fromkeys(strike.fault for strike in run.strikes))
    rows = [_row(name, [strike for strike in run.strikes if strike.fault == name]) for name in sorted(names)]
    if kills := [strike for strike in run.strikes if strike.fault.startswith("kill ")]:
        rows.append(_row("**all kills**", kills))
    parts = [
        f"<!-- Made by `{run.command}`. Do not edit. -->",
        "# Faults",
        _made(run),
        _table([_HEADINGS, ("---", *["---:"] * (len(_HEADINGS) - 1)), *rows]),
        _meaning(),
        _total(run),
    ]
    return "\n\n".join(parts) + "\n"


def _made(run: Run) -> str:
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"
    minutes = (datetime.now(UTC) - run.began).total_seconds() / 60
    return (
        f"Made by `{run.command}` on {run.began:%Y-%m-%d}, seed {run.seed}: {len(run.strikes)} faults in "
        f"{minutes:.0f} minutes on one product under {run.rate:g} events a second, on {machine}."
    )


def _meaning() -> str:
    return (
        "Seconds are from the end of the fault: a kill is over at once, a halt when the process goes on. The processes "
        "are back when the supervisor has all of them running and ready. Gold is back when, besides, every Gold table "
        "holds all that Kafka had acknowledged when the fault ended; a batch and a refresh are in it, as always. Lost "
        "and doubled are counted by Kafka's offsets, from the producer's acknowledgements to Bronze, Silver and the "
        "quarantine."
    )


def _total(run: Run) -> str:
    if run.whole is None:
        return "**The run was interrupted: the whole was not accounted for.**"
    rows = run.whole.rows
    silver, aside = rows["silver.events"], rows["silver.quarantine"]
    bronze = rows["bronze.events"]
    text = (
        f"At the end, of {run.whole.produced:,} events that Kafka had acknowledged: Bronze has {bronze:,}, Silver "
        f"{silver:,}, the quarantine {aside:,}, and {bronze - silver - aside:,} were repeats of events in Silver. "
        f"{run.whole.lost:,} are lost and {run.whole.doubled:,} doubled."
    )
    found = "\n".join(f"- {entry}" for entry in run.wrong)
    return f"{text}\n\n**Wrong:**\n\n{found}" if run.wrong else f"{text} `shoplake verify` passes."


def _row(name: str, strikes: "Sequence[Strike]") -> tuple[str, ...]:
    processes = [strike.recovery.processes for strike in strikes if strike.recovery.processes is not None]
    gold = [strike.recovery.gold for strike in strikes if strike.recovery.gold is not None]
    late = sum(strike.recovery.gold is None or strike.recovery.gold > _PROMISE_SECONDS for strike in strikes)
    accounts = [strike.account for strike in strikes if strike.account is not None]
    return (
        name,
        str(len(strikes)),
        *_percentiles(processes),
        *_percentiles(gold),
        f"{max(gold):.1f}" if gold else "",
        str(late),
        str(sum(account.lost for account in accounts)) if accounts else "not counted",
        str(sum(account.doubled for account in accounts)) if accounts else "not counted",
    )


def _percentiles(values: Sequence[float]) -> tuple[str, str]:
    if not values:
        return "", ""
    middle, high = np.percentile(values, [50, 95])
    return f"{middle:.1f}", f"{high:.1f}"


def _table(rows: "Sequence[tuple[str, ...]]") -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _s(seconds: float | None) -> str:
    return "    -  " if seconds is None else f"{seconds:5.1f} s"
