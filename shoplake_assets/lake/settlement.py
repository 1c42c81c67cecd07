"""Settling a batch: its rows go to Silver and to the quarantine, or nowhere.

Belongs here: writing, auditing and publishing the two tables together, alike for new records, a rebuild and a replay.
Does not belong here: which records there are (`lake.silver`), and what becomes of one (`transforms.silver`).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import table_of
from shoplake_assets.contracts.limits import ACCEPTED, DIFFERS, FATE, MOVED, REJECTED, REPEATED
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine
from shoplake_assets.lake.auditing import check_contract, check_fates, check_key_unique, check_small_table
from shoplake_assets.lake.examples import odd_records
from shoplake_assets.lake.hours import HOURS_PER_DAY, spans_of, within
from shoplake_assets.lake.limits import (
    Acceptance,
    Share,
    acceptance_entry,
    check_limit,
    check_volume,
    rate_of,
    recent_rates,
)
from shoplake_assets.lake.refresh import Refresh, published, require
from shoplake_assets.lake.snapshots import (
    ACCEPTANCE,
    CONFLICTS,
    DUPLICATES,
    NEWEST_RECORD,
    RECORDS,
    TOTAL_CONFLICTS,
    TOTAL_DUPLICATES,
    added_files,
    moment_of,
    reflecting,
    summary_of,
)
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets.transforms.silver import quarantine_rows, silver_rows

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import Column, DataFrame

    from shoplake_assets.contracts.limits import Limit
    from shoplake_assets.lake.audit import Audit, Provenance
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.refresh import Check

_JOBS_AT_ONCE = 3


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Repeats that Silver has counted so far, and those among them with other content than the event they repeat."""

    duplicates: int = 0
    conflicts: int = 0

    @classmethod
    def of(cls, silver: "Table") -> "Counted":
        """What the table's summary says."""
        summary = summary_of(reflecting(silver))
        return cls(duplicates=int(summary.get(TOTAL_DUPLICATES, 0)), conflicts=int(summary.get(TOTAL_CONFLICTS, 0)))


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a batch consists of, counted in one pass."""

    fates: dict[str, int]
    conflicts: int
    shares: "dict[Limit, Share]"

    @property
    def records(self) -> int:
        """Records in the batch."""
        return sum(self.fates.values())


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Records with their fates, and how they meet what is there.

    Attributes:
        fates: The records with columns, reasons, fate and `differs`; read more than once, so better kept in memory.
        new: Condition that a row of either table belongs to the batch.
        provenance: What both tables will reflect.
        silver: `silver.events` as the batch was planned on it.
        quarantine: `silver.quarantine`, likewise.
        rebuild: Whether Silver is replaced as a whole.
        staying: Condition on the quarantined rows that stay; None if all do.
        before: What had been counted before; nothing for a rebuild.
        replay: Whether the records come from the quarantine. They are no sample of what producers send, so limits are
            not judged, and Silver is published first: a crash between the two then leaves rows in both tables, which
            the next refresh finds and mends, and never in none.
        acceptance: What somebody accepts beyond the limits.
    """

    fates: "DataFrame"
    new: "Column"
    provenance: "Provenance"
    silver: "Table"
    quarantine: "Table"
    rebuild: bool = False
    staying: "Column | None" = None
    before: Counted
    replay: bool = False
    acceptance: Acceptance | None = None

    @cached_property
    def tally(self) -> Tally:
        """Count fates, conflicts and whatever the contract limits; runs one Spark job."""
        kinds = (ACCEPTED, REPEATED, REJECTED, MOVED)
        limits = table_of(SilverEvents).limits
        parts = [F.count_if(F.col(FATE) == kind) for kind in kinds]
        parts.append(F.count_if(F.col(DIFFERS)))
        for limit in limits:
            parts += [F.count_if(F.expr(f"({limit.odd}) AND ({limit.among})")), F.count_if(F.expr(limit.among))]
        (row,) = self.fates.select(*(part.alias(str(number)) for number, part in enumerate(parts))).collect()
        odd_and_among = iter(row[len(kinds) + 1 :])
        return Tally(
            fates=dict(zip(kinds, row, strict=False)),
            conflicts=row[len(kinds)],
            shares={limit: Share(odd=next(odd_and_among), among=next(odd_and_among)) for limit in limits},
        )


