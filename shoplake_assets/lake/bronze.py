"""What Bronze's metadata says: how far it reaches.

Belongs here: Bronze's position, from the bounds of `offset` in its data files. Rows are read of those files only that
hold several Kafka partitions: the stream and maintenance write none, a compaction of somebody's own does. Does not
belong here: writing Bronze, which only the ingest does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import (
    LineageLostError,
    OffsetRange,
    added_files,
    live_files,
    offset_range,
    position_after,
    since,
)

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


@dataclass(frozen=True)
class Reach:
    """How far Bronze reaches.

    Attributes:
        snapshot_id: The snapshot that this is true of; None while Bronze is empty.
        position: The next offsets.
        newest: Kafka time of the newest record, UTC.
    """

    snapshot_id: int | None = None
    position: Position = field(default_factory=Position)
    newest: datetime | None = None


def bronze_position(table: "Table") -> Position:
    """The position of Bronze as of now."""
    return bronze_reach(table, known=Reach()).position


def bronze_reach(table: "Table", *, known: Reach, until: "Snapshot | None" = None) -> Reach:
    """How far Bronze reaches as of a snapshot, now by default, reading only what was committed after `known`."""
    current = until or table.current_snapshot()
    if current is None or current.snapshot_id == known.snapshot_id:
        return known
    try:
        if known.snapshot_id is None:
            raise LineageLostError("nothing is known yet")
        fresh = since(table, after=known.snapshot_id, until=current.snapshot_id)
        files: Iterator[DataFile] = (file for _, file in added_files(table, fresh))
    except LineageLostError:
        known, files = Reach(), live_files(table, current)
    furthest: dict[tuple[str, int], OffsetRange] = {}
    newest = known.newest
    # One by one: there may be a million files.
    for part in (part for file in files for part in _ranges_of(table, file)):
        key = (part.topic_id, part.partition)
        furthest[key] = max(furthest.get(key, part), part, key=lambda found: found.last)
        newest = part.newest if newest is None else max(newest, part.newest)
    return Reach(
        snapshot_id=current.snapshot_id,
        position=known.position.merged(position_after(furthest.values())),
        newest=newest,
    )


def _ranges_of(table: "Table", file: "DataFile") -> Iterator[OffsetRange]:
    """The offsets in a file: one range for each Kafka partition in it."""
    try:
        yield offset_range(file, table.schema())
    except LineageLostError:
        yield from _ranges_by_row(table, file)


def _ranges_by_row(table: "Table", file: "DataFile") -> Iterator[OffsetRange]:
    from pyarrow import parquet  # type: ignore[import-untyped]

    with table.io.new_input(file.file_path).open() as content:
        rows = parquet.read_table(content, columns=["topic_id", "partition", "offset", "kafka_timestamp"])
    figures = [("offset", "min"), ("offset", "max"), ("offset", "count"), ("kafka_timestamp", "max")]
    for found in rows.group_by(["topic_id", "partition"]).aggregate(figures).to_pylist():
        yield OffsetRange(
            topic_id=found["topic_id"],
            partition=found["partition"],
            first=found["offset_min"],
            last=found["offset_max"],
            rows=found["offset_count"],
            newest=found["kafka_timestamp_max"],
        )
