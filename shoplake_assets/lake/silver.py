"""The refresh of Silver: the records past its position, conformed, audited and published.

Belongs here: which records are new, and the order of the steps. Does not belong here: what becomes of a record
(`transforms.silver`), or Dagster.

`silver.quarantine` is published before `silver.events`, and each carries its own position. A crash between the two
leaves the quarantine ahead; the next refresh begins at Silver's position and adds to the quarantine only what lies past
the quarantine's own. So no record is lost or doubled, wherever the crash comes.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import table_of
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine
from shoplake_assets.lake.audit import Provenance
from shoplake_assets.lake.auditing import check_contract, check_fates, check_key_unique
from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.hours import EPOCH, SECONDS_PER_HOUR, spans_of, within
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.refresh import Refresh, published, require, unchanged
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    DUPLICATES,
    NEWEST_EVENT,
    NEWEST_RECORD,
    SOURCE_SNAPSHOT,
    TOTAL_DUPLICATES,
    added_files,
    moment_of,
    position_of,
    reflecting,
    snapshot_id_of,
    summary_of,
)
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets.transforms.silver import (
    ACCEPTED,
    FATE,
    REJECTED,
    REPEATED,
    conform,
    deduplicate,
    quarantine_rows,
    silver_rows,
)

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import Column, DataFrame

    from shoplake_assets.lake.audit import Audit
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.refresh import Check


NOTHING_NEW = "nothing new in Bronze"
_JOBS_AT_ONCE = 3


@dataclass(frozen=True, kw_only=True)
class Increment:
    """The Bronze records that Silver has not seen.

    Attributes:
        start: Silver's position; empty when the table is rebuilt.
        end: The position of the Bronze snapshot that is read.
        bronze_snapshot: That snapshot.
        newest: Kafka time of the newest record in it, UTC.
        rebuild: Whether Silver was built by another version of the code, and so is built anew as a whole.
    """

    start: Position
    end: Position
    bronze_snapshot: int
    newest: datetime | None
    rebuild: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not self.rebuild and self.start.reaches(self.end)

    def condition(self, *, past: Position) -> "Column":
        """Condition that a row's coordinates lie in the increment and beyond `past`."""
        begun = self.start.merged(past)
        parts = [
            (F.col("topic_id") == topic)
            & (F.col("partition") == partition)
            & (F.col("offset") >= begun.offsets.get((topic, partition), 0))
            & (F.col("offset") < end)
            for topic, partition, end in self.end
        ]
        return reduce(or_, parts, F.lit(False))


def plan_increment(bronze: "Table", silver: "Table", *, code_version: str) -> Increment | None:
    """Find out from metadata what Silver lacks; None while Bronze is empty."""
    current, target = bronze.current_snapshot(), reflecting(silver)
    if current is None:
        return None
    summary, start = summary_of(target), position_of(target)
    rebuild = CODE_VERSION in summary and summary[CODE_VERSION] != code_version
    seen = summary.get(SOURCE_SNAPSHOT)
    known = Reach(int(seen), start, moment_of(target, NEWEST_RECORD)) if seen else Reach()
    reach = bronze_reach(bronze, known=known)
    return Increment(
        start=Position() if rebuild else start,
        end=reach.position,
        bronze_snapshot=current.snapshot_id,
        newest=reach.newest,
        rebuild=rebuild,
    )


def refresh_silver(lake: "Lake", *, run: str) -> tuple[list[Refresh], list["Check"]]:
    """Bring Silver and the quarantine up to Bronze.

    Returns:
        What was published to each of the two tables, and the checks that it passed.

    Raises:
        AuditFailedError: A check failed; nothing was published.
    """
    version = table_of(SilverEvents).code_version
    silver, quarantine = lake.table(SILVER_EVENTS), lake.table(SILVER_QUARANTINE)
    increment = plan_increment(lake.table(BRONZE_EVENTS), silver, code_version=version)
    if increment is None or increment.is_empty:
        return [unchanged(silver, says=NOTHING_NEW), unchanged(quarantine, says=NOTHING_NEW)], []

    records = lake.rows(BRONZE_EVENTS, snapshot_id=increment.bronze_snapshot)
    conformed = conform(records.where(increment.condition(past=Position()))).persist()
    hours = _event_hours(conformed)
    condition = F.lit(False) if increment.rebuild else within("event_time", spans_of(hours))
    # Read as of the snapshot that the plan was made on: what is kept in memory is computed anew when a table beneath it
    # changes, and must then come out the same.
    known = lake.rows(SILVER_EVENTS, snapshot_id=snapshot_id_of(silver)).where(condition)
    fates = deduplicate(conformed, known=known).persist()
    seen = None if increment.rebuild else moment_of(reflecting(silver), NEWEST_EVENT)
    provenance = Provenance(
        position=increment.end,
        source_snapshot=increment.bronze_snapshot,
        code_version=version,
        newest_record=increment.newest,
        newest_event=max((moment for moment in (seen, *hours.values()) if moment), default=None),
    )
    try:
        refresh = _Refresh(lake, increment, fates, provenance, silver, quarantine)
        return refresh.write_audit_publish(run)
    finally:
        fates.unpersist()
        conformed.unpersist()


