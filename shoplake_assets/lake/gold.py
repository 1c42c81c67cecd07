"""The refresh of Gold: exactly the hours that changed in a table's source, recomputed, audited and published.

Belongs here: which hours are recomputed, in which order, and what must add up. Does not belong here: how a figure is
computed (`transforms.gold`), or Dagster.

A touched hour is recomputed from all of its source rows, so late events are right and a repeated refresh changes
nothing. The tables of one wave do not depend on each other and are refreshed side by side.
"""

from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import table_of
from shoplake_assets.lake.audit import Provenance, again_where_main_moved
from shoplake_assets.lake.auditing import check_small_table, check_totals, totals
from shoplake_assets.lake.hours import SECONDS_PER_HOUR, days_of, hour_of, in_hours, months_of, within
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
    rearranges,
    reflecting,
    since,
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
    MADE_FROM,
    SILVER_EVENTS,
)
from shoplake_assets.transforms import gold as transforms

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pyiceberg.table import Table
    from pyspark.sql import Column, DataFrame

    from shoplake_assets.lake.audit import Audit
    from shoplake_assets.lake.auditing import Totals
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
# Of Silver, what some Gold table is computed from; what else a row has would be kept in memory for nothing.
_READ = (
    *("event_id", "event_time", "event_type", "user_id", "session_id"),
    *("product_id", "product_name", "category", "price", "quantity"),
)
_GOLD_TOTALS = {"purchases": "sum(purchases)", "units": "sum(units)", "revenue": "sum(revenue)"}
_TABLES_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class GoldTable:
    """How one Gold table is made.

    Attributes:
        name: The table.
        build: Its rows, from rows of the source and what they reflect.
        cells: The column that says which hour or day a row belongs to; None for a list that is replaced whole.
        adds_up: Whether its sales must equal those of the source.
    """

    name: str
    build: "Callable[[DataFrame, Provenance], DataFrame]"
    cells: str | None = "event_hour"
    adds_up: bool = True

    @property
    def source(self) -> str:
        """The table that it is computed from."""
        return MADE_FROM[self.name]


def _hourly(build: "Callable[[DataFrame], DataFrame]") -> "Callable[[DataFrame, Provenance], DataFrame]":
    return lambda rows, _provenance: build(rows)


def _listed(build: "Callable[..., DataFrame]") -> "Callable[[DataFrame, Provenance], DataFrame]":
    return lambda rows, provenance: build(rows, newest_hour=_newest_hour(provenance))


FACTS = (
    GoldTable(name=GOLD_HOURLY_SALES, build=_hourly(transforms.hourly_sales)),
    GoldTable(name=GOLD_HOURLY_FUNNEL, build=_hourly(transforms.hourly_funnel), adds_up=False),
    GoldTable(name=GOLD_PRODUCT_HOURLY, build=_hourly(transforms.product_hourly)),
    GoldTable(name=GOLD_USER_HOURLY, build=_hourly(transforms.user_hourly)),
)
SUMMARIES = (
    GoldTable(
        name=GOLD_CATEGORY_SALES,
        build=_hourly(transforms.category_sales),
        cells="event_date",
    ),
    GoldTable(
        name=GOLD_TOP_PRODUCTS,
        build=_listed(transforms.top_products),
        cells=None,
        adds_up=False,
    ),
    GoldTable(
        name=GOLD_TOP_USERS,
        build=_listed(transforms.top_users),
        cells=None,
        adds_up=False,
    ),
)
WAVES = (FACTS, SUMMARIES)
"""Tables in the order of their lineage: those of a wave depend on earlier waves only."""

Outcome = tuple[Refresh, list["Check"]] | AuditFailedError


class ConcurrentRefreshError(Exception):
    """Two refreshes of one table ran at once; the other one has published."""


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
        news = since(source, after=int(seen)) if seen else [current]
        if all(rearranges(snapshot) for snapshot in news) and not outdated:
            return None
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


def refresh_gold(lake: "Lake", *, tables: Collection[str], run: str) -> Generator[Outcome]:
    """Bring the named Gold tables up to Silver, wave by wave.

    It works on while the caller deals with what came, since Dagster takes its time to write a table's events down. A
    caller that gives up closes it, which waits until nothing is at work any more.

    Yields:
        For each table what was published and the checks it passed, or the error of its failed audit. Tables that are
        computed from a table whose audit failed are left alone: their source has not changed.
    """
    outcomes: Queue[Outcome | None] = Queue()

    def work() -> None:
        try:
            for wave in WAVES:
                chosen = [gold for gold in wave if gold.name in tables]
                if chosen:
                    for done in _refresh_wave(lake, chosen, run=run):
                        outcomes.put(done)
        finally:
            outcomes.put(None)

    with ThreadPoolExecutor(max_workers=1) as pool:
        working = pool.submit(work)
        while (outcome := outcomes.get()) is not None:
            yield outcome
        working.result()


