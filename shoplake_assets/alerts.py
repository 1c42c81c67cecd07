"""Alerts: a sensor that tells a webhook which checks fail, and when they are well again.

Belongs here: what is told, in which words, and its delivery. Does not belong here: how a check is judged, or reported
to Dagster (`checks`, `assets.results`, `sensors`).

A failure is told once, and so is its end. What was told is the sensor's cursor, which Dagster keeps and which moves
only when the webhook has taken the message: one that was not taken is sent with a later tick, and a daemon that dies
between the two sends it again.
"""

import json
import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

import dagster as dg
import httpx
from dagster._core.storage.asset_check_execution_record import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES

from shoplake_assets.assets.gold import gold_tables
from shoplake_assets.assets.silver import silver_tables
from shoplake_assets.assets.specification import key_of
from shoplake_assets.checks.bronze import ALIVE, GAPS, bronze_checks
from shoplake_assets.checks.verification import verification
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
    from pydantic import SecretStr

# A start of the lake, and a restart of an ingest that was killed, take less than that.
INGEST_MAY_BE_AWAY = timedelta(seconds=60)
_TICK_SECONDS = 10
# Seconds for each step of an answer; Dagster gives a tick 60 s.
_PATIENCE_SECONDS = 5.0
_BEFORE_PUBLICATION = {*silver_tables.check_keys, *gold_tables.check_keys}
WATCHED = sorted({*_BEFORE_PUBLICATION, *bronze_checks.check_keys, *verification.check_keys})
_ALIVE = dg.AssetCheckKey(key_of(BRONZE_EVENTS), ALIVE).to_user_string()
_RUNBOOKS = {ALIVE: "ingest-stopped", GAPS: "gap-recorded"}

# Slack refuses a message of more than 13,000 characters and shortens a title of more than 150.
_MOST_NAMED = 15
_LONGEST_SENTENCE = 400
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The last finished evaluation of a check.

    Attributes:
        key: The check.
        passed: Whether it passed.
        severe: Whether a failure is an error: it keeps a refresh from being published, or the ingest is dead.
        says: What it found.
        at: When, UTC.
    """

    key: dg.AssetCheckKey
    passed: bool
    severe: bool
    says: str
    at: datetime

    @property
    def name(self) -> str:
        """The check as the cursor calls it."""
        return self.key.to_user_string()


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What the sensor remembers from tick to tick, by the name of the check.

    Attributes:
        told: When a failure that was told, and is not over, had been found.
        waiting: When a failure that is not told yet was first seen.
    """

    told: Mapping[str, datetime] = field(default_factory=dict)
    waiting: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Read what `to_json` wrote; nothing at all is the first tick."""
        tree = json.loads(text) if text else {}
        return cls(
            **{
                kind: {name: datetime.fromisoformat(at) for name, at in moments.items()}
                for kind, moments in tree.items()
            }
        )

    def to_json(self) -> str:
        """The form in which Dagster keeps it."""
        kinds = {"told": self.told, "waiting": self.waiting}
        return json.dumps(
            {kind: {name: at.isoformat() for name, at in moments.items()} for kind, moments in kinds.items()}
        )


@dataclass(frozen=True, kw_only=True)
class News:
    """What there is to tell.

    Attributes:
        failed: Checks of which nobody knows yet that they fail.
        mended: Checks that were told to fail and pass again.
        cursor: What is remembered once this is told.
    """

    failed: Sequence[Verdict]
    mended: Sequence[Verdict]
    cursor: Cursor


def plan_news(*, seen: Cursor, verdicts: Sequence[Verdict], now: datetime) -> News:
    """Decide what to tell.

    An ingest that is away is told only if it stays away. A check that has no verdict, or warns, is as it was.

    Args:
        seen: What was told.
        verdicts: The last verdict of each check that has one.
        now: The time, UTC.
    """
    failing = [
        verdict for verdict in verdicts if verdict.severe and not verdict.passed and verdict.name not in seen.told
    ]
    since = {verdict.name: seen.waiting.get(verdict.name, now) for verdict in failing}
    failed = [
        verdict for verdict in failing if verdict.name != _ALIVE or now - since[verdict.name] >= INGEST_MAY_BE_AWAY
    ]
    mended = [verdict for verdict in verdicts if verdict.passed and verdict.name in seen.told]
    over, told = {verdict.name for verdict in mended}, {verdict.name: verdict.at for verdict in failed}
    return News(
        failed=failed,
        mended=mended,
        cursor=Cursor(
            told={name: at for name, at in seen.told.items() if name not in over} | told,
            waiting={name: at for name, at in since.items() if name not in told},
        ),
    )


def message(news: News, *, told: Mapping[str, datetime], settings: Settings) -> dict[str, Any]:
    """The message in Slack's JSON; whoever knows no blocks finds all of it in `text`.

    Args:
        news: What is told.
        told: When the failures that are over had been found.
        settings: The lake.
    """
    title = f"Shoplake: {_counted(news)}"
    lines = [_failed(verdict, settings) for verdict in news.failed]
    lines += [_mended(verdict, settings, found=told[verdict.name]) for verdict in news.mended]
    if len(lines) > _MOST_NAMED:
        lines[_MOST_NAMED:] = [f"And {len(lines) - _MOST_NAMED} more, see Dagster."]
    footer = f"The lake is {_escape(str(settings.home))} on {_escape(platform.node())}."
    return {
        "text": "\n".join([title, *lines, footer]),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            *({"type": "section", "text": _markdown(line)} for line in lines),
            {"type": "context", "elements": [_markdown(footer)]},
        ],
    }


def _counted(news: News) -> str:
    failed, mended = len(news.failed), len(news.mended)
    parts = [f"{failed} {'check fails' if failed == 1 else 'checks fail'}"] if failed else []
    parts += [f"{mended} {'check is' if mended == 1 else 'checks are'} well again"] if mended else []
    return ", ".join(parts)


def _failed(verdict: Verdict, settings: Settings) -> str:
    return f"*FAILS* {_check(verdict, settings)}, found {_moment(verdict.at)}: {_escape(verdict.says)}"


def _mended(verdict: Verdict, settings: Settings, *, found: datetime) -> str:
    since = f"since {_moment(verdict.at)}; its failure was found {_moment(found)}"
    return f"*Well again* {_check(verdict, settings)}, {since}: {_escape(verdict.says)}"


def _check(verdict: Verdict, settings: Settings) -> str:
    """Table and check, with a link to the check in the Dagster UI, and with its runbook."""
    path = "/".join(verdict.key.asset_key.path)
    where = f"{settings.dagster_link}/assets/{path}?view=checks&amp;checkDetail={verdict.key.name}"
    return f"{'.'.join(verdict.key.asset_key.path)} <{where}|{verdict.key.name}> (`{runbook(verdict.key)}`)"


def runbook(key: dg.AssetCheckKey) -> str:
    """Where it is written what a failure of the check means and what to do."""
    otherwise = "blocking-check-failed" if key in _BEFORE_PUBLICATION else "check-failed"
    return f"docs/runbooks.md#{_RUNBOOKS.get(key.name, otherwise)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _markdown(text: str) -> dict[str, Any]:
    """Slack's text; verbatim, so that no word of a sentence becomes a mention or a link."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _escape(text: str) -> str:
    """The text as Slack demands it, on one line and not too long."""
    pieces = [_ESCAPED.get(character, character) for character in " ".join(text.split())]
    lengths = accumulate(len(piece) for piece in pieces)
    kept = [piece for piece, length in zip(pieces, lengths, strict=True) if length <= _LONGEST_SENTENCE]
    return "".join(kept) + ("…" if len(kept) < len(pieces) else "")