def _event_hours(conformed: "DataFrame") -> dict[int, datetime]:
    """Event hours of the accepted rows, each with its newest event time."""
    hour = F.floor(F.unix_seconds("event_time") / SECONDS_PER_HOUR).alias("hour")
    newest = F.unix_micros(F.max("event_time")).alias("newest")
    found = conformed.where(F.col(FATE) == ACCEPTED).groupBy(hour).agg(newest).collect()
    return {row["hour"]: EPOCH + timedelta(microseconds=row["newest"]) for row in found}


@dataclass(frozen=True)
class _Refresh:
    """One refresh of Silver and the quarantine.

    Attributes:
        lake: The lake.
        increment: The new records.
        fates: Each of them with its columns, reasons and fate.
        provenance: What both tables will reflect.
        silver: `silver.events` as the refresh was planned on it.
        aside: `silver.quarantine`, likewise.
    """

    lake: "Lake"
    increment: Increment
    fates: "DataFrame"
    provenance: Provenance
    silver: "Table"
    aside: "Table"

    def write_audit_publish(self, run: str) -> tuple[list[Refresh], list["Check"]]:
        """Publish both tables, the quarantine first, if all checks pass."""
        counts = {row[FATE]: row["count"] for row in self.fates.groupBy(FATE).count().collect()}
        with ThreadPoolExecutor(max_workers=_JOBS_AT_ONCE) as pool:
            events, quarantine = pool.map(lambda table: self.lake.audit(table, run=run), (self.silver, self.aside))
            writes = (
                pool.submit(self._write_events, events, repeated=counts.get(REPEATED, 0)),
                pool.submit(self._write_quarantine, quarantine),
            )
            for write in writes:
                write.result()
            checks = self._checks(pool, events, quarantine, counts)
        require(checks, table=SILVER_EVENTS, branch=events.branch)
        quarantine.publish()
        events.publish()
        accepted, rejected, repeated = (counts.get(fate, 0) for fate in (ACCEPTED, REJECTED, REPEATED))
        records = accepted + rejected + repeated
        figures = {"records": records, "silver": accepted, "quarantine": rejected, "duplicates": repeated}
        says = f"{records:,} new records: {accepted:,} to Silver, {rejected:,} to quarantine, {repeated:,} seen before"
        return [
            published(self.lake.table(SILVER_EVENTS), says=says, metadata=figures),
            published(
                self.lake.table(SILVER_QUARANTINE),
                says=f"{rejected:,} records quarantined",
                metadata={"rows": rejected},
            ),
        ], checks

    def _write_events(self, audit: "Audit", *, repeated: int) -> None:
        before = 0 if self.increment.rebuild else int(summary_of(reflecting(self.silver)).get(TOTAL_DUPLICATES, 0))
        also = {DUPLICATES: str(repeated), TOTAL_DUPLICATES: str(before + repeated)}
        write = audit.replace_all if self.increment.rebuild else audit.append
        write(silver_rows(self.fates), provenance=self.provenance, also=also)

    def _write_quarantine(self, audit: "Audit") -> None:
        held = Position() if self.increment.rebuild else position_of(reflecting(self.aside))
        rows = quarantine_rows(self.fates, quarantined_at=datetime.now(UTC).isoformat())
        write = audit.replace_all if self.increment.rebuild else audit.append
        write(rows.where(self.increment.condition(past=held)), provenance=self.provenance)

    def _checks(
        self, pool: ThreadPoolExecutor, events: "Audit", quarantine: "Audit", counts: dict[str, int]
    ) -> list["Check"]:
        new = self.increment.condition(past=Position())
        touched = events.rows().where(within("event_time", spans_of(self._touched_hours(events))))
        kept = pool.submit(check_contract, touched.where(new), contract=SilverEvents)
        unique = pool.submit(check_key_unique, touched, contract=SilverEvents)
        aside = pool.submit(check_contract, quarantine.rows().where(new), contract=SilverQuarantine).result()
        add_up = check_fates(
            table=SILVER_EVENTS,
            records=sum(counts.values()),
            accepted=events.added_rows(),
            rejected=int(aside.metadata["rows"]),  # type: ignore[arg-type]
            repeated=counts.get(REPEATED, 0),
        )
        return [kept.result(), unique.result(), add_up, aside]

    def _touched_hours(self, audit: "Audit") -> set[int]:
        """Event hours of the rows that the audit branch adds, from its own new files."""
        return {file.partition[0] for _, file in added_files(self.lake.table(audit.table), [audit.snapshot()])}
