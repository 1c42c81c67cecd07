"""What can be said of Bronze: is the ingest alive, are the offsets contiguous, is there one writer, is a loss known.

Belongs here: the verdicts as pure functions, and the check that evaluates them on request. Does not belong here:
the sensor, which evaluates the same functions on every commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from shoplake_assets.assets.results import checked
from shoplake_assets.assets.specification import key_of
from shoplake_assets.contracts.bronze import BronzeEvents
from shoplake_assets.contracts.evolution import IncompatibleContractError, evolution
from shoplake_assets.lake.gaps import read_gaps
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.ranges import faults_in
from shoplake_assets.lake.refresh import CONTRACT, Check
from shoplake_assets.lake.snapshots import Commit, commits, since
from shoplake_assets.resources import LakeConnection
from shoplake_assets.runtime.stream import ingest_patience
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.lake.gaps import Gap

ALIVE = "ingest_alive"
CONTIGUOUS = "offsets_contiguous"
SINGLE_WRITER = "single_writer"
GAPS = "gaps_acknowledged"

_SPECS = {
    ALIVE: "The ingest answers, and its query has looked for records within the last triggers.",
    CONTIGUOUS: "No Kafka offset is missing from the newest commits, and none is there twice.",
    CONTRACT: "Columns, types and partitioning are as the table's contract says; nulls are refused when it is written.",
    GAPS: "Somebody knows of every range of events that Kafka no longer had; 'shoplake gaps ack' says so.",
    SINGLE_WRITER: "The newest commits come from one Spark application at a time; two would interleave.",
}
_RECENT_COMMITS = 20
_MOST_NAMED = 5


def ingest_alive(status: Mapping[str, Any] | None, *, now: datetime, trigger_seconds: float) -> Check:
    """Does the ingest live? Judged by its own heartbeat, so that a quiet shop is not taken for a dead ingest."""
    if status is None:
        return _check(ALIVE, passed=False, says="the ingest does not answer; see its log, or 'shoplake status'")
    beat = status.get("last_trigger_at")
    if status["state"] != "running" or beat is None:
        return _check(ALIVE, passed=False, says=f"the ingest is {status['state']} since {status['since']}")
    age, patience = now - datetime.fromisoformat(beat), ingest_patience(trigger_seconds=trigger_seconds)
    says = f"the query looked for records {age.total_seconds():.0f} s ago"
    return _check(ALIVE, passed=age <= patience, says=says, seconds_since_trigger=age.total_seconds())


def offsets_contiguous(found: Sequence[Commit], *, start: Position, gaps: "Sequence[Gap]") -> Check:
    """Do the commits go on where those before them ended, with every offset once?

    Args:
        found: Commits.
        start: The position before them; a partition that it does not name may begin anywhere.
        gaps: Ranges that are known to be missing.
    """
    faults = faults_in((part for commit in found for part in commit.ranges), start=start, gaps=gaps)
    rows = sum(commit.rows for commit in found)
    says = (
        "; ".join(map(str, faults[:_MOST_NAMED])) or f"{rows:,} rows in {len(found)} commits without a gap or a repeat"
    )
    return _check(CONTIGUOUS, passed=not faults, says=says, commits=len(found), faults=len(faults))


def contract_kept(table: "Table") -> Check:
    """Is the live table what its contract says? Looks at metadata only."""
    try:
        lacking = evolution(
            BronzeEvents, schema=table.schema(), spec=table.spec(), kept_properties=table.properties
        ).changes
    except IncompatibleContractError as error:
        return _check(CONTRACT, passed=False, says=str(error))
    says = f"{len(lacking)} changes of the contract have not reached the table; 'shoplake up' makes them"
    kept = "columns, types and partitioning are those of the contract"
    return _check(CONTRACT, passed=not lacking, says=says if lacking else kept)


def single_writer(found: Sequence[Commit], *, status: Mapping[str, Any] | None) -> Check:
    """Does one application write, and no other beside it?

    A restart changes the application once and never back. And what another application commits after the running ingest
    has begun is seen at once, before the two have taken turns.

    Args:
        found: Commits, oldest first.
        status: The running ingest's status; None while it does not answer.
    """
    runs = [commit.application_id for commit in found]
    changes = [name for before, name in zip(["", *runs], runs, strict=False) if name != before]
    beside = _beside(found, status)
    writers = sorted(beside or set(changes))
    if beside or any(changes.count(name) > 1 for name in changes):
        says = f"two writers interleave: {', '.join(writers)}"
        return _check(SINGLE_WRITER, passed=False, says=says, writers=writers)
    return _check(SINGLE_WRITER, passed=True, says=f"{len(changes)} writer(s) in turn", writers=writers)


def _beside(found: Sequence[Commit], status: Mapping[str, Any] | None) -> set[str]:
    """The running ingest and those that have written since it began; none if it writes alone."""
    ours = status and status.get("application_id")
    if not status or not ours or not status.get("checkpoint"):
        return set()
    began_at = datetime.fromisoformat(status["checkpoint"]["began_at"])
    others = {commit.application_id for commit in found if commit.committed_at > began_at} - {ours}
    return {ours, *others} if others else set()


def gaps_acknowledged(gaps: "Sequence[Gap]") -> Check:
    """Does somebody know of every range of events that was lost before it could be read?"""
    unknown = [gap for gap in gaps if gap.acknowledged_at is None]
    events = sum(gap.events for gap in gaps)
    if unknown:
        lost = sum(gap.events for gap in unknown)
        named = "; ".join(map(str, unknown[:_MOST_NAMED]))
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        says = (
            f"{lost:,} events were gone from Kafka before they could be read: {named}{more}. "
            "'shoplake gaps ack' takes note of it."
        )
    else:
        says = f"{events:,} lost events, all acknowledged" if gaps else "no event was lost"
    reasons = sorted({gap.because for gap in gaps if gap.because is not None})
    return _check(
        GAPS, passed=not unknown, says=says, gaps=len(gaps), unacknowledged=len(unknown), events=events, reasons=reasons
    )


def _check(name: str, *, passed: bool, says: str, **metadata: Any) -> Check:
    return Check(table=BRONZE_EVENTS, name=name, passed=passed, says=says, metadata=metadata)


@dg.multi_asset_check(
    name="bronze_checks",
    specs=[
        dg.AssetCheckSpec(name, asset=key_of(BRONZE_EVENTS), description=description)
        for name, description in _SPECS.items()
    ],
)
def bronze_checks(connection: dg.ResourceParam[LakeConnection]) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the checks of Bronze now; the sensor does so with every commit."""
    table = connection.table(BRONZE_EVENTS)
    recent = commits(table, since(table, after=None)[-_RECENT_COMMITS:])
    gaps = read_gaps(connection.table(BRONZE_GAPS))
    trigger, status = connection.settings.ingest.trigger_seconds, connection.ingest_status()
    yield from checked(
        [
            ingest_alive(status, now=datetime.now(UTC), trigger_seconds=trigger),
            contract_kept(table),
            offsets_contiguous(recent, start=Position(), gaps=gaps),
            single_writer(recent, status=status),
            gaps_acknowledged(gaps),
        ]
    )
