"""What Silver's and the quarantine's rows say, compared with the Bronze records that they came from.

Belongs here: reading the records anew, by the same code as a refresh, and comparing. Does not belong here: whether each
record is in one place (`lake.verify.records`).
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import columns_of, table_of
from shoplake_assets.contracts.limits import ACCEPTED, FATE
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.increment import within_reach
from shoplake_assets.lake.snapshots import CODE_VERSION, REPLAYED, TOTAL_DUPLICATES, reflecting, summary_of
from shoplake_assets.lake.verify.proof import MOST_FINDINGS, Proof, first_of, judged, several, unproven, where
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets.transforms.silver import COORDINATES, conform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, Row

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.verify.records import Records

CONTENTS = "contents"
DUPLICATES = "duplicates"
EVENT_ID = "event_id"
_TWO_TIMES = "both count: mend the producer, which must send one event_id with one time only"
_KEPT = ("kafka_timestamp", "key", "payload")


def prove_duplicates(lake: "Lake", records: "Records") -> Proof:
    """Each record in neither table repeats an event that Silver has, and they are as many as Silver has counted."""
    silver = records.pinned.tables[SILVER_EVENTS]
    summary = summary_of(reflecting(silver))
    if reason := records.pinned.unsettled or _rebuild_due(records):
        return unproven(DUPLICATES, SILVER_EVENTS, reason)
    if records.reach != records.pinned.silver_position:
        return unproven(DUPLICATES, SILVER_EVENTS, "Bronze does not reach to Silver's position")
    repeats = conform(_bronze(lake, records).join(records.nowhere(), list(COORDINATES), "left_semi"))
    firsts = lake.rows_of(silver).select(
        F.col(EVENT_ID).alias("_id"), *(F.col(name).alias(f"_{name}") for name in COORDINATES)
    )
    # A replay brings a record to Silver late: its repeat may have come earlier, and is then the one that stays.
    elsewhere = (F.col("topic_id") != F.col("_topic_id")) | (F.col("partition") != F.col("_partition"))
    comes_after = F.lit(True) if REPLAYED in summary else elsewhere | (F.col("offset") > F.col("_offset"))
    joined = repeats.select(*COORDINATES, EVENT_ID).join(firsts, F.col(EVENT_ID) == F.col("_id"), "left")
    told = joined.groupBy(*COORDINATES, EVENT_ID).agg(
        F.bool_or(F.col("_id").isNotNull()).alias("known"), F.bool_or(comes_after).alias("after")
    )
    lost, early = ~F.col("known"), F.col("known") & ~F.col("after")
    (counts,) = told.agg(F.count(F.lit(1)), F.count_if(lost), F.count_if(early)).collect()
    findings = []
    for count, condition, says in (
        (counts[1], lost, "is in neither Silver nor the quarantine, and Silver has no event {}: it is lost"),
        (counts[2], early, "came before the row of event {} that Silver kept"),
    ):
        if count:
            rows = told.where(condition).orderBy(*COORDINATES).limit(MOST_FINDINGS).collect()
            findings += first_of([f"{where(row)} {says.format(row[EVENT_ID])}" for row in rows], of=count)
    counted = int(summary.get(TOTAL_DUPLICATES, 0))
    if counts[0] != counted:
        findings.append(f"Silver has counted {several(counted, 'duplicate')}, and {counts[0]:,} records are in neither")
    total = sum(row["silver"] + row["quarantine"] + row["nowhere"] for row in records.counted.values())
    order = "; which of them came first is not proven since a replay" if REPLAYED in summary else ""
    parts = f"{records.total('silver'):,} Silver + {records.total('quarantine'):,} quarantine"
    return judged(
        DUPLICATES,
        SILVER_EVENTS,
        findings,
        good=f"{several(total, 'Bronze record')} = {parts} + {counts[0]:,} duplicates, each of an event that is there"
        f"{order}",
        figures={"duplicates": counts[0], "counted": counted, "lost": counts[1]},
    )


def prove_silver_rows(lake: "Lake", records: "Records") -> Proof:
    """Each row of Silver says what its record says, read anew."""
    if reason := _rebuild_due(records):
        return unproven(CONTENTS, SILVER_EVENTS, reason)
    silver = records.pinned.tables[SILVER_EVENTS]
    columns = [name for name in columns_of(SilverEvents) if name not in COORDINATES]
    read = conform(_bronze(lake, records)).select(*COORDINATES, FATE, *columns)
    joined = _joined(read, lake.rows_of(silver).where(within_reach(records.reach)), columns)
    counts, rows = _compare(joined, columns, odd=F.col(FATE) != ACCEPTED)
    found = [f"event {row['_found_event_id']} ({where(row)}): {_differences(row, columns)}" for row in rows]
    stricter = f"; today's rules would reject {counts['odd']:,} of them" if counts["odd"] else ""
    return judged(
        CONTENTS,
        SILVER_EVENTS,
        first_of(found, of=counts["wrong"]),
        good=f"{several(counts['all'], 'row')} say what their records say{stricter}",
        bad=f"{_differ(counts['wrong'])}: {found[0] if found else ''}",
        figures={"rows": counts["all"], "different": counts["wrong"]},
    )


def prove_quarantine_rows(lake: "Lake", records: "Records") -> Proof:
    """Each quarantined row is its record, byte for byte."""
    quarantine = records.pinned.tables[SILVER_QUARANTINE]
    bronze = _bronze(lake, records).select(*COORDINATES, *_KEPT)
    joined = _joined(bronze, lake.rows_of(quarantine).where(within_reach(records.reach)), _KEPT)
    counts, rows = _compare(joined, _KEPT, odd=F.lit(False))
    found = [f"{where(row)}: {', '.join(_unlike(row, _KEPT))} not as in Bronze" for row in rows]
    return judged(
        CONTENTS,
        SILVER_QUARANTINE,
        first_of(found, of=counts["wrong"]),
        good=f"{several(counts['all'], 'row')} equal their records",
        bad=f"{_differ(counts['wrong'])}: {found[0] if found else ''}",
        figures={"rows": counts["all"], "different": counts["wrong"]},
    )


def prove_unique_ids(lake: "Lake", records: "Records") -> Proof:
    """No event_id is in Silver twice: not even at two times, which a refresh looks for only within an hour."""
    silver = lake.rows_of(records.pinned.tables[SILVER_EVENTS])
    twice = silver.groupBy(EVENT_ID).count().where("count > 1").persist()
    try:
        count = twice.count()
        rows = twice.orderBy(EVENT_ID).limit(MOST_FINDINGS).collect()
    finally:
        twice.unpersist()
    found = [_at_its_times(row, silver) for row in rows]
    return judged(
        EVENT_ID,
        SILVER_EVENTS,
        first_of(found, of=count),
        good="each event_id is there once",
        bad=f"{several(count, 'event_id')} more than once: {found[0] if found else ''}",
        figures={"repeated": count},
    )


def _at_its_times(repeated: "Row", silver: "DataFrame") -> str:
    event_id = repeated[EVENT_ID]
    time = F.date_format("event_time", "yyyy-MM-dd HH:mm:ss.SSS").alias("time")
    rows = silver.where(F.col(EVENT_ID) == event_id).select(time).distinct().orderBy("time").limit(MOST_FINDINGS)
    times = [row["time"] for row in rows.collect()]
    says = f"event {event_id} is there {repeated['count']} times, at {' and '.join(times)}"
    return f"{says}; {_TWO_TIMES}" if len(times) > 1 else says


def _rebuild_due(records: "Records") -> str | None:
    """Why Silver is not what the contract makes of Bronze; None where it shall be."""
    made = summary_of(reflecting(records.pinned.tables[SILVER_EVENTS])).get(CODE_VERSION)
    current = table_of(SilverEvents).code_version
    return None if made in (None, current) else f"a rebuild is due: made by version {made}, the code is {current}"


def _bronze(lake: "Lake", records: "Records") -> "DataFrame":
    return lake.rows_of(records.pinned.tables[BRONZE_EVENTS]).where(within_reach(records.reach))


def _joined(read: "DataFrame", found: "DataFrame", columns: "Sequence[str]") -> "DataFrame":
    theirs = found.select(*COORDINATES, *(F.col(name).alias(f"_found_{name}") for name in columns))
    return read.join(theirs, list(COORDINATES))


def _compare(joined: "DataFrame", columns: "Sequence[str]", *, odd: "Column") -> "tuple[dict[str, int], list[Row]]":
    wrong = reduce(or_, (~F.col(name).eqNullSafe(F.col(f"_found_{name}")) for name in columns))
    parts = {"all": F.count(F.lit(1)), "wrong": F.count_if(wrong), "odd": F.count_if(odd)}
    (counts,) = joined.agg(*(part.alias(name) for name, part in parts.items())).collect()
    rows = joined.where(wrong).orderBy(*COORDINATES).limit(MOST_FINDINGS).collect() if counts["wrong"] else []
    return counts.asDict(), rows


def _unlike(row: "Row", columns: "Sequence[str]") -> list[str]:
    return [name for name in columns if row[name] != row[f"_found_{name}"]]


def _differences(row: "Row", columns: "Sequence[str]") -> str:
    return "; ".join(f"{name} {row[f'_found_{name}']}, its record says {row[name]}" for name in _unlike(row, columns))


def _differ(count: int) -> str:
    return "1 row differs from its Bronze record" if count == 1 else f"{count:,} rows differ from their Bronze records"
