"""What Iceberg's metadata proves without a row being read.

Belongs here: offsets by the bounds of files, Kafka's range, record counts. Does not belong here: the order of the
layers (`lake.verify.order`), and what only rows can prove.
"""

from typing import TYPE_CHECKING

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.ranges import faults_in, unexcused
from shoplake_assets.lake.snapshots import (
    SOURCE_SNAPSHOT,
    TOTAL_DUPLICATES,
    position_of,
    reflecting,
    rows_of,
    summary_of,
)
from shoplake_assets.lake.verify.proof import Proof, first_of, judged, several, unproven
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.lake.verify.pinned import Extents, Pinned

OFFSETS = "offsets"
KAFKA = "kafka"
FILES = "files"
FATES = "fates"


def prove_offsets_by_bounds(pinned: "Pinned") -> Proof:
    """The files of each topic partition fill its offsets from the first to the position, but for recorded gaps."""
    if pinned.mixed:
        return unproven(OFFSETS, BRONZE_EVENTS, _mixed(pinned))
    if not pinned.ranges:
        return judged(OFFSETS, BRONZE_EVENTS, [], good="Bronze is empty", figures={"records": 0, "files": 0})
    faults = faults_in(pinned.ranges, start=Position(), gaps=pinned.gaps)
    rows = sum(part.rows for part in pinned.ranges)
    return judged(
        OFFSETS,
        BRONZE_EVENTS,
        first_of([str(fault) for fault in faults]),
        good=f"{several(rows, 'record')} in {several(len(pinned.ranges), 'file')} fill their offsets"
        f"{gaps_in_words(pinned)}",
        figures={"records": rows, "files": len(pinned.ranges), "faults": len(faults)},
    )


def _mixed(pinned: "Pinned") -> str:
    return f"{several(pinned.mixed, 'file')} of Bronze mix Kafka partitions, so only rows tell which offsets are there"


def gaps_in_words(pinned: "Pinned") -> str:
    """What to say of the recorded gaps where all else is there."""
    if not pinned.gaps:
        return ""
    events = sum(gap.events for gap in pinned.gaps)
    unseen = sum(gap.acknowledged_at is None for gap in pinned.gaps)
    note = f", of which nobody has taken note of {unseen:,}" if unseen else ""
    return f", but for {several(events, 'offset')} in {several(len(pinned.gaps), 'recorded gap')}{note}"


def prove_kafka(pinned: "Pinned", extents: "Extents | None") -> Proof:
    """Nothing in Kafka before Bronze's position is missing from Bronze, and Bronze holds nothing beyond Kafka's end.

    Args:
        pinned: The lake.
        extents: How far Bronze reaches; None where that is not known.
    """
    kafka = pinned.kafka
    if extents is None:
        return unproven(KAFKA, BRONZE_EVENTS, _mixed(pinned))
    if kafka is None:
        return unproven(KAFKA, BRONZE_EVENTS, "Kafka does not answer, so Bronze is not compared with it")
    findings, waiting = [], 0
    for topic_id, partition, end in kafka.end:
        key = topic_id, partition
        here = f"partition {partition} of topic {topic_id}"
        begin = kafka.begin.offsets.get(key, 0)
        gaps = sorted(gap for gap in pinned.gaps if (gap.topic_id, gap.partition) == key)
        first, reached = extents.get(key, (begin, begin))
        if reached > end:
            findings.append(f"{here}: Bronze reaches to offset {reached - 1}, and Kafka ends at {end - 1}")
        findings += [
            f"{here}: offsets {lost} to {last} are in Kafka and not in Bronze, which begins at {first}"
            for lost, last in unexcused(begin, first - 1, gaps)
        ]
        waiting += sum(last - lost + 1 for lost, last in unexcused(max(reached, begin), end - 1, gaps))
    earlier = {topic_id for topic_id, _ in extents} - {topic_id for topic_id, _, _ in kafka.end}
    verb = "is" if len(earlier) == 1 else "are"
    gone = f"; {several(len(earlier), 'earlier topic')} {verb} no longer there to compare with" if earlier else ""
    lag = f"{several(waiting, 'event')} of it not in Bronze yet" if waiting else "nothing of it is missing"
    return judged(
        KAFKA,
        BRONZE_EVENTS,
        first_of(findings),
        good=f"Bronze agrees with what Kafka holds, {lag}{gone}",
        figures={"waiting": waiting},
    )


