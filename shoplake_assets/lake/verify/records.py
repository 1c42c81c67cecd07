"""What the coordinates of Bronze, Silver and the quarantine prove together.

Belongs here: is each offset in Bronze once, and each record in one place? Reads coordinates only, in one pass. Does not
belong here: what the rows say (`lake.verify.contents`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here
from pyspark.sql import Window  # noqa: TID253  likewise

from shoplake_assets.lake.increment import beyond, within_reach
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.ranges import Fault, unexcused
from shoplake_assets.lake.verify.metadata import OFFSETS, gaps_in_words
from shoplake_assets.lake.verify.pinned import position_of_extents
from shoplake_assets.lake.verify.proof import MOST_FINDINGS, Proof, first_of, judged, several, unproven, where
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets.transforms.silver import COORDINATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, Row

    from shoplake_assets.lake.gaps import Gap
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.verify.pinned import Extents, Pinned

PLACES = "places"

# How often the coordinates of a record occur in each table.
_IN = {BRONZE_EVENTS: "in_bronze", SILVER_EVENTS: "in_silver", SILVER_QUARANTINE: "in_quarantine"}
_NOWHERE = "in_bronze > 0 AND in_silver = 0 AND in_quarantine = 0"


@dataclass(frozen=True, kw_only=True)
class Misplaced:
    """A way for a record to be in the wrong place.

    Attributes:
        table: The table that is at fault.
        condition: SQL condition on how often its coordinates occur.
        says: What is wrong, of one record.
        ahead: Whether this is about what lies beyond Silver's position, in place of what lies before.
        passing: Whether it is right as long as a replay or a rebuild has reached only one of the two tables.
    """

    table: str
    condition: str
    says: str
    ahead: bool = False
    passing: bool = False


_MISPLACED = {
    "in both": Misplaced(
        table=SILVER_EVENTS,
        condition="in_silver > 0 AND in_quarantine > 0",
        says="is in Silver and in the quarantine",
        passing=True,
    ),
    "twice in Silver": Misplaced(table=SILVER_EVENTS, condition="in_silver > 1", says="is in Silver more than once"),
    "not in Bronze": Misplaced(
        table=SILVER_EVENTS, condition="in_silver > 0 AND in_bronze = 0", says="is in Silver and not in Bronze"
    ),
    "too early": Misplaced(
        table=SILVER_EVENTS, condition="in_silver > 0", says="is in Silver, beyond Silver's own position", ahead=True
    ),
    "twice in quarantine": Misplaced(
        table=SILVER_QUARANTINE, condition="in_quarantine > 1", says="is in the quarantine more than once"
    ),
    "quarantined, not in Bronze": Misplaced(
        table=SILVER_QUARANTINE,
        condition="in_quarantine > 0 AND in_bronze = 0",
        says="is in the quarantine and not in Bronze",
    ),
}
_COUNTED = {
    "silver": "in_bronze > 0 AND in_silver > 0",
    "quarantine": "in_bronze > 0 AND in_silver = 0 AND in_quarantine > 0",
    "nowhere": _NOWHERE,
}


@dataclass(frozen=True, kw_only=True)
class Records:
    """Every coordinate of the three tables, and in which of them it is.

    Attributes:
        pinned: The lake.
        extents: How far Bronze reaches.
        reach: How far both Silver and Bronze reach: what lies before must be in one place. Where Bronze was rolled
            back, nothing can be said of what lies beyond.
        places: For each coordinate, how often it occurs in each table.
        counted: Counts of each topic partition.
    """

    pinned: "Pinned"
    extents: "Extents"
    reach: Position
    places: "DataFrame"
    counted: Mapping[tuple[str, int], "Row"]

    def total(self, name: str) -> int:
        """A count over all topic partitions."""
        return sum(row[name] for row in self.counted.values())

    def nowhere(self) -> "DataFrame":
        """Coordinates of Bronze records that are in neither Silver nor the quarantine, and so must be duplicates."""
        return self.places.where(_NOWHERE).where(within_reach(self.reach)).select(*COORDINATES)


def count_records(lake: "Lake", pinned: "Pinned") -> Records:
    """Look at the coordinates of all rows."""
    extents = pinned.extents if not pinned.mixed else _extents(lake, pinned)
    bronze, silver = position_of_extents(extents), pinned.silver_position
    reach = Position({key: min(end, bronze.offsets.get(key, 0)) for key, end in silver.offsets.items()})
    places = _places(lake, pinned, silver)
    there = F.expr("in_bronze > 0")
    columns = {
        "records": F.sum("in_bronze"),
        "offsets": F.count_if(there),
        "first": F.min(F.when(there, F.col("offset"))),
        "last": F.max(F.when(there, F.col("offset"))),
        "in gaps": F.count_if(there & _in_gaps(pinned.gaps)),
        **{name: F.count_if(F.expr(sql) & within_reach(reach)) for name, sql in _COUNTED.items()},
        **{
            name: F.count_if(F.expr(kind.condition) & (beyond(silver) if kind.ahead else within_reach(reach)))
            for name, kind in _MISPLACED.items()
        },
    }
    counts = places.groupBy("topic_id", "partition").agg(*(part.alias(name) for name, part in columns.items()))
    counted = {(row["topic_id"], row["partition"]): row for row in counts.collect()}
    return Records(pinned=pinned, extents=extents, reach=reach, places=places, counted=counted)


def _places(lake: "Lake", pinned: "Pinned", silver: Position) -> "DataFrame":
    parts = []
    for table, column in _IN.items():
        if pinned.tables[table].current_snapshot() is None:
            continue
        rows = lake.rows_of(pinned.tables[table])
        if table == SILVER_QUARANTINE:  # it may be ahead of Silver, which the next refresh makes up for
            rows = rows.where(within_reach(silver))
        flags = (F.lit(int(column == name)).cast("long").alias(name) for name in _IN.values())
        parts.append(rows.select(*COORDINATES, *flags))
    together = reduce(lambda one, other: one.unionAll(other), parts)
    return together.groupBy(*COORDINATES).agg(*(F.sum(name).alias(name) for name in _IN.values()))


def _extents(lake: "Lake", pinned: "Pinned") -> "Extents":
    rows = lake.rows_of(pinned.tables[BRONZE_EVENTS]).groupBy("topic_id", "partition")
    found = rows.agg(F.min("offset").alias("first"), F.max("offset").alias("last")).collect()
    return {(row["topic_id"], row["partition"]): (row["first"], row["last"] + 1) for row in found}


def _in_gaps(gaps: "Sequence[Gap]") -> "Column":
    parts = [
        (F.col("topic_id") == gap.topic_id)
        & (F.col("partition") == gap.partition)
        & F.col("offset").between(gap.first, gap.last)
        for gap in gaps
    ]
    return reduce(or_, parts, F.lit(False))


def prove_offsets(records: Records) -> Proof:
    """Each offset from the first to the position is in Bronze once, but for recorded gaps; metadata say the same."""
    pinned = records.pinned
    findings = _doubled(records) + _missing(records) + _filled_gaps(records) + _unlike_metadata(records)
    rows, partitions = records.total("records"), len(records.extents)
    return judged(
        OFFSETS,
        BRONZE_EVENTS,
        findings,
        good=f"{several(rows, 'record')} in {several(partitions, 'partition')}: each offset once, none missing"
        f"{gaps_in_words(pinned)}",
        figures={"records": rows, "doubled": rows - records.total("offsets")},
    )


def _doubled(records: Records) -> list[str]:
    again = records.total("records") - records.total("offsets")
    if not again:
        return []
    rows = _few(records.places.where("in_bronze > 1"))
    found = [f"{where(row)} is there {row['in_bronze']} times" for row in rows]
    return [f"{several(again, 'record')} too many", *found]


def _missing(records: Records) -> list[str]:
    lost = 0
    examples: list[Fault] = []
    for (topic_id, partition), row in records.counted.items():
        if not row["offsets"]:
            continue
        gaps = sorted(gap for gap in records.pinned.gaps if (gap.topic_id, gap.partition) == (topic_id, partition))
        expected = sum(last - first + 1 for first, last in unexcused(row["first"], row["last"], gaps))
        if not (missing := expected - (row["offsets"] - row["in gaps"])):
            continue
        lost += missing
        examples += [
            Fault(topic_id=topic_id, partition=partition, first=first, last=last)
            # A gap excuses one hole at most: so many are enough to have some that it does not.
            for begin, end in _holes(records, topic_id, partition, at_most=MOST_FINDINGS + len(gaps))
            for first, last in unexcused(begin, end, gaps)
        ]
    named = examples[:MOST_FINDINGS]
    rest = lost - sum(fault.last - fault.first + 1 for fault in named)
    more = [f"... and {several(rest, 'offset')} more"] if rest else []
    return [f"{several(lost, 'offset')} missing", *(str(fault) for fault in named), *more] if lost else []


def _holes(records: Records, topic_id: str, partition: int, *, at_most: int) -> list[tuple[int, int]]:
    here = (F.col("topic_id") == topic_id) & (F.col("partition") == partition)
    before = F.lag("offset").over(Window.partitionBy("topic_id", "partition").orderBy("offset"))
    steps = records.places.where("in_bronze > 0").where(here).withColumn("before", before)
    holes = steps.where(F.col("offset") > F.col("before") + 1).orderBy("offset").limit(at_most)
    return [(row["before"] + 1, row["offset"] - 1) for row in holes.collect()]


def _filled_gaps(records: Records) -> list[str]:
    count = records.total("in gaps")
    if not count:
        return []
    rows = _few(records.places.where("in_bronze > 0").where(_in_gaps(records.pinned.gaps)))
    found = [where(row) for row in rows]
    verb = "is" if count == 1 else "are"
    return [f"{several(count, 'record')} {verb} there that bronze.gaps calls lost, such as {found[0]}"]


def _unlike_metadata(records: Records) -> list[str]:
    if records.pinned.mixed:
        return []
    found = {key: (row["first"], row["last"] + 1) for key, row in records.counted.items() if row["offsets"]}
    findings = []
    if found != records.extents:
        findings.append(f"the bounds of the files say {dict(records.extents)}, the rows {found}")
    said = sum(part.rows for part in records.pinned.ranges)
    if said != records.total("records"):
        findings.append(f"the files say {several(said, 'record')}, and there are {records.total('records'):,}")
    return findings


def prove_places(records: Records, table: str) -> Proof:
    """Each record up to Silver's position is in Silver or in the quarantine, once, and nothing else is there."""
    findings, unsettled = _misplaced(records, table), records.pinned.unsettled
    if unsettled and not findings:
        return unproven(PLACES, table, unsettled)
    counts = {name: records.total(name) for name in _COUNTED}
    says = {
        SILVER_EVENTS: f"{several(counts['silver'], 'Bronze record')} in it, each once; "
        f"{counts['quarantine']:,} quarantined, {counts['nowhere']:,} in neither",
        SILVER_QUARANTINE: f"{several(counts['quarantine'], 'Bronze record')} in it, each once",
    }
    return judged(PLACES, table, findings, good=says[table], figures=counts)


def _misplaced(records: Records, table: str) -> list[str]:
    findings = []
    for name, kind in _MISPLACED.items():
        count = records.total(name)
        if kind.table != table or not count or (kind.passing and records.pinned.unsettled):
            continue
        side = beyond(records.pinned.silver_position) if kind.ahead else within_reach(records.reach)
        rows = _few(records.places.where(kind.condition).where(side))
        findings += first_of([f"{where(row)} {kind.says}" for row in rows], of=count)
    return findings


def _few(places: "DataFrame") -> "list[Row]":
    return places.orderBy(*COORDINATES).limit(MOST_FINDINGS).collect()
