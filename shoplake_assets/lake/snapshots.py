"""What Iceberg's metadata tells without reading a row.

Belongs here: reading snapshots, their summaries and the entries of their manifests with pyiceberg. Work here grows
with the number of new files, not with the size of the lake. Does not belong here: any decision.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shoplake_assets.lake.position import Position

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

# Keys that Shoplake adds to a snapshot's summary.
POSITION = "shoplake.position"
SOURCE_SNAPSHOT = "shoplake.source-snapshot-id"
CODE_VERSION = "shoplake.code-version"
DUPLICATES = "shoplake.duplicates"
TOTAL_DUPLICATES = "shoplake.total-duplicates"
NEWEST_RECORD = "shoplake.newest-record"
NEWEST_EVENT = "shoplake.newest-event"
RECORDS = "shoplake.records"
CONFLICTS = "shoplake.conflicts"
TOTAL_CONFLICTS = "shoplake.total-conflicts"
ACCEPTANCE = "shoplake.accepted"
REPLAYED = "shoplake.replayed-quarantine"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LineageLostError(LookupError):
    """A snapshot that was once current is no longer among the ancestors: expired, or rolled back."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One snapshot of Bronze that the stream added.

    Attributes:
        snapshot_id: Iceberg's id of it.
        committed_at: When it became visible, UTC.
        rows: Rows added.
        application_id: The Spark application that wrote it.
        ranges: For each data file: topic partition, first and last offset, and rows.
    """

    snapshot_id: int
    committed_at: datetime
    rows: int
    application_id: str
    ranges: tuple["OffsetRange", ...]


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class OffsetRange:
    """The offsets in one Bronze data file; contiguous when `rows` fills the range."""

    topic_id: str
    partition: int
    first: int
    last: int
    rows: int
    newest: datetime


def summary_of(snapshot: "Snapshot | None") -> dict[str, str]:
    """Summary of a snapshot as plain keys and values; empty for none."""
    if snapshot is None or snapshot.summary is None:
        return {}
    return dict(snapshot.summary.additional_properties)


def position_of(snapshot: "Snapshot | None") -> Position:
    """The position that a Silver or Gold snapshot carries."""
    return Position.from_json(summary_of(snapshot).get(POSITION))


def reflecting(table: "Table", *, at: int | None = None) -> "Snapshot | None":
    """The newest ancestor of a snapshot (the current one by default) that carries a position.

    A commit that only rearranges or removes rows, by maintenance or by hand, carries none: what the table reflects has
    not changed.
    """
    snapshot = table.current_snapshot() if at is None else table.snapshot_by_id(at)
    while snapshot is not None and POSITION not in summary_of(snapshot):
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return snapshot


def snapshot_id_of(table: "Table") -> int:
    """Id of the current snapshot.

    Raises:
        LookupError: The table has none; `prepare_lake` gives every table one but Bronze.
    """
    current = table.current_snapshot()
    if current is None:
        raise LookupError(f"{'.'.join(table.name()[-2:])} has no snapshot; 'shoplake up' makes it")
    return current.snapshot_id


def committed_at(snapshot: "Snapshot") -> datetime:
    """When the snapshot was committed, UTC."""
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)


def moment_of(snapshot: "Snapshot | None", key: str) -> datetime | None:
    """A moment that the summary carries under `NEWEST_RECORD` or `NEWEST_EVENT`, UTC."""
    text = summary_of(snapshot).get(key)
    return datetime.fromisoformat(text) if text else None


def rows_of(snapshot: "Snapshot | None") -> int:
    """Rows in the table as of the snapshot."""
    return int(summary_of(snapshot).get("total-records", 0))


def since(table: "Table", *, after: int | None, until: int | None = None) -> list["Snapshot"]:
    """Ancestors of `until` (the current snapshot by default) down to, and without, `after`; oldest first.

    Raises:
        LineageLostError: `after` is no ancestor; the caller has to look at the whole table.
    """
    # pyiceberg looks for a snapshot through all of them, which for each of thousands of ancestors takes minutes.
    known = {snapshot.snapshot_id: snapshot for snapshot in table.metadata.snapshots}
    found: list[Snapshot] = []
    newest = until if until is not None else table.metadata.current_snapshot_id
    snapshot = known.get(newest) if newest is not None else None
    while snapshot is not None and snapshot.snapshot_id != after:
        found.append(snapshot)
        parent = snapshot.parent_snapshot_id
        snapshot = known.get(parent) if parent is not None else None
        if snapshot is None and after is not None:
            raise LineageLostError(f"snapshot {after} is not among the ancestors that {table.name()} still has")
    return found[::-1]


def changed_partitions(table: "Table", *, after: int) -> tuple[set[Any], set[Any]]:
    """Values of the (only) partition field, for what changed after a snapshot.

    Returns:
        The partitions in which files were added, and those that lost files and gained none: they may be gone.

    Raises:
        LineageLostError: `after` is no ancestor of the current snapshot.
    """
    gained: set[Any] = set()
    lost: set[Any] = set()
    for _, file, added in _changed_files(table, since(table, after=after)):
        (gained if added else lost).add(file.partition[0])
    return gained, lost - gained


def added_files(table: "Table", snapshots: Iterable["Snapshot"]) -> Iterator[tuple[int, "DataFile"]]:
    """Data files that each of the snapshots added, with the snapshot's id; reads only their own manifests."""
    return ((snapshot_id, file) for snapshot_id, file, added in _changed_files(table, snapshots) if added)


