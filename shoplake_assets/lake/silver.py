"""The refresh of Silver, and the replay of what was quarantined.

Belongs here: which records are taken in, and what is known of them beforehand. Does not belong here: what becomes of a
record (`transforms.silver`), how the tables are published (`lake.settlement`), or Dagster.

`silver.quarantine` and `silver.events` are published one after the other, and each carries its own position. A crash
between the two leaves the quarantine ahead; the next refresh begins at Silver's position and takes back what the
quarantine has beyond it. So no record is lost or doubled, wherever the crash comes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import table_of
from shoplake_assets.contracts.limits import ACCEPTED, FATE, NEWEST_BEFORE
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.audit import Provenance, again_where_main_moved
from shoplake_assets.lake.hours import EPOCH, SECONDS_PER_HOUR, Span, spans_of, within
from shoplake_assets.lake.increment import Increment, beyond, plan_increment, within_reach
from shoplake_assets.lake.refresh import Refresh, unchanged
from shoplake_assets.lake.settlement import Batch, Counted, settle
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    CONFLICTS,
    DUPLICATES,
    NEWEST_EVENT,
    NEWEST_RECORD,
    REPLAYED,
    SOURCE_SNAPSHOT,
    moment_of,
    position_of,
    reflecting,
    rows_of,
    snapshot_id_of,
    summary_of,
)
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets.transforms.silver import conform, mark_repeats, repeats, set_moved_apart, shared_hashes

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import Column, DataFrame

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.limits import Acceptance
    from shoplake_assets.lake.refresh import Check

NOTHING_NEW = "nothing new in Bronze"
NOTHING_QUARANTINED = "nothing in the quarantine"


@again_where_main_moved
def refresh_silver(
    lake: "Lake", *, run: str, acceptance: "Acceptance | None" = None, at_most: int | None = None
) -> tuple[list[Refresh], list["Check"]]:
    """Bring Silver and the quarantine up to Bronze, or nearer; finish a replay first that was interrupted.

    Args:
        lake: The lake.
        run: What the branches are named after.
        acceptance: What somebody accepts beyond the limits of the contract.
        at_most: Events to take in, unless one commit of the stream alone has more; all of them by default.

    Returns:
        What was published to each of the two tables, and the checks that it passed.

    Raises:
        AuditFailedError: A blocking check failed; nothing was published.
        MainMovedError: Other commits came in between again and again.
    """
    silver, quarantine = lake.conformed_table(SILVER_EVENTS), lake.conformed_table(SILVER_QUARANTINE)
    version = table_of(SilverEvents).code_version
    bronze = lake.table(BRONZE_EVENTS)
    increment = plan_increment(bronze, silver, code_version=version, at_most=at_most)
    if _replay_is_unfinished(silver, quarantine) and not (increment and increment.rebuild):
        return replay_quarantine(lake, run=run)
    if increment is None or increment.is_empty:
        return [unchanged(silver, says=NOTHING_NEW), unchanged(quarantine, says=NOTHING_NEW)], []
    records = (
        lake.rows_of(bronze, snapshot_id=increment.bronze_snapshot)
        .where(increment.condition)
        .withColumn("quarantined_at", F.lit(datetime.now(UTC).isoformat()).cast("timestamp"))
    )
    seen = None if increment.rebuild else moment_of(reflecting(silver), NEWEST_EVENT)
    known = lake.rows_of(silver).where(F.lit(not increment.rebuild))
    with _sorted(records, known, seen=seen) as (fates, newest_event):
        provenance = Provenance(
            position=increment.end,
            source_snapshot=increment.bronze_snapshot,
            code_version=version,
            newest_record=increment.newest,
            newest_event=newest_event,
            replayed=summary_of(reflecting(silver)).get(REPLAYED),
        )
        batch = Batch(
            fates=fates,
            new=increment.condition,
            provenance=provenance,
            silver=silver,
            quarantine=quarantine,
            rebuild=increment.rebuild,
            staying=_staying(increment, quarantine),
            before=Counted() if increment.rebuild else Counted.of(silver),
            acceptance=acceptance,
        )
        return settle(lake, batch, run=run)


@again_where_main_moved
def replay_quarantine(lake: "Lake", *, run: str) -> tuple[list[Refresh], list["Check"]]:
    """Judge the quarantined records by today's contract; those that pass now move to Silver.

    Exactly once: the commit to Silver names the quarantine snapshot that was replayed, and so does the commit that
    takes the rows out of the quarantine. While the two differ a replay is unfinished; another one moves nothing twice.

    Returns:
        What was published to each of the two tables, and the checks that it passed.

    Raises:
        AuditFailedError: A blocking check failed; nothing was published.
        MainMovedError: Other commits came in between again and again.
    """
    silver, quarantine = lake.conformed_table(SILVER_EVENTS), lake.conformed_table(SILVER_QUARANTINE)
    reflected = reflecting(silver)
    summary, position = summary_of(reflected), position_of(reflected)
    # What lies beyond Silver's position was quarantined by a refresh that crashed; the next one deals with it.
    records = (
        lake.rows_of(quarantine)
        .where(within_reach(position))
        .drop("reasons")
        .withColumn("ingested_at", F.col("quarantined_at"))
    )
    if not rows_of(quarantine.current_snapshot()) or SOURCE_SNAPSHOT not in summary:
        return [unchanged(table, says=NOTHING_QUARANTINED) for table in (silver, quarantine)], []
    before = Counted.of(silver)
    if _replay_is_unfinished(silver, quarantine):
        # The interrupted attempt has counted its repeats, and they are found again.
        before = Counted(
            duplicates=before.duplicates - int(summary.get(DUPLICATES, 0)),
            conflicts=before.conflicts - int(summary.get(CONFLICTS, 0)),
        )
    seen = moment_of(reflected, NEWEST_EVENT)
    with _sorted(records, lake.rows_of(silver), moved=True, seen=seen) as (fates, newest_event):
        provenance = Provenance(
            position=position,
            source_snapshot=int(summary[SOURCE_SNAPSHOT]),
            # The table's own: what it consists of was built by that version, and a rebuild may be due.
            code_version=summary[CODE_VERSION],
            newest_record=moment_of(reflected, NEWEST_RECORD),
            newest_event=newest_event,
            replayed=str(snapshot_id_of(quarantine)),
        )
        batch = Batch(
            fates=fates,
            new=within_reach(position),
            provenance=provenance,
            silver=silver,
            quarantine=quarantine,
            staying=beyond(position),
            before=before,
            replay=True,
        )
        return settle(lake, batch, run=run)


def _replay_is_unfinished(silver: "Table", quarantine: "Table") -> bool:
    """Whether a replay has been published to Silver and not yet to the quarantine, where that has something to lose."""
    marks = (summary_of(reflecting(table)).get(REPLAYED) for table in (silver, quarantine))
    return len(set(marks)) > 1 and rows_of(quarantine.current_snapshot()) > 0


def _staying(increment: Increment, quarantine: "Table") -> "Column | None":
    """Which quarantined rows stay: all, but for a rebuild, or where the quarantine is ahead of Silver after a crash."""
    if increment.rebuild:
        return F.lit(False)
    ahead = not increment.start.reaches(position_of(reflecting(quarantine)))
    return within_reach(increment.start) if ahead else None


@contextmanager
def _sorted(
    records: "DataFrame", known: "DataFrame", *, seen: datetime | None, moved: bool = False
) -> Iterator[tuple["DataFrame", datetime | None]]:
    """The records with their fates, and the newest event time then known; what is costly of it is kept in memory.

    Args:
        records: Bronze records, or quarantined ones in their form.
        known: Silver as of the snapshot that the refresh was planned on: what is kept in memory is computed anew when a
            table beneath it changes, and must then come out the same.
        seen: The newest event time that Silver has.
        moved: Whether some of the records may be in Silver already.
    """
    conformed = conform(records).persist()
    hours = _event_hours(conformed)
    held = known.where(within("event_time", spans_of(hours)))
    apart = set_moved_apart(conformed, known=held) if moved else conformed
    shared = shared_hashes(apart, known=held).persist()
    found = repeats(apart, shared=shared, known=known.where(within("event_time", _spans(shared, hours)))).persist()
    fates = mark_repeats(apart, found).withColumn(
        NEWEST_BEFORE, F.lit(None if seen is None else seen.isoformat()).cast("timestamp")
    )
    try:
        yield fates, max((moment for moment in (seen, *hours.values()) if moment), default=None)
    finally:
        for kept in (found, shared, conformed):
            kept.unpersist()


def _event_hours(conformed: "DataFrame") -> dict[int, datetime]:
    """Event hours of the accepted rows, each with its newest event time."""
    hour = F.floor(F.unix_seconds("event_time") / SECONDS_PER_HOUR).alias("hour")
    newest = F.unix_micros(F.max("event_time")).alias("newest")
    found = conformed.where(F.col(FATE) == ACCEPTED).groupBy(hour).agg(newest).collect()
    return {row["hour"]: EPOCH + timedelta(microseconds=row["newest"]) for row in found}


def _spans(shared: "DataFrame", hours: Iterable[int]) -> list[Span]:
    """The event hours in which a shared hash may occur: of a retry that is one, between a conflict's times several."""
    pairs = shared.select("first", "last").distinct().collect()
    return spans_of(hour for hour in hours if any(pair["first"] <= hour <= pair["last"] for pair in pairs))
