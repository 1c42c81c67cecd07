"""The refresh of Gold: exactly the hours that changed in a table's source, recomputed, audited and published.

Belongs here: which hours are recomputed, in which order, and what must add up. Does not belong here: how a figure is
computed (`transforms.gold`), or Dagster.

A touched hour is recomputed from all of its source rows, so late events are right and a repeated refresh changes
nothing. The tables of one wave do not depend on each other and are refreshed side by side.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import table_of
from shoplake_assets.lake.audit import Provenance
from shoplake_assets.lake.auditing import check_contract, check_key_unique, check_totals, totals
from shoplake_assets.lake.hours import days_of, in_hours, months_of, within
from shoplake_assets.lake.refresh import AuditFailedError, Refresh, published, require, unchanged
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    NEWEST_EVENT,
    NEWEST_RECORD,
    SOURCE_SNAPSHOT,
    LineageLostError,
    changed_partitions,
    moment_of,
    position_of,
    reflecting,
    summary_of,
)
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
    SILVER_EVENTS,
)
from shoplake_assets.transforms import gold as transforms

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import Column, DataFrame

    from shoplake_assets.lake.audit import Audit
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.refresh import Check

# Hours in one partition of each table that others are computed from.
_PARTITION_HOURS = {SILVER_EVENTS: 1, GOLD_PRODUCT_HOURLY: 24, GOLD_USER_HOURLY: 24}
_TIME = {SILVER_EVENTS: "event_time", GOLD_PRODUCT_HOURLY: "event_hour", GOLD_USER_HOURLY: "event_hour"}
_TOTALS = {
    SILVER_EVENTS: {
        "purchases": "count_if(event_type = 'purchase')",
        "units": "sum(if(event_type = 'purchase', quantity, 0))",
        "revenue": "sum(if(event_type = 'purchase', price * quantity, 0))",
    }
}
_GOLD_TOTALS = {"purchases": "sum(purchases)", "units": "sum(units)", "revenue": "sum(revenue)"}
_TABLES_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class GoldTable:
    """How one Gold table is made.

    Attributes:
        name: The table.
        source: The table that it is computed from.
        build: Its rows, from rows of the source and the lake.
        cells: The column that says which hour or day a row belongs to; None for a list that is replaced whole.
        adds_up: Whether its sales must equal those of the source.
    """

    name: str
    source: str
    build: "Callable[[DataFrame, Lake], DataFrame]"
    cells: str | None = "event_hour"
    adds_up: bool = True


def _hourly(build: "Callable[[DataFrame], DataFrame]") -> "Callable[[DataFrame, Lake], DataFrame]":
    return lambda rows, _lake: build(rows)


def _listed(build: "Callable[..., DataFrame]") -> "Callable[[DataFrame, Lake], DataFrame]":
    return lambda rows, lake: build(rows, newest_hour=_newest_hour(lake))


FACTS = (
    GoldTable(name=GOLD_HOURLY_SALES, source=SILVER_EVENTS, build=_hourly(transforms.hourly_sales)),
    GoldTable(name=GOLD_HOURLY_FUNNEL, source=SILVER_EVENTS, build=_hourly(transforms.hourly_funnel), adds_up=False),
    GoldTable(name=GOLD_PRODUCT_HOURLY, source=SILVER_EVENTS, build=_hourly(transforms.product_hourly)),
    GoldTable(name=GOLD_USER_HOURLY, source=SILVER_EVENTS, build=_hourly(transforms.user_hourly)),
)
SUMMARIES = (
    GoldTable(
        name=GOLD_CATEGORY_SALES,
        source=GOLD_PRODUCT_HOURLY,
        build=_hourly(transforms.category_sales),
        cells="event_date",
    ),
    GoldTable(
        name=GOLD_TOP_PRODUCTS,
        source=GOLD_PRODUCT_HOURLY,
        build=_listed(transforms.top_products),
        cells=None,
        adds_up=False,
    ),
    GoldTable(
        name=GOLD_TOP_USERS,
        source=GOLD_USER_HOURLY,
        build=_listed(transforms.top_users),
        cells=None,
        adds_up=False,
    ),
)
WAVES = (FACTS, SUMMARIES)
"""Tables in the order of their lineage: those of a wave depend on earlier waves only."""

Outcome = tuple[Refresh, list["Check"]] | AuditFailedError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a table lacks, found out from metadata.

    Attributes:
        source_snapshot: The snapshot of the source that is read.
        provenance: What the refreshed table will reflect.
        hours: Touched hours.
        whole: Whether everything is computed anew: a list, another code version, or a lost lineage.
    """

    source_snapshot: int
    provenance: Provenance
    hours: frozenset[int]
    whole: bool