def _refresh_wave(lake: "Lake", wave: list[GoldTable], *, run: str) -> Iterator[Outcome]:
    with ExitStack() as held, ThreadPoolExecutor(max_workers=_TABLES_AT_ONCE) as pool:
        sources: dict[tuple[str, int, bool, frozenset[int]], _Source] = {}
        refreshes = []
        for gold in wave:
            target = lake.conformed_table(gold.name)
            plan = plan_refresh(lake.table(gold.source), target, gold)
            if plan is None:
                yield unchanged(target, says=f"nothing new in {gold.source}"), []
                continue
            key = (gold.source, plan.source_snapshot, plan.whole, plan.hours)
            if key not in sources:
                sources[key] = _Source(_source_rows(lake, gold, plan))
                if gold.cells is not None:  # a list reads its source once
                    held.callback(sources[key].rows.persist().unpersist)
            if gold.adds_up and sources[key].totals is None:
                sums = _TOTALS.get(gold.source, _GOLD_TOTALS)
                sources[key].totals = pool.submit(totals, sources[key].rows, sums)
            expected = sources[key].totals if gold.adds_up else None
            refresh = _TableRefresh(lake, gold, plan, target, sources[key].rows, expected)
            refreshes.append(pool.submit(refresh.run, run))
        for refreshed in as_completed(refreshes):
            yield refreshed.result()


def _source_rows(lake: "Lake", gold: GoldTable, plan: Plan) -> "DataFrame":
    rows = lake.rows_of(lake.table(gold.source), snapshot_id=plan.source_snapshot)
    if gold.source == SILVER_EVENTS:
        rows = rows.select(*_READ)
    return rows if plan.whole else rows.where(in_hours(_TIME[gold.source], plan.hours))


@dataclass
class _Source:
    """Source rows that several tables of a wave share, and what their sales add up to, where one must equal that."""

    rows: "DataFrame"
    totals: "Future[Totals] | None" = None


@dataclass(frozen=True)
class _TableRefresh:
    """The refresh of one table."""

    lake: "Lake"
    gold: GoldTable
    plan: Plan
    target: "Table"
    source: "DataFrame"
    expected: "Future[Totals] | None"

    @again_where_main_moved
    def run(self, run: str) -> Outcome:
        """Write, audit, publish."""
        audit = self.lake.audit(self._target_now(), run=run)
        self._write(audit)
        sums = {name: F.expr(sql) for name, sql in _GOLD_TOTALS.items()} if self.gold.adds_up else {}
        checks, found = check_small_table(self._written(audit), contract=CONTRACTS[self.gold.name], sums=sums)
        if self.expected is not None:
            checks.append(check_totals(table=self.gold.name, expected=self.expected.result(), found=found))
        try:
            require(checks, table=self.gold.name, branch=audit.branch)
        except AuditFailedError as refused:
            return refused
        audit.publish()
        hours = len(self.plan.hours)
        says = "computed as a whole" if self.plan.whole else f"{hours:,} event hours recomputed"
        return published(self.lake.table(self.gold.name), says=says, metadata={"hours": hours}), checks

    def _target_now(self) -> "Table":
        """The table as of now, which reflects what it did when the refresh was planned: maintenance changes no row.

        Raises:
            ConcurrentRefreshError: Another refresh has published meanwhile, so that the plan no longer holds.
        """
        now = self.lake.table(self.gold.name)
        if reflecting(now) != reflecting(self.target):
            raise ConcurrentRefreshError(f"another refresh has published {self.gold.name}; refresh it again")
        return now

    def _write(self, audit: "Audit") -> None:
        plan, cells = self.plan, self.gold.cells
        rows = self.gold.build(self.source, plan.provenance)
        if plan.whole or cells is None:
            audit.replace_all(rows, provenance=plan.provenance)
        elif not plan.hours:
            audit.append(rows.limit(0), provenance=plan.provenance)
        else:
            by_month = table_of(CONTRACTS[self.gold.name]).partitioned_by.startswith("months")
            partitions = months_of(plan.hours) if by_month else days_of(plan.hours)
            untouched = within(cells, partitions) & ~in_hours(cells, plan.hours)
            old = self.lake.rows_of(self.target).where(untouched)
            audit.replace_partitions(rows.unionByName(old), provenance=plan.provenance)

    def _written(self, audit: "Audit") -> "DataFrame":
        if self.plan.whole or self.gold.cells is None:
            return audit.rows()
        return audit.rows().where(in_hours(self.gold.cells, self.plan.hours))


def _newest_hour(provenance: Provenance) -> "Column":
    """The hour of the newest event, from which the windows of the lists count back; null while there is none."""
    newest = provenance.newest_event
    seconds = None if newest is None else hour_of(newest) * SECONDS_PER_HOUR
    return F.timestamp_seconds(F.lit(seconds))
