"""The sensor that tells Dagster what the stream has committed, and the one that evaluates automation.

Belongs here: the decision of a tick, pure, and the thin shell that gathers what it needs. Does not belong here: how
Bronze's checks are judged (`checks.bronze`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import dagster as dg

from shoplake_assets.assets.results import check_metadata, position_metadata, severity_of
from shoplake_assets.assets.specification import key_of
from shoplake_assets.checks.bronze import (
    contract_kept,
    gaps_acknowledged,
    ingest_alive,
    offsets_contiguous,
    single_writer,
)
from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.gaps import Gap, read_gaps
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.refresh import Check
from shoplake_assets.lake.snapshots import Commit, LineageLostError, commits, position_of, reflecting, rows_of, since
from shoplake_assets.resources import LakeConnection
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS, GOLD_TOP_USERS

# A layer that stays behind for so long is told again that Bronze has news: its refresh has failed, or was blocked.
REMIND_AFTER = timedelta(seconds=90)
_REMEMBERED_COMMITS = 10


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What the sensor remembers from tick to tick.

    Attributes:
        reach: How far Bronze was reported.
        reported_at: When a materialization was last reported, UTC.
        downstream: How far the last table of the chain was.
        verdicts: The last verdict of each check.
    """

    reach: Reach = field(default_factory=Reach)
    reported_at: datetime | None = None
    downstream: Position = field(default_factory=Position)
    verdicts: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Read what `to_json` wrote; nothing at all is the first tick."""
        if not text:
            return cls()
        tree = json.loads(text)
        return cls(
            reach=Reach(tree["snapshot_id"], Position.from_json(tree["position"]), _moment(tree["newest"])),
            reported_at=_moment(tree["reported_at"]),
            downstream=Position.from_json(tree.get("downstream")),
            verdicts=tree["verdicts"],
        )

    def to_json(self) -> str:
        """The form in which Dagster keeps it."""
        return json.dumps(
            {
                "snapshot_id": self.reach.snapshot_id,
                "position": self.reach.position.to_json(),
                "newest": self.reach.newest and self.reach.newest.isoformat(),
                "reported_at": self.reported_at and self.reported_at.isoformat(),
                "downstream": self.downstream.to_json(),
                "verdicts": dict(self.verdicts),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a tick sees.

    Attributes:
        now: The time, UTC.
        reach: How far Bronze reaches.
        rows: Rows in Bronze.
        new: Commits since the cursor, oldest first; all that there are, where Bronze no longer holds what it saw.
        start: The position before the new commits; empty where they may begin anywhere.
        recent: The newest commits, the new ones among them, for the writers' order.
        downstream: The position of the last table of the chain.
        end: The end of Kafka; None while it does not answer.
        status: The ingest's status; None while it does not answer.
        contract: Whether the live table is what its contract says.
        gaps: The recorded gaps.
    """

    now: datetime
    reach: Reach
    rows: int
    new: Sequence[Commit]
    start: Position
    recent: Sequence[Commit]
    downstream: Position
    end: Position | None
    status: Mapping[str, Any] | None
    contract: Check
    gaps: Sequence[Gap]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What a tick does.

    Attributes:
        cursor: What is remembered.
        metadata: The metadata of one materialization of Bronze; None reports none.
        checks: Check results to report.
        says: What is reported, or why nothing is, in a sentence for a tired person.
    """

    cursor: Cursor
    metadata: Mapping[str, Any] | None
    checks: Sequence[Check]
    says: str


def plan_tick(*, seen: Cursor, sight: Sight, trigger_seconds: float) -> Tick:
    """Decide what to tell Dagster.

    New commits become one materialization, whatever their number. Bronze is told again when a refresh has come nearer
    and not up to it, and from time to time while none does. Checks are reported with it, and whenever a verdict
    changes. Delivery is at least once: a tick whose cursor is lost reports the same snapshot ids again.
    """
    checks = [
        ingest_alive(sight.status, now=sight.now, trigger_seconds=trigger_seconds),
        sight.contract,
        offsets_contiguous(sight.new, start=sight.start, gaps=sight.gaps),
        single_writer(sight.recent, status=sight.status),
        gaps_acknowledged(sight.gaps),
    ]
    behind = not sight.downstream.reaches(sight.reach.position)
    waited = seen.reported_at is not None and sight.now - seen.reported_at >= REMIND_AFTER
    nearer = sight.downstream != seen.downstream
    report = bool(sight.new) or (behind and (nearer or waited))
    changed = [check for check in checks if seen.verdicts.get(check.name) != check.passed]
    cursor = Cursor(
        reach=sight.reach,
        reported_at=sight.now if report else seen.reported_at,
        downstream=sight.downstream,
        verdicts={check.name: check.passed for check in checks},
    )
    reported = checks if sight.new else changed
    return Tick(
        cursor=cursor,
        metadata=_metadata(sight) if report else None,
        checks=reported,
        says=_says(sight, report=report, checks=reported) or _why_nothing(sight, alive=checks[0]),
    )


def _metadata(sight: Sight) -> dict[str, Any]:
    newest = sight.reach.newest
    return {
        "dagster/row_count": sight.rows,
        "shoplake/what": _what(sight),
        "shoplake/rows_added": sum(commit.rows for commit in sight.new),
        "shoplake/snapshot_ids": dg.MetadataValue.json([str(commit.snapshot_id) for commit in sight.new]),
        "shoplake/snapshot_id": str(sight.reach.snapshot_id),
        **position_metadata(sight.reach.position, end=sight.end),
        **({"shoplake/newest_record": dg.MetadataValue.timestamp(newest)} if newest else {}),
        **({"shoplake/committed_at": dg.MetadataValue.timestamp(sight.new[-1].committed_at)} if sight.new else {}),
    }


def _says(sight: Sight, *, report: bool, checks: Sequence[Check]) -> str:
    parts = [_what(sight)] if report else []
    parts += [f"{check.name} {'passes' if check.passed else 'FAILS'}: {check.says}" for check in checks]
    return f"Reported: {'; '.join(parts)}." if parts else ""


def _what(sight: Sight) -> str:
    if not sight.new:
        return "nothing new; Bronze is told again, because the tables above it are behind"
    return f"{sum(commit.rows for commit in sight.new):,} rows in {len(sight.new)} commits"


def _why_nothing(sight: Sight, *, alive: Check) -> str:
    since_what = f"no commit since snapshot {sight.reach.snapshot_id}" if sight.reach.snapshot_id else "no commit yet"
    if sight.end is None:
        kafka = "Kafka does not answer"
    else:
        waiting = sight.reach.position.events_behind(sight.end)
        kafka = f"Kafka has {waiting:,} events that are not in Bronze yet" if waiting else "Kafka has nothing new"
    return f"{since_what}; {alive.says}; {kafka}."


def bronze_ingest_sensor(settings: Settings) -> dg.SensorDefinition:
    """Make the sensor that reports the stream's commits."""

    @dg.sensor(
        name="bronze_ingest",
        minimum_interval_seconds=settings.dagster.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports what the stream has committed to bronze/events, and whether the ingest is well.",
    )
    def sensor(context: dg.SensorEvaluationContext, connection: dg.ResourceParam[LakeConnection]) -> dg.SensorResult:
        seen = Cursor.from_json(context.cursor)
        tick = plan_tick(
            seen=seen, sight=look(connection, seen), trigger_seconds=connection.settings.ingest.trigger_seconds
        )
        return _result(tick)

    return sensor


