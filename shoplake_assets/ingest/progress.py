"""What the ingest knows of itself.

Belongs here: the status, and the listener that keeps it and the metrics. Does not belong here: which metrics there are
(`metrics`), HTTP.
"""

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shoplake_assets.ingest.metrics import Metrics

if TYPE_CHECKING:
    from pyspark.sql.streaming.listener import StreamingQueryListener


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The generation of the checkpoint that this process has begun.

    Attributes:
        generation: Its number.
        began_at: When it was begun, UTC; whatever another application commits from then on is a second writer's.
        offsets: Where it begins, by partition.
        because: Why there.
    """

    generation: int
    began_at: str
    offsets: dict[str, int]
    because: str


@dataclass
class Status:
    """The `/status` document.

    Attributes:
        state: `starting`, `running` (the query is active) or `stopping`.
        pid: Process id of the ingest.
        since: When the process began, UTC.
        application_id: The Spark application, as Bronze's snapshots name it.
        query_id: Spark's id of the query; each start has a new one.
        checkpoint: The checkpoint's generation, where it begins and why.
        topic: The topic's name.
        topic_id: Kafka's id of it.
        snapshot_id: Bronze's snapshot when the process last looked whether somebody had rolled it back.
        last_trigger_at: When the query last looked for records, UTC; it beats also while there are none.
        last_batch: The newest micro-batch that had records: id, rows, seconds by phase, offsets after it.
        rows_total: Rows committed by this process.
    """

    state: str = "starting"
    pid: int = field(default_factory=os.getpid)
    since: str = field(default_factory=_now)
    application_id: str | None = None
    query_id: str | None = None
    checkpoint: Checkpoint | None = None
    topic: str | None = None
    topic_id: str | None = None
    snapshot_id: int | None = None
    last_trigger_at: str | None = None
    last_batch: dict[str, Any] | None = None
    rows_total: int = 0


class Progress:
    """The status and the metrics, written by the query's listener and read by the HTTP threads."""

    def __init__(self, *, trigger_seconds: float) -> None:
        self.metrics = Metrics(trigger_seconds=trigger_seconds)
        self._lock = threading.Lock()
        self._status = Status()

    def note(self, **changes: str | int | Checkpoint | None) -> None:
        """Change fields of the status."""
        with self._lock:
            for name, value in changes.items():
                setattr(self._status, name, value)

    def beat(self) -> None:
        """Record that the query looked for records."""
        self.note(last_trigger_at=_now())
        self.metrics.beat()

    def batch(self, report: dict[str, Any]) -> None:
        """Record a micro-batch from Spark's progress report; one without rows is just a beat."""
        self.beat()
        rows = int(report["numInputRows"])
        if not rows:
            return
        seconds = {phase: milliseconds / 1000 for phase, milliseconds in report["durationMs"].items()}
        offsets = _offsets(report["sources"][0]["endOffset"])
        with self._lock:
            self._status.rows_total += rows
            self._status.last_batch = {
                "id": report["batchId"],
                "rows": rows,
                "started_at": report["timestamp"],
                "seconds": seconds,
                "offsets": offsets,
            }
        self.metrics.batch(rows=rows, seconds=seconds, offsets=offsets)

    def document(self) -> dict[str, Any]:
        """The `/status` document as of now."""
        with self._lock:
            return asdict(self._status)


def listener(progress: Progress) -> "StreamingQueryListener":
    """Make the Spark listener that feeds the progress."""
    from pyspark.sql.streaming.listener import (
        QueryIdleEvent,
        QueryProgressEvent,
        QueryStartedEvent,
        QueryTerminatedEvent,
        StreamingQueryListener,
    )

    class _Listener(StreamingQueryListener):
        def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802  Spark's name
            progress.beat()

        def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802  Spark's name
            progress.batch(json.loads(event.progress.json))

        def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802  Spark's name
            progress.beat()

        def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802  Spark's name
            progress.note(state="stopping")

    return _Listener()


def _offsets(end: Any) -> dict[str, int]:
    """Next offset by partition, from Spark's `{topic: {partition: offset}}`, which is nested or a text of it."""
    tree = json.loads(end) if isinstance(end, str) else end
    return {partition: offset for inner in tree.values() for partition, offset in inner.items()}