def settle(lake: "Lake", batch: Batch, *, run: str) -> tuple[list[Refresh], list["Check"]]:
    """Write both tables to branches, audit them, and publish them.

    Returns:
        What was published to each table, and the checks that it passed.

    Raises:
        AuditFailedError: A blocking check failed; nothing was published.
    """
    tally = batch.tally
    with ThreadPoolExecutor(max_workers=_JOBS_AT_ONCE) as pool:
        events, aside = pool.map(lambda table: lake.audit(table, run=run), (batch.silver, batch.quarantine))
        writes = (
            pool.submit(_write_events, batch, events, run=run),
            pool.submit(_write_quarantine, lake, batch, aside),
        )
        for write in writes:
            write.result()
        checks = _checks(lake, pool, batch, events=events, aside=aside)
    require(checks, table=SILVER_EVENTS, branch=events.branch)
    for audit in (events, aside) if batch.replay else (aside, events):
        audit.publish()
    return _reports(lake, tally), checks


def _write_events(batch: Batch, audit: "Audit", *, run: str) -> None:
    tally = batch.tally
    repeated = tally.fates[REPEATED]
    accepted = acceptance_entry(batch.acceptance, tally.shares, run=run)
    also = {
        DUPLICATES: str(repeated),
        TOTAL_DUPLICATES: str(batch.before.duplicates + repeated),
        CONFLICTS: str(tally.conflicts),
        TOTAL_CONFLICTS: str(batch.before.conflicts + tally.conflicts),
        # A replay and a rebuild are no measure of how many records come.
        **({} if batch.replay or batch.rebuild else {RECORDS: str(tally.records)}),
        **({} if accepted is None else {ACCEPTANCE: accepted}),
    }
    write = audit.replace_all if batch.rebuild else audit.append
    write(silver_rows(batch.fates), provenance=batch.provenance, also=also)


def _write_quarantine(lake: "Lake", batch: Batch, audit: "Audit") -> None:
    rows = quarantine_rows(batch.fates)
    if batch.staying is None:
        audit.append(rows, provenance=batch.provenance)
    else:
        kept = lake.rows_of(batch.quarantine).where(batch.staying)
        audit.replace_all(kept.unionByName(rows), provenance=batch.provenance)


def _checks(lake: "Lake", pool: ThreadPoolExecutor, batch: Batch, *, events: "Audit", aside: "Audit") -> list["Check"]:
    touched = events.rows().where(within("event_time", spans_of(_touched(lake, events))))
    contract = pool.submit(check_contract, touched.where(batch.new), contract=SilverEvents)
    unique = pool.submit(check_key_unique, touched, contract=SilverEvents)
    days = [(day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY) for day in _touched(lake, aside)]
    set_aside, found = check_small_table(
        aside.rows().where(within("kafka_timestamp", days) | batch.new),
        contract=SilverQuarantine,
        sums={"new": F.count_if(batch.new)},
    )
    fates = batch.tally.fates
    add_up = check_fates(
        table=SILVER_EVENTS,
        records=batch.tally.records,
        accepted=events.added_rows(),
        rejected=int(found["new"]),
        repeated=fates[REPEATED],
        moved=fates[MOVED],
    )
    return [contract.result(), unique.result(), add_up, *_limit_checks(batch), *set_aside]


def _limit_checks(batch: Batch) -> list["Check"]:
    if batch.replay:
        return []
    checks = [
        check_limit(
            limit,
            share,
            table=SILVER_EVENTS,
            acceptance=batch.acceptance,
            found=partial(odd_records, batch.fates, limit),
        )
        for limit, share in batch.tally.shares.items()
    ]
    volume, newest = table_of(SilverEvents).volume, batch.provenance.newest_record
    before = moment_of(reflecting(batch.silver), NEWEST_RECORD)
    if volume is not None and newest is not None and before is not None and not batch.rebuild:
        rate = rate_of(batch.tally.records, seconds=(newest - before).total_seconds())
        usual = recent_rates(batch.silver, refreshes=volume.refreshes)
        checks.append(check_volume(volume, rate, table=SILVER_EVENTS, usual=usual))
    return checks


def _touched(lake: "Lake", audit: "Audit") -> set[int]:
    """Partitions (hours or days) of the rows that the audit branch adds, from its own new files."""
    return {file.partition[0] for _, file in added_files(lake.table(audit.table), [audit.snapshot()])}


def _reports(lake: "Lake", tally: Tally) -> list[Refresh]:
    fates = tally.fates
    accepted, rejected, repeated, moved = (fates[kind] for kind in (ACCEPTED, REJECTED, REPEATED, MOVED))
    figures = {
        "records": tally.records,
        "silver": accepted,
        "quarantine": rejected,
        "duplicates": repeated,
        "conflicts": tally.conflicts,
    }
    says = f"{tally.records:,} records: {accepted:,} to Silver, {rejected:,} to quarantine, {repeated:,} seen before"
    if moved:
        says = f"{says}, {moved:,} moved earlier"
    return [
        published(lake.table(SILVER_EVENTS), says=says, metadata=figures),
        published(lake.table(SILVER_QUARANTINE), says=f"{rejected:,} records quarantined", metadata={"rows": rejected}),
    ]