def rearranges(snapshot: "Snapshot") -> bool:
    """Whether the snapshot holds the very rows of its parent in other files, as compaction leaves them."""
    from pyiceberg.table.snapshots import Operation

    return snapshot.summary is not None and snapshot.summary.operation == Operation.REPLACE


def _changed_files(table: "Table", snapshots: Iterable["Snapshot"]) -> Iterator[tuple[int, "DataFile", bool]]:
    """Data files that each of the snapshots added (True) or removed (False); no row has changed by compaction."""
    from pyiceberg.manifest import ManifestContent, ManifestEntryStatus

    for snapshot in snapshots:
        if rearranges(snapshot):
            continue
        for manifest in snapshot.manifests(table.io):
            if manifest.added_snapshot_id != snapshot.snapshot_id or manifest.content != ManifestContent.DATA:
                continue
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.status != ManifestEntryStatus.EXISTING:
                    yield snapshot.snapshot_id, entry.data_file, entry.status == ManifestEntryStatus.ADDED


def live_files(
    table: "Table", snapshot: "Snapshot", *, partitions: Collection[int] | None = None
) -> Iterator["DataFile"]:
    """Data files that the snapshot consists of.

    Args:
        table: The table.
        snapshot: One of its snapshots.
        partitions: Values of the (only) partition field, hours or days; only manifests that may have files of theirs
            are read. None means all, which grows with the table: for first looks and lost lineages.
    """
    from pyiceberg.manifest import ManifestContent

    for manifest in snapshot.manifests(table.io):
        if manifest.content == ManifestContent.DATA and (partitions is None or _may_hold(manifest, partitions)):
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                if partitions is None or entry.data_file.partition[0] in partitions:
                    yield entry.data_file


def _may_hold(manifest: "ManifestFile", partitions: Collection[int]) -> bool:
    """Whether files of one of the partitions may be in the manifest, by what its list says of it."""
    if not manifest.partitions:
        return True
    lower, upper = manifest.partitions[0].lower_bound, manifest.partitions[0].upper_bound
    if lower is None or upper is None:
        return True
    # Hours and days are Iceberg's int: four bytes, the lowest first.
    first, last = (int.from_bytes(bound, "little", signed=True) for bound in (lower, upper))
    return any(first <= partition <= last for partition in partitions)


def commits(table: "Table", snapshots: list["Snapshot"]) -> list[Commit]:
    """What the stream committed in the given Bronze snapshots; those that added no row are left out."""
    schema = table.schema()
    ranges: dict[int, list[OffsetRange]] = {}
    for snapshot_id, file in added_files(table, snapshots):
        ranges.setdefault(snapshot_id, []).append(offset_range(file, schema))
    return [
        Commit(
            snapshot_id=snapshot.snapshot_id,
            committed_at=committed_at(snapshot),
            rows=sum(part.rows for part in ranges[snapshot.snapshot_id]),
            application_id=summary_of(snapshot).get("spark.app.id", ""),
            ranges=tuple(sorted(ranges[snapshot.snapshot_id])),
        )
        for snapshot in snapshots
        if snapshot.snapshot_id in ranges
    ]


def offset_range(file: "DataFile", schema: "Schema") -> OffsetRange:
    """The offsets in a Bronze data file, from its column bounds.

    Exact, because the stream writes one Kafka partition to a file and offsets are numbers, whose bounds Iceberg keeps
    whole. A topic id has 22 characters, which is more than the 16 that Iceberg keeps of a text's bounds by default:
    Bronze keeps them whole by its `write.metadata.metrics.column.topic_id`.
    """
    first, last = bounds(file, schema, "offset")
    partition, last_partition = bounds(file, schema, "partition")
    topic_id, last_topic = bounds(file, schema, "topic_id")
    if partition != last_partition or topic_id != last_topic:
        raise LineageLostError(f"{file.file_path} holds more than one Kafka partition")
    _, newest = bounds(file, schema, "kafka_timestamp")
    return OffsetRange(
        topic_id=topic_id,
        partition=partition,
        first=first,
        last=last,
        rows=file.record_count,
        newest=_EPOCH + timedelta(microseconds=newest),
    )


def position_after(ranges: Iterable[OffsetRange]) -> Position:
    """The position right behind the given ranges."""
    offsets: dict[tuple[str, int], int] = {}
    for part in ranges:
        key = (part.topic_id, part.partition)
        offsets[key] = max(offsets.get(key, 0), part.last + 1)
    return Position(offsets)


def bounds(file: "DataFile", schema: "Schema", column: str) -> tuple[Any, Any]:
    """Smallest and largest value of a column in a data file, as Iceberg's metadata has them."""
    from pyiceberg.conversions import from_bytes
    from pyiceberg.types import PrimitiveType

    field = schema.find_field(column)
    if not isinstance(field.field_type, PrimitiveType):
        raise TypeError(f"{column} is nested; Iceberg keeps no bounds of it")
    lower, upper = file.lower_bounds[field.field_id], file.upper_bounds[field.field_id]
    return from_bytes(field.field_type, lower), from_bytes(field.field_type, upper)
