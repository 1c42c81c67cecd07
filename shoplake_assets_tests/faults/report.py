"""The report of a run: one line for each fault as it goes, and the page at the end.

Belongs here: words and figures. Does not belong here: measuring.
"""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isinf
from typing import TYPE_CHECKING

import numpy as np
import psutil  # type: ignore[import-untyped]

from shoplake_assets_tests.faults.faults import nothing
from shoplake_assets_tests.faults.recovery import PROMISE_SECONDS

if TYPE_CHECKING:
    from shoplake_assets_tests.faults.accounting import Account
    from shoplake_assets_tests.faults.campaign import Strike

_HEADINGS = (
    "Fault",
    "Times",
    "Back, s: p50",
    "p95",
    "most",
    f"after {PROMISE_SECONDS:g} s",
    "In Gold, s: p50",
    "p95",
    "Lost",
    "Doubled",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a page reports.

    Attributes:
        command: The command that made it.
        seed: The seed of the random kills.
        rate: Events a second.
        patience: Seconds after each fault for which Gold was waited for.
        began: When it began, UTC.
        strikes: The faults.
        whole: The account of all events; None for a run that was interrupted.
        wrong: What was found wrong at the end.
    """

    command: str
    seed: int
    rate: float
    patience: float
    began: datetime
    strikes: "Sequence[Strike]"
    whole: "Account | None"
    wrong: Sequence[str]


def line(number: int, strike: "Strike") -> str:
    """One fault, as it is told while the run goes on."""
    account = strike.account
    found = "to be accounted for later"
    if account is not None:
        found = f"{account.produced:,} events, {account.lost} lost, {account.doubled} doubled"
    recovery = strike.recovery
    times = f"processes {_s(recovery.processes)}  Bronze {_s(recovery.bronze)}  Gold {_s(recovery.gold)}"
    return f"{number:4d}  {strike.fault:<48} {times}  {found}"


def page(run: Run) -> str:
    """The page in Markdown."""
    names = list(dict.fromkeys(strike.fault for strike in run.strikes))
    names.sort(key=lambda name: (name != nothing().name, name))
    rows = [_row(name, [strike for strike in run.strikes if strike.fault == name], run.whole) for name in names]
    if kills := [strike for strike in run.strikes if strike.fault.startswith("kill ")]:
        rows.append(_row("**all kills**", kills, run.whole))
    parts = [
        f"<!-- Made by `{run.command}`. Do not edit. -->",
        "# Faults",
        _made(run),
        _table([_HEADINGS, ("---", *["---:"] * (len(_HEADINGS) - 1)), *rows]),
        _meaning(run),
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


def _meaning(run: Run) -> str:
    return (
        "Seconds are from the end of the fault: a kill is over at once, a halt when the process goes on. The product "
        "is back when the supervisor has all processes running and ready, and Bronze holds all that Kafka had "
        "acknowledged when the fault ended. It is in Gold when every Gold table holds it, too: as the first row shows, "
        "a batch and one or two refreshes are in that without any fault. Gold is waited for no longer than "
        f"{run.patience:g} s, then the next fault is done. Lost and doubled are counted by Kafka's offsets, from the "
        "producer's acknowledgements to Bronze, Silver and the quarantine, whenever Gold was reached and at the end. A "
        "fault after which Gold was not waited for has its zeros from the account of the whole: where no event at all "
        "is lost, none is lost to it."
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


def _row(name: str, strikes: "Sequence[Strike]", whole: "Account | None") -> tuple[str, ...]:
    back = [inf if strike.recovery.back is None else strike.recovery.back for strike in strikes]
    gold = [inf if strike.recovery.gold is None else strike.recovery.gold for strike in strikes]
    accounts = [strike.account for strike in strikes if strike.account is not None]
    counted = bool(accounts) or (whole is not None and whole.lost == whole.doubled == 0)
    return (
        name,
        str(len(strikes)),
        *_percentiles(back),
        _seconds(max(back)),
        str(sum(seconds > PROMISE_SECONDS for seconds in back)),
        *_percentiles(gold),
        str(sum(account.lost for account in accounts)) if counted else "not counted",
        str(sum(account.doubled for account in accounts)) if counted else "not counted",
    )


def _percentiles(values: Sequence[float]) -> tuple[str, str]:
    middle, high = np.percentile(values, [50, 95], method="higher")
    return _seconds(middle), _seconds(high)


def _seconds(value: float) -> str:
    return "later" if isinf(value) else f"{value:.1f}"


def _table(rows: "Sequence[tuple[str, ...]]") -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _s(seconds: float | None) -> str:
    return "    -  " if seconds is None else f"{seconds:5.1f} s"