def plan_refresh(source: "Table", target: "Table", gold: GoldTable) -> Plan | None:
    """Find out which hours of the source changed since the table was made; None if none did and all is current."""
    current, below = source.current_snapshot(), reflecting(source)
    summary = summary_of(reflecting(target))
    version = table_of(CONTRACTS[gold.name]).code_version
    seen = summary.get(SOURCE_SNAPSHOT)
    outdated = summary.get(CODE_VERSION, version) != version
    if current is None or (seen == str(current.snapshot_id) and not outdated):
        return None
    try:
        partitions, vanished = changed_partitions(source, after=int(seen)) if seen else (set(), {"everything"})
    except LineageLostError:
        partitions, vanished = set(), {"everything"}
    width = _PARTITION_HOURS[gold.source]
    touched = {part * width + hour for part in partitions for hour in range(width)}
    return Plan(
        source_snapshot=current.snapshot_id,
        provenance=Provenance(
            position=position_of(below),
            source_snapshot=current.snapshot_id,
            code_version=version,
            newest_record=moment_of(below, NEWEST_RECORD),
            newest_event=moment_of(below, NEWEST_EVENT),
        ),
        hours=frozenset(touched),
        # An hour that is gone from the source has no rows that could replace its old ones.
        whole=outdated or bool(vanished) or gold.cells is None,
    )


def refresh_gold(lake: "Lake", *, tables: Collection[str], run: str) -> Iterator[Outcome]:
    """Bring the named Gold tables up to Silver, wave by wave.

    Yields:
        For each table what was published and the checks it passed, or the error of its failed audit. Tables that are
        computed from a table whose audit failed are left alone: their source has not changed.
    """
    for wave in WAVES:
        chosen = [gold for gold in wave if gold.name in tables]
        if chosen:
            yield from _refresh_wave(lake, chosen, run=run)


def _refresh_wave(lake: "Lake", wave: list[GoldTable], *, run: str) -> Iterator[Outcome]:
    plans = {gold: plan_refresh(lake.table(gold.source), lake.table(gold.name), gold) for gold in wave}
    with ExitStack() as held, ThreadPoolExecutor(max_workers=_TABLES_AT_ONCE) as pool:
        sources: dict[tuple[str, int, bool, frozenset[int]], DataFrame] = {}
        refreshes = []
        for gold, plan in plans.items():
            if plan is None:
                yield unchanged(lake.table(gold.name), says=f"nothing new in {gold.source}"), []
                continue
            key = (gold.source, plan.source_snapshot, plan.whole, plan.hours)
            if key not in sources:
                sources[key] = _source_rows(lake, gold, plan).persist()
                held.callback(sources[key].unpersist)
            refreshes.append(pool.submit(partial(_refresh, lake, gold, plan, sources[key], run=run)))
        for refresh in as_completed(refreshes):
            yield refresh.result()


def _source_rows(lake: "Lake", gold: GoldTable, plan: Plan) -> "DataFrame":
    rows = lake.rows(gold.source, snapshot_id=plan.source_snapshot)
    return rows if plan.whole else rows.where(in_hours(_TIME[gold.source], plan.hours))


def _refresh(lake: "Lake", gold: GoldTable, plan: Plan, source: "DataFrame", *, run: str) -> Outcome:
    audit = lake.audit(gold.name, run=run)
    _write(lake, audit, gold, plan, gold.build(source, lake))
    written = audit.rows() if plan.whole or gold.cells is None else audit.rows().where(in_hours(gold.cells, plan.hours))
    contract = CONTRACTS[gold.name]
    checks = [check_contract(written, contract=contract), check_key_unique(written, contract=contract)]
    if gold.adds_up:
        expected = totals(source, **_TOTALS.get(gold.source, _GOLD_TOTALS))
        checks.append(check_totals(table=gold.name, expected=expected, found=totals(written, **_GOLD_TOTALS)))
    try:
        require(checks, table=gold.name, branch=audit.branch)
    except AuditFailedError as refused:
        return refused
    audit.publish()
    says = "computed as a whole" if plan.whole else f"{len(plan.hours):,} event hours recomputed"
    figures = {"rows_written": audit_rows(checks), "hours": len(plan.hours)}
    return published(lake.table(gold.name), says=says, metadata=figures), checks


def audit_rows(checks: list["Check"]) -> int:
    """Rows that the contract check looked at: those that the refresh wrote anew."""
    return int(checks[0].metadata["rows"])  # type: ignore[arg-type]


def _write(lake: "Lake", audit: "Audit", gold: GoldTable, plan: Plan, rows: "DataFrame") -> None:
    if plan.whole or gold.cells is None:
        audit.replace_all(rows, provenance=plan.provenance)
    elif not plan.hours:
        audit.append(rows.limit(0), provenance=plan.provenance)
    else:
        by_month = table_of(CONTRACTS[gold.name]).partitioned_by.startswith("months")
        partitions = months_of(plan.hours) if by_month else days_of(plan.hours)
        untouched = within(gold.cells, partitions) & ~in_hours(gold.cells, plan.hours)
        kept = lake.rows(gold.name).where(untouched)
        audit.replace_partitions(rows.unionByName(kept), provenance=plan.provenance)


def _newest_hour(lake: "Lake") -> "Column":
    """The newest hour that has events, from which the windows of the lists count back."""
    newest = lake.rows(GOLD_HOURLY_SALES).agg(F.max("event_hour")).first()
    return F.lit(newest[0] if newest is not None else None).cast("timestamp")
