"""The metrics of a lake, made from one look at it.

Belongs here: names, labels and buckets. Does not belong here: what is known of a lake (`health`), the ingest's own
metrics (`ingest.metrics`). A value that is not known is left out: an absent series alerts, a zero would lie.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from shoplake_assets.health.state import Freshness, Pulse, Source
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from flask import Flask
    from prometheus_client.metrics_core import Metric

    from shoplake_assets.health.reader import HealthReader
    from shoplake_assets.health.state import CheckHealth, Health, TableHealth

Labelled = Iterable[tuple[tuple[str, ...], float | None]]
"""Values with the values of their labels; what is None is not known."""

_REFRESH_BUCKETS = (2.5, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600)
# Reasons are the names of rules, which are few; but Prometheus must outlive even a contract that has gone astray.
_MOST_REASONS = 50
_OTHER_REASONS = "(others)"


def register(server: "Flask", reader: "HealthReader") -> None:
    """Let the server answer `GET /metrics`."""
    from flask import Response

    registry = lake_registry(reader.look)

    @server.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def lake_registry(look: "Callable[[], Health]") -> CollectorRegistry:
    """The metrics of a lake, and those of the process that looks at it."""
    registry = CollectorRegistry()
    registry.register(LakeCollector(look))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class LakeCollector(Collector):
    """Looks at the lake whenever Prometheus asks.

    Refreshes that ended before it was made are not observed, so that a restart of the process counts none again.

    Args:
        look: Looks at the lake.
    """

    def __init__(self, look: "Callable[[], Health]") -> None:
        self._look = look
        self._since = datetime.now(UTC)
        self._observed: set[str] = set()
        self._lock = Lock()
        self._durations = Histogram(
            "shoplake_refresh_duration_seconds",
            "Duration of the finished runs that refresh Silver and Gold, from their start to their end.",
            labelnames=("result",),
            buckets=_REFRESH_BUCKETS,
            registry=None,
        )
        for result in ("success", "failure"):
            self._durations.labels(result)

    def collect(self) -> "Iterator[Metric]":
        """All metrics, as of now."""
        health = self._look()
        with self._lock:
            self._observe(health)
            durations = list(self._durations.collect())
        yield from _tables(health)
        yield from _records(health)
        yield from _checks(health)
        yield from durations
        yield from _processes(health)
        yield from _whole(health)

    def _observe(self, health: "Health") -> None:
        """Observe each finished refresh once; nothing is learnt from a Dagster that does not answer."""
        if not health.refreshes:
            return
        for run in health.refreshes:
            if run.run_id not in self._observed and run.ended_at >= self._since:
                self._durations.labels("success" if run.succeeded else "failure").observe(run.seconds)
        self._observed = {run.run_id for run in health.refreshes}


def _tables(health: "Health") -> "Iterator[Metric]":
    def each(name: str, documentation: str, of: "Callable[[TableHealth], float | None]") -> "Metric":
        values = (((table,), of(found)) for table, found in health.tables.items())
        return _gauge(name, documentation, labels=("table",), values=values)

    yield each("shoplake_table_rows", "Rows in a table.", lambda table: table.rows)
    yield each("shoplake_table_files", "Data files of a table.", lambda table: table.files)
    yield each("shoplake_table_size_bytes", "Size of a table's data files.", lambda table: table.size_bytes)
    yield each("shoplake_table_snapshots", "Snapshots of a table that can be read.", lambda table: table.snapshots)
    yield each("shoplake_table_lag_events", "Events of Kafka that a table lacks.", lambda table: table.lag_events)
    yield each(
        "shoplake_table_lag_seconds",
        "Age of the newest record that a table reflects; 0 where it lacks nothing.",
        lambda table: table.lag_seconds,
    )
    yield each(
        "shoplake_table_last_commit_timestamp_seconds",
        "When a table's current snapshot was committed.",
        lambda table: _epoch(table.committed_at),
    )
    known = {Freshness.FRESH: 0.0, Freshness.STALE: 1.0}
    yield _gauge(
        "shoplake_table_stale",
        "Whether Dagster says that a table's freshness policy is violated.",
        labels=("table",),
        values=(((table,), known.get(freshness)) for table, freshness in health.freshness.items()),
    )


def _records(health: "Health") -> "Iterator[Metric]":
    fates = {SILVER_EVENTS: "silver", SILVER_QUARANTINE: "quarantine"}
    ended = {fate: health.tables[table].rows for table, fate in fates.items() if table in health.tables}
    yield _counter(
        "shoplake_records_total",
        "Records of Bronze by where they ended; a replay of the quarantine moves some of them.",
        labels=("fate",),
        values=(((fate,), count) for fate, count in {**ended, "duplicate": _duplicates(health)}.items()),
    )
    reasons = health.quarantine.reasons if health.quarantine is not None else ()
    named = {one.reason: one.records for one in reasons[:_MOST_REASONS]}
    if others := reasons[_MOST_REASONS:]:
        named[_OTHER_REASONS] = sum(one.records for one in others)
    yield _gauge(
        "shoplake_quarantine_records",
        "Records in quarantine by the rule that they break; who breaks two counts under both.",
        labels=("reason",),
        values=(((reason,), count) for reason, count in named.items()),
    )
    yield _gauge(
        "shoplake_late_share",
        "Share of late events in the newest refresh of Silver, from 0 to 1.",
        values=[((), health.late_share)],
    )
    lost = {"true": 0, "false": 0}
    for gap in health.gaps:
        lost["false" if gap.acknowledged_at is None else "true"] += gap.events
    yield _gauge(
        "shoplake_gap_events",
        "Events that were gone from Kafka before they could be read.",
        labels=("acknowledged",),
        values=(((word,), count) for word, count in lost.items()) if health.tables else (),
    )


def _duplicates(health: "Health") -> int | None:
    return health.duplicates if SILVER_EVENTS in health.tables else None


def _checks(health: "Health") -> "Iterator[Metric]":
    yield _gauge(
        "shoplake_check_passed",
        "Whether the last finished evaluation of a check passed.",
        labels=("table", "check", "blocking", "severity"),
        values=((_check_labels(check), check.passed) for check in health.checks),
    )
    yield _gauge(
        "shoplake_check_evaluated_timestamp_seconds",
        "When a check was last evaluated.",
        labels=("table", "check"),
        values=(((check.table, check.name), _epoch(check.at)) for check in health.checks),
    )


def _check_labels(check: "CheckHealth") -> tuple[str, ...]:
    severity = "error" if check.severe else "warning"
    return check.table, check.name, "true" if check.blocking else "false", severity


def _processes(health: "Health") -> "Iterator[Metric]":
    states, usage = health.processes.items(), health.usage.items()
    labels = ("process",)
    yield _gauge(
        "shoplake_process_up",
        "Whether a process runs and is ready to serve.",
        labels=labels,
        values=(((name,), state.state == "running") for name, state in states),
    )
    yield _counter(
        "shoplake_process_restarts_total",
        "How often a process was started again since the lake was.",
        labels=labels,
        values=(((name,), state.restarts) for name, state in states),
    )
    yield _gauge(
        "shoplake_process_resident_memory_bytes",
        "Memory of a process, without what it has started.",
        labels=labels,
        values=(((name,), used.resident_bytes) for name, used in usage),
    )
    yield _counter(
        "shoplake_process_cpu_seconds_total",
        "Processor time of a process since it was started, without what it has started.",
        labels=labels,
        values=(((name,), used.cpu_seconds) for name, used in usage),
    )


def _whole(health: "Health") -> "Iterator[Metric]":
    yield _gauge(
        "shoplake_disk_free_bytes",
        "Free space where the lake's home is.",
        values=[((), health.disk.free_bytes)],
    )
    yield _gauge(
        "shoplake_disk_size_bytes",
        "Size of the file system that the lake's home is on.",
        values=[((), health.disk.size_bytes)],
    )
    yield _gauge(
        "shoplake_stream_pulse",
        "How the stream is: 1 for the word that holds.",
        labels=("pulse",),
        values=(((pulse,), pulse is health.stream.pulse) for pulse in Pulse),
    )
    yield _gauge(
        "shoplake_source_answers",
        "Whether a part of the lake answers when it is asked how it is.",
        labels=("source",),
        values=(((source,), source not in health.troubles) for source in Source),
    )


def _gauge(name: str, documentation: str, *, values: Labelled, labels: tuple[str, ...] = ()) -> "Metric":
    return _filled(GaugeMetricFamily(name, documentation, labels=labels), values)


def _counter(name: str, documentation: str, *, values: Labelled, labels: tuple[str, ...]) -> "Metric":
    return _filled(CounterMetricFamily(name, documentation, labels=labels), values)


def _filled(family: "CounterMetricFamily | GaugeMetricFamily", values: Labelled) -> "Metric":
    for labels, value in values:
        if value is not None:
            family.add_metric(labels, float(value))
    return family


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
