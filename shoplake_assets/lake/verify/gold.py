"""Gold, recomputed as a whole from the Silver snapshot that it reflects, and compared.

Belongs here: from which snapshot a table is recomputed, and the comparison. Does not belong here: what a figure means
(`lake.verify.gold_sql`).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of, table_of
from shoplake_assets.lake.hours import EPOCH
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    NEWEST_EVENT,
    SOURCE_SNAPSHOT,
    moment_of,
    rearranges,
    reflecting,
    rows_of,
    summary_of,
)
from shoplake_assets.lake.verify.attempt import attempt
from shoplake_assets.lake.verify.gold_sql import FROM_SILVER, LISTS
from shoplake_assets.lake.verify.proof import MOST_FINDINGS, Proof, first_of, judged, several, unproven
from shoplake_assets.tables import GOLD, MADE_FROM, SILVER_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pyiceberg.table import Table
    from pyspark.sql import DataFrame, Row

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.verify.pinned import Pinned

FIGURES = "figures"

_TABLES_AT_ONCE = 3


def prove_gold(lake: "Lake", pinned: "Pinned") -> "Iterator[Proof]":
    """Each Gold table is what its SQL gives for the Silver snapshot that it reflects."""
    with ThreadPoolExecutor(max_workers=_TABLES_AT_ONCE) as pool:
        yield from pool.map(partial(_prove, lake, pinned), GOLD)


def _prove(lake: "Lake", pinned: "Pinned", name: str) -> Proof:
    table = pinned.tables[name]
    summary, version = summary_of(reflecting(table)), table_of(CONTRACTS[name]).code_version
    if SOURCE_SNAPSHOT not in summary:
        rows = rows_of(table.current_snapshot())
        findings = [f"{several(rows, 'row')}, and no refresh has made any"] if rows else []
        return judged(FIGURES, name, findings, good="nothing was computed yet")
    if summary[CODE_VERSION] != version:
        says = f"a rebuild is due: it was made by version {summary[CODE_VERSION]}, the code is {version}"
        return unproven(FIGURES, name, says)
    source = _silver_beneath(pinned, name)
    if source is None:
        return unproven(FIGURES, name, "the snapshot of Silver that it reflects is no longer there to compute it from")
    return attempt(
        lambda: _compared(name, expected=_recomputed(lake, pinned, name, source), found=lake.rows_of(table)),
        name=FIGURES,
        table=name,
        lake=lake,
        snapshots={SILVER_EVENTS: source, name: pinned.snapshots[name]},
    )


def _silver_beneath(pinned: "Pinned", name: str) -> int | None:
    """The Silver snapshot that a table reflects, or one with the same rows; None if there is none any more."""
    snapshot: int | None = None
    while name != SILVER_EVENTS:
        seen = summary_of(reflecting(pinned.tables[name], at=snapshot)).get(SOURCE_SNAPSHOT)
        name = MADE_FROM[name]
        snapshot = _still_there(pinned.tables[name], int(seen)) if seen else None
        if snapshot is None:
            return None
    return snapshot


def _still_there(table: "Table", snapshot_id: int) -> int | None:
    """The snapshot, or, if it has expired, the first that is there of what compaction has made of it."""
    there = {snapshot.snapshot_id for snapshot in table.snapshots()}
    heirs = {
        snapshot.parent_snapshot_id: snapshot.snapshot_id for snapshot in table.snapshots() if rearranges(snapshot)
    }
    heir: int | None = snapshot_id
    while heir is not None and heir not in there:
        heir = heirs.get(heir)
    return heir


def _recomputed(lake: "Lake", pinned: "Pinned", name: str, source: int) -> "DataFrame":
    silver = pinned.tables[SILVER_EVENTS]
    events = lake.rows_of(silver, snapshot_id=source).selectExpr(
        "*", "date_trunc('hour', event_time) AS hour", "coalesce(category, '(none)') AS named_category"
    )
    if name in FROM_SILVER:
        rows = lake.spark.sql(FROM_SILVER[name], events=events)
    else:
        facts = lake.spark.sql(FROM_SILVER[MADE_FROM[name]], events=events)
        newest = _newest_hour(events, moment_of(reflecting(silver, at=source), NEWEST_EVENT))
        rows = lake.spark.sql(LISTS[name], facts=facts, newest=newest)
    return rows.select(*columns_of(CONTRACTS[name]))


def _newest_hour(events: "DataFrame", known: "datetime | None") -> str:
    """The hour from which windows count back.

    It is that of the newest event that came, which is not in Silver where it repeats the id of an earlier one.
    """
    (row,) = events.agg(F.unix_micros(F.max("event_time"))).collect()
    newest = max(
        (moment for moment in (known, row[0] and EPOCH + timedelta(microseconds=row[0])) if moment), default=EPOCH
    )
    return newest.replace(minute=0, second=0, microsecond=0).isoformat()


def _compared(name: str, *, expected: "DataFrame", found: "DataFrame") -> Proof:
    """Compare as bags of rows, so that also a row too many is found."""
    key = table_of(CONTRACTS[name]).key
    columns = found.columns
    typed = expected.select(*(F.col(field.name).cast(field.dataType) for field in found.schema.fields))
    side = F.lit(1).alias("_more")
    both = typed.select(*columns, side).unionAll(found.select(*columns, -side))
    unequal = both.groupBy(*columns).agg(F.sum("_more").alias("_more"), F.count(F.lit(1)).alias("_rows"))
    wrong = unequal.where(F.col("_more") != 0)
    counts = unequal.agg(F.sum("_rows"), F.sum("_more"), F.count_if(F.col("_more") != 0)).collect()[0]
    rows = wrong.orderBy(*key).limit(4 * MOST_FINDINGS).collect() if counts[2] else []
    faults = _faults(rows, key=key, columns=columns)
    count = max(len(faults), counts[2] - len(rows) + len(faults))
    total = ((counts[0] or 0) - (counts[1] or 0)) // 2
    return judged(
        FIGURES,
        name,
        first_of(faults, of=count),
        good=f"{several(total, 'row')} equal a full recomputation from Silver",
        figures={"rows": total},
    )


def _faults(rows: "Sequence[Row]", *, key: "Sequence[str]", columns: "Sequence[str]") -> list[str]:
    cells: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(tuple(row[name] for name in key), []).append(row)
    return [_fault(group, key=key, columns=columns) for group in cells.values()]


def _fault(group: "Sequence[Row]", *, key: "Sequence[str]", columns: "Sequence[str]") -> str:
    place = ", ".join(f"{name} {group[0][name]}" for name in key)
    lacking, extra = [row for row in group if row["_more"] > 0], [row for row in group if row["_more"] < 0]
    if lacking and extra:
        ours, theirs = lacking[0], extra[0]
        unlike = [name for name in columns if ours[name] != theirs[name]]
        return f"{place}: {'; '.join(f'{name} {theirs[name]}, Silver says {ours[name]}' for name in unlike)}"
    return f"{place}: the row is missing" if lacking else f"{place}: a row too many"
