"""The newest rows of Silver: files that were read are not read again.

Belongs here: which files hold them, and keeping what was read. Does not belong here: what is computed from them
(`live.numbers`). A snapshot of Silver consists of files that never change; one that is new has little but new files, so
that following Silver costs what is new, not what is there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, Or
from pyiceberg.io.pyarrow import ArrowScan

from shoplake_assets.dashboard.live.numbers import HOUR, SPAN, STEP, hour_of
from shoplake_assets.events.shape import EventType
from shoplake_assets.lake.snapshots import NEWEST_EVENT, NEWEST_RECORD, moment_of, reflecting

if TYPE_CHECKING:
    from pyiceberg.table import Table

_COLUMNS = (
    "event_time",
    "event_type",
    "user_id",
    "session_id",
    "product_id",
    "product_name",
    "category",
    "price",
    "quantity",
    "partition",
    "offset",
)
# Kafka tells arrivals in whole milliseconds, cut short: only what a shopper did later than within the same one has come
# from a clock that is fast.
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Recent:
    """The newest rows of a snapshot of Silver.

    Attributes:
        snapshot_id: The snapshot.
        now: The newest event that counts as such, UTC; see `live.numbers`.
        rows: Every event of the last `SPAN`, and the purchases of the running hour and of the one before.
    """

    snapshot_id: int
    now: datetime
    rows: pa.Table


class RecentEvents:
    """Follows the newest rows of Silver from snapshot to snapshot."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._paths: frozenset[str] = frozenset()
        self._known: Recent | None = None

    def of(self, silver: "Table") -> Recent | None:
        """The newest rows as of the table's current snapshot; None while no refresh has published anything."""
        snapshot, source = silver.current_snapshot(), reflecting(silver)
        event, record = moment_of(source, NEWEST_EVENT), moment_of(source, NEWEST_RECORD)
        if snapshot is None or event is None:
            return None
        now = event if record is None or event < record + _MILLISECOND else record
        with self._lock:
            if self._known is None or self._known.snapshot_id != snapshot.snapshot_id:
                rows = self._read(silver, now=now)
                self._known = Recent(snapshot_id=snapshot.snapshot_id, now=now, rows=rows)
            return self._known

    def _read(self, silver: "Table", *, now: datetime) -> pa.Table:
        wanted = Or(
            GreaterThanOrEqual(term="event_time", value=_all_from(now).isoformat()),
            And(
                GreaterThanOrEqual(term="event_time", value=_purchases_from(now).isoformat()),
                EqualTo(term="event_type", value=EventType.PURCHASE.value),
            ),
        )
        scan = silver.scan(row_filter=wanted, selected_fields=_COLUMNS)
        tasks = {task.file.file_path: task for task in scan.plan_files()}
        reading = ArrowScan(silver.metadata, silver.io, scan.projection(), wanted)
        # Files go when maintenance puts them together, and when an hour is over; what was read of them goes with them.
        # A table that was set back needs rows that were left out.
        goes_on = self._known is not None and self._paths <= tasks.keys() and self._known.now <= now
        new = tasks.keys() - self._paths if goes_on else tasks.keys()
        # The writer of a file decides which of Arrow's types of text it is read as; one type can be put together.
        one_type = silver.schema().select(*_COLUMNS).as_arrow()
        rows = reading.to_table([tasks[path] for path in new]).select(list(_COLUMNS)).cast(one_type)
        if goes_on and self._known is not None:
            rows = pa.concat_tables([_still_wanted(self._known.rows, now=now), rows])
        self._paths = frozenset(tasks)
        return rows


def _all_from(now: datetime) -> datetime:
    return now - SPAN - STEP


def _purchases_from(now: datetime) -> datetime:
    return hour_of(now) - HOUR


def _still_wanted(rows: pa.Table, *, now: datetime) -> pa.Table:
    at = rows["event_time"]
    recent = pc.greater_equal(at, pa.scalar(_all_from(now), at.type))
    return rows.filter(pc.or_(recent, pc.equal(rows["event_type"], EventType.PURCHASE.value)))