def alert_sensors(settings: Settings) -> Sequence[dg.SensorDefinition]:
    """The sensor that tells the webhook of the settings; none if there is no webhook."""
    webhook = settings.alerts.webhook_url
    if webhook is None:
        return []

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=_TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the webhook which checks fail, and when they are well again.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen = Cursor.from_json(context.cursor)
        news = plan_news(seen=seen, verdicts=list(_verdicts(context.instance)), now=datetime.now(UTC))
        if news.failed or news.mended:
            trouble = post(webhook, message(news, told=seen.told, settings=settings))
            if trouble is not None:
                raise ShoplakeError(f"{trouble}. Not told, and tried again with the next tick: {_counted(news)}.")
        return dg.SensorResult(skip_reason=_says(news), cursor=news.cursor.to_json())

    return [sensor]


def _says(news: News) -> str:
    named = [f"{verdict.name} fails" for verdict in news.failed]
    named += [f"{verdict.name} is well again" for verdict in news.mended]
    if named:
        return f"Told: {'; '.join(named)}."
    known = [f"told before that {', '.join(sorted(news.cursor.told))} fails"] if news.cursor.told else []
    known += ["the ingest is away, which is told if it stays so"] if news.cursor.waiting else []
    return f"Nothing to tell: {'; '.join(known) or 'no check fails'}."


def _verdicts(instance: dg.DagsterInstance) -> Iterator[Verdict]:
    """The last finished evaluation of each check; what a run under way, or a dead one, had only planned is none."""
    storage = instance.event_log_storage
    for key, newest in storage.get_latest_asset_check_execution_by_key(WATCHED).items():
        records: Sequence[AssetCheckExecutionRecord] = [newest]
        if newest.status not in COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES:
            records = storage.get_asset_check_execution_history(
                key, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
            )
        for record in records:
            if record.evaluation is not None and record.event is not None:
                yield Verdict(
                    key=key,
                    passed=record.evaluation.passed,
                    severe=record.evaluation.severity == dg.AssetCheckSeverity.ERROR,
                    says=record.evaluation.description or "",
                    at=datetime.fromtimestamp(record.event.timestamp, UTC),
                )


def post(webhook: "SecretStr", content: Mapping[str, Any]) -> str | None:
    """Send a message, by the environment's proxy if it names one.

    Errors of httpx name the address, so none of them leaves this function.

    Returns:
        What kept the webhook from taking it, without its address; None if it has taken it.
    """
    # It writes each address at level INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
            answer = client.post(webhook.get_secret_value(), json=content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"the webhook does not answer ({type(error).__name__})"
    return None if answer.is_success else f"the webhook answers with {answer.status_code}"
