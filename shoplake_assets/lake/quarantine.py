"""What is in quarantine and why, as people ask for it.

Belongs here: reading `silver.quarantine`, its branches included, and what a run accepted, with pyiceberg alone, so that
it works while everything is down. Does not belong here: filling or replaying the quarantine (`lake.silver`), or how
findings are shown.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyiceberg.io.pyarrow import ArrowScan

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.branches import audit_branches
from shoplake_assets.lake.payloads import MOST_BYTES, shortened
from shoplake_assets.lake.snapshots import ACCEPTANCE, rows_of, since, snapshot_id_of, summary_of

if TYPE_CHECKING:
    from pyiceberg.table import DataScan, FileScanTask, Table

    Coordinates = tuple[str, int, int]

_COORDINATES = ("topic_id", "partition", "offset")
_KEYS = pa.schema([("topic_id", pa.large_string()), ("partition", pa.int32()), ("offset", pa.int64())])
_NEWEST_FIRST = [("kafka_timestamp", "descending"), ("partition", "ascending"), ("offset", "descending")]
# Files are read together up to so many rows, and one after the other beyond: many small ones are fast, and memory does
# not grow with the table.
_ROWS_AT_ONCE = 200_000


@dataclass(frozen=True, kw_only=True)
class Example:
    """A quarantined record; its payload shortened, and harmless on a terminal."""

    topic_id: str
    partition: int
    offset: int
    kafka_timestamp: datetime
    payload: str


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why records are in quarantine.

    Attributes:
        reason: The rule that they break.
        records: How many do; a record that breaks two rules counts under both.
        examples: The newest of them.
    """

    reason: str
    records: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is in quarantine.

    Attributes:
        records: Records, each counted once.
        reasons: Their reasons, the most frequent first.
    """

    records: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Unpublished:
    """A refresh that is not published, because it was blocked or is still under way.

    Attributes:
        branch: Where it can be looked at.
        records: Records that would be in quarantine.
        published: Records that are.
    """

    branch: str
    records: int
    published: int


def findings(table: "Table", *, branch: str | None = None, containing: str = "", examples: int) -> Findings:
    """Count reasons, and pick their newest records.

    Args:
        table: The quarantine.
        branch: Look at the records that this branch has and `main` has not, in place of those in `main`.
        containing: Leave out reasons that do not contain this text, in whatever case.
        examples: How many records to pick for each reason.

    Raises:
        ShoplakeError: There is no such branch.
    """
    snapshot_id = snapshot_id_of(table) if branch is None else _snapshot_of(table, branch)
    columns = (*_COORDINATES, "kafka_timestamp", "reasons")
    scan = table.scan(snapshot_id=snapshot_id, selected_fields=columns)
    base = None if branch is None else table.scan(snapshot_id=snapshot_id_of(table), selected_fields=_COORDINATES)
    tally = _Tally(containing=containing, examples=examples)
    for rows in _rows_beyond(table, scan, base=base):
        tally.add(rows)
    payloads = _payloads(table, snapshot_id, {_key(row) for rows in tally.newest.values() for row in rows})
    reasons = [
        Reason(
            reason=reason,
            records=count,
            examples=tuple(Example(**row, payload=payloads[_key(row)]) for row in tally.newest.get(reason, ())),
        )
        for reason, count in tally.counts.items()
    ]
    return Findings(records=tally.records, reasons=tuple(sorted(reasons, key=lambda one: (-one.records, one.reason))))


def unpublished(table: "Table") -> Unpublished | None:
    """The newest refresh that is newer than what is published; from metadata alone."""
    current = table.current_snapshot()
    for branch, snapshot in audit_branches(table).items():
        if current is None or snapshot.timestamp_ms > current.timestamp_ms:
            return Unpublished(branch=branch, records=rows_of(snapshot), published=rows_of(current))
    return None


def acceptance_by(events: "Table", *, run: str, after: int) -> Mapping[str, Any] | None:
    """What a run accepted beyond the limits, as the snapshot of Silver says that it published; None if nothing.

    Args:
        events: `silver.events`.
        run: The run, as branches are named after it.
        after: A snapshot that was current before the run.
    """
    for snapshot in since(events, after=after):
        entry: dict[str, Any] = json.loads(summary_of(snapshot).get(ACCEPTANCE, "{}"))
        if entry.get("run") == run:
            return entry
    return None


class _Tally:
    """Counts and newest records by reason; its size depends on the number of rules, not of rows."""

    def __init__(self, *, containing: str, examples: int) -> None:
        self._containing = containing
        self._examples = examples
        self.records = 0
        self.counts: dict[str, int] = {}
        self.newest: dict[str, list[dict[str, Any]]] = {}

    def add(self, rows: pa.Table) -> None:
        """Take in rows with coordinates, Kafka time and reasons."""
        reasons = rows["reasons"].combine_chunks()
        given = {"row": pc.list_parent_indices(reasons), "reason": pc.list_flatten(reasons)}
        pairs = pa.table(given).filter(pc.match_substring(pc.field("reason"), self._containing, ignore_case=True))
        # A record counts once for a reason, even if it should name it twice.
        pairs = pairs.group_by(["reason", "row"]).aggregate([])
        self.records += pc.count_distinct(pairs["row"]).as_py()
        found = pairs.group_by("reason").aggregate([("row", "list")])
        for reason, numbers in zip(found["reason"].to_pylist(), found["row_list"], strict=True):
            self.counts[reason] = self.counts.get(reason, 0) + len(numbers)
            if self._examples:
                self._pick(reason, rows.drop_columns("reasons").take(numbers.values))

    def _pick(self, reason: str, rows: pa.Table) -> None:
        known = [pa.Table.from_pylist(self.newest[reason], schema=rows.schema)] if reason in self.newest else []
        candidates = pa.concat_tables([*known, rows])
        newest = pc.select_k_unstable(candidates, k=self._examples, sort_keys=_NEWEST_FIRST)
        self.newest[reason] = candidates.take(newest).to_pylist()


def _snapshot_of(table: "Table", branch: str) -> int:
    snapshot = table.snapshot_by_name(branch)
    if snapshot is None:
        names = ", ".join(audit_branches(table)) or "none, every refresh was published"
        raise ShoplakeError(f"there is no branch {branch} of the quarantine. Those that exist: {names}.")
    return snapshot.snapshot_id


def _rows_beyond(table: "Table", scan: "DataScan", *, base: "DataScan | None") -> Iterator[pa.Table]:
    """The rows that a scan finds and the base does not have.

    A refresh adds files; a rebuild or a replay also rewrites some, with rows in them that the base has. A record is in
    the same day of both, so days are compared one by one, and only where files were rewritten.
    """
    files, there = _files(scan), {} if base is None else _files(base)
    rewritten = [task for path, task in there.items() if path not in files]
    new = sorted((task for path, task in files.items() if path not in there), key=_day)
    for day, tasks in groupby(new, key=_day):
        parts = [] if base is None else _read(table, base, (task for task in rewritten if _day(task) == day))
        known = pa.concat_tables([_KEYS.empty_table(), *(_keys(part) for part in parts)])
        for rows in _read(table, scan, tasks):
            yield _without(rows, known) if len(known) else rows


def _files(scan: "DataScan") -> "dict[str, FileScanTask]":
    return {task.file.file_path: task for task in scan.plan_files()}


def _day(task: "FileScanTask") -> int:
    day: int = task.file.partition[0]
    return day


def _without(rows: pa.Table, known: pa.Table) -> pa.Table:
    numbered = _keys(rows).append_column("row", pa.arange(0, len(rows)))
    left = numbered.join(known, list(_COORDINATES), join_type="left anti")
    return rows.take(left["row"])


def _keys(rows: pa.Table) -> pa.Table:
    return rows.select(_COORDINATES).cast(_KEYS)


def _read(table: "Table", scan: "DataScan", tasks: "Iterable[FileScanTask]") -> Iterator[pa.Table]:
    """The rows of the files, in parts of bounded size."""
    reader = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter)
    for together in _bundles(tasks):
        rows = reader.to_table(together)
        if len(rows):
            yield rows.combine_chunks()


def _bundles(tasks: "Iterable[FileScanTask]") -> "Iterator[list[FileScanTask]]":
    bundle: list[FileScanTask] = []
    rows = 0
    for task in tasks:
        rows += task.file.record_count
        if bundle and rows > _ROWS_AT_ONCE:
            yield bundle
            bundle, rows = [], task.file.record_count
        bundle.append(task)
    if bundle:
        yield bundle


def _payloads(table: "Table", snapshot_id: int, wanted: "set[Coordinates]") -> "dict[Coordinates, str]":
    """The payloads of a few records, shortened; read from no more files than can hold them."""
    if not wanted:
        return {}
    # In other partitions other records have these offsets, too.
    offsets = ", ".join(sorted({str(offset) for _, _, offset in wanted}))
    scan = table.scan(f"offset in ({offsets})", selected_fields=(*_COORDINATES, "payload"), snapshot_id=snapshot_id)
    return {
        key: shortened(row["payload"] and row["payload"][:MOST_BYTES])
        for task in scan.plan_files()  # one by one: payloads may be large
        for rows in _read(table, scan, [task])
        for row in rows.to_pylist()
        if (key := _key(row)) in wanted
    }


def _key(row: Mapping[str, Any]) -> "Coordinates":
    return row["topic_id"], row["partition"], row["offset"]
