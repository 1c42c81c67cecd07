"""What Prometheus is told of the ingest.

Belongs here: the metrics, their names and buckets. Does not belong here: where their values come from (`progress`).
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_BATCH_BUCKETS = (0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60)
_PHASE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WHOLE = "triggerExecution"  # Spark's name for all phases together


class Metrics:
    """The metrics of one ingest, in a registry of their own."""

    def __init__(self, *, trigger_seconds: float) -> None:
        """Make them.

        Args:
            trigger_seconds: Seconds between two micro-batches; a batch that takes longer lets the next one wait.
        """
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Gauge(
            "shoplake_ingest_trigger_interval_seconds",
            "Time between the beginnings of two micro-batches.",
            registry=self.registry,
        ).set(trigger_seconds)
        self._events = Counter("shoplake_ingest_events", "Events committed to Bronze.", registry=self.registry)
        self._batches = Histogram(
            "shoplake_ingest_batch_duration_seconds",
            "Duration of micro-batches that had records.",
            buckets=_BATCH_BUCKETS,
            registry=self.registry,
        )
        self._phases = Histogram(
            "shoplake_ingest_phase_duration_seconds",
            "Duration of the phases of micro-batches that had records, by Spark's names: addBatch writes files and "
            "commits them, walCommit and commitOffsets write the checkpoint.",
            labelnames=("phase",),
            buckets=_PHASE_BUCKETS,
            registry=self.registry,
        )
        self._trigger = Gauge(
            "shoplake_ingest_last_trigger_timestamp_seconds",
            "When the query last looked for records.",
            registry=self.registry,
        )
        self._offset = Gauge(
            "shoplake_ingest_next_offset",
            "Next offset to be read, by partition.",
            labelnames=("partition",),
            registry=self.registry,
        )

    def beat(self) -> None:
        """Record that the query looked for records."""
        self._trigger.set_to_current_time()

    def batch(self, *, rows: int, seconds: Mapping[str, float], offsets: Mapping[str, int]) -> None:
        """Record a micro-batch that had records.

        Args:
            rows: How many.
            seconds: Its durations, by Spark's names.
            offsets: The next offsets, by partition.
        """
        self._events.inc(rows)
        self._batches.observe(seconds[_WHOLE])
        for phase, duration in seconds.items():
            if phase != _WHOLE:
                self._phases.labels(phase).observe(duration)
        for partition, offset in offsets.items():
            self._offset.labels(partition).set(offset)