def prove_files(pinned: "Pinned", name: str) -> Proof:
    """The table's files count as many records as its snapshot says, and none of them is deleted by another file."""
    snapshot, counts = pinned.tables[name].current_snapshot(), pinned.records[name]
    if snapshot is None:
        return judged(FILES, name, [], good="no commit yet", figures={"records": 0, "files": 0})
    said, deletes = rows_of(snapshot), int(summary_of(snapshot).get("total-delete-files", 0))
    findings = []
    if sum(counts) != said:
        findings.append(f"the files hold {several(sum(counts), 'record')}, the snapshot says {said:,}")
    if deletes:
        findings.append(f"{several(deletes, 'file')} of deletions: rows were deleted by hand; Shoplake writes none")
    good = f"{several(said, 'record')} in {several(len(counts), 'file')}"
    return judged(FILES, name, findings, good=good, figures={"records": said, "files": len(counts)})


def prove_all_files(pinned: "Pinned") -> list[Proof]:
    """The same of each table."""
    return [prove_files(pinned, name) for name in (BRONZE_EVENTS, *DERIVED)]


def prove_counts(pinned: "Pinned") -> Proof:
    """As many Bronze records up to Silver's position as rows of Silver and the quarantine, and duplicates."""
    silver, quarantine = pinned.tables[SILVER_EVENTS], pinned.tables[SILVER_QUARANTINE]
    if pinned.unsettled:
        return unproven(FATES, SILVER_EVENTS, pinned.unsettled)
    position = pinned.silver_position
    records = _records_before(pinned, position)
    rejected = _rows_at(quarantine, position)
    if records is None or rejected is None:
        lost = "Bronze" if records is None else "the quarantine"
        return unproven(FATES, SILVER_EVENTS, f"the snapshot of {lost} that Silver reflects is gone")
    accepted = rows_of(silver.current_snapshot())
    repeats = int(summary_of(reflecting(silver)).get(TOTAL_DUPLICATES, 0))
    parts = f"{accepted:,} Silver + {rejected:,} quarantine + {repeats:,} duplicates"
    wrong = records != accepted + rejected + repeats
    return judged(
        FATES,
        SILVER_EVENTS,
        [f"{records:,} Bronze records are not {parts}"] if wrong else [],
        good=f"{records:,} Bronze records = {parts}, by their numbers",
        figures={"records": records, "silver": accepted, "quarantine": rejected, "duplicates": repeats},
    )


def _records_before(pinned: "Pinned", position: Position) -> int | None:
    """Bronze's records before a position, from the files; where one lies on both sides, from the snapshot's summary."""
    ends = [(part, position.offsets.get((part.topic_id, part.partition), 0)) for part in pinned.ranges]
    if not pinned.mixed and all(part.last < end or part.first >= end for part, end in ends):
        return sum(part.rows for part, end in ends if part.last < end)
    source = summary_of(reflecting(pinned.tables[SILVER_EVENTS])).get(SOURCE_SNAPSHOT)
    snapshot = pinned.tables[BRONZE_EVENTS].snapshot_by_id(int(source)) if source else None
    return None if snapshot is None else rows_of(snapshot)


def _rows_at(quarantine: "Table", position: Position) -> int | None:
    """Rows of the quarantine when it reflected a position; None if that snapshot is gone."""
    snapshot = quarantine.current_snapshot()
    while snapshot is not None and position_of(reflecting(quarantine, at=snapshot.snapshot_id)) != position:
        snapshot = quarantine.snapshot_by_id(snapshot.parent_snapshot_id or -1)
    return None if snapshot is None else rows_of(snapshot)