def look(connection: LakeConnection, seen: Cursor) -> Sight:
    """Gather what a tick decides upon; reads metadata only."""
    bronze = connection.table(BRONZE_EVENTS)
    try:
        fresh, start = since(bronze, after=seen.reach.snapshot_id), seen.reach.position
    except LineageLostError:
        fresh, start = since(bronze, after=None), Position()
    ancestors = since(bronze, after=None)
    return Sight(
        now=datetime.now(UTC),
        reach=bronze_reach(bronze, known=seen.reach),
        rows=rows_of(bronze.current_snapshot()),
        new=commits(bronze, fresh),
        start=start,
        recent=commits(bronze, ancestors[-len(fresh) - _REMEMBERED_COMMITS :]),
        downstream=position_of(reflecting(connection.table(GOLD_TOP_USERS))),
        end=connection.kafka_end(),
        status=connection.ingest_status(),
        contract=contract_kept(bronze),
        gaps=read_gaps(connection.table(BRONZE_GAPS)),
    )


def _result(tick: Tick) -> dg.SensorResult:
    events: list[dg.AssetMaterialization | dg.AssetCheckEvaluation] = []
    if tick.metadata is not None:
        events.append(dg.AssetMaterialization(asset_key=key_of(BRONZE_EVENTS), metadata=dict(tick.metadata)))
    events.extend(
        dg.AssetCheckEvaluation(
            asset_key=key_of(check.table),
            check_name=check.name,
            passed=check.passed,
            description=check.says,
            metadata=check_metadata(check),
            severity=severity_of(blocks=check.blocks),
        )
        for check in tick.checks
    )
    return dg.SensorResult(asset_events=events, skip_reason=tick.says, cursor=tick.cursor.to_json())


def automation_sensor(settings: Settings) -> dg.AutomationConditionSensorDefinition:
    """Make the sensor that evaluates the automation conditions and requests refreshes."""
    return dg.AutomationConditionSensorDefinition(
        "refresh_automation",
        target=dg.AssetSelection.groups("silver", "gold", "exports"),
        minimum_interval_seconds=settings.dagster.automation_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes Silver and Gold when the table below has changed: lineage in place of a DAG file.",
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
