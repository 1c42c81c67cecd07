"""Putting small files together: of hours that are over, and without a change to any row.

Belongs here: finding the files from metadata, and having Iceberg rewrite them. Does not belong here: which hours are
worth it (`plan`).

The stream leaves a file for each Kafka partition and commit, and a refresh of Silver one or two for each hour that it
touches. Late events come to old hours, so an hour is looked at again and again. The tables of Gold need none of this: a
refresh replaces their months or days whole.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shoplake_assets.lake.hours import moment, spans_of
from shoplake_assets.lake.maintenance.calling import call, text
from shoplake_assets.lake.maintenance.figures import figures_of
from shoplake_assets.lake.maintenance.looking import LOOKED_AT, Look, cells_to_look_at
from shoplake_assets.lake.maintenance.plan import Origin, SmallFile, crowded, first_open_cell
from shoplake_assets.lake.snapshots import LineageLostError, live_files, offset_range
from shoplake_assets.lake.tables import set_properties
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.sections import MaintenanceSettings

# Files that have come so near the size that is aimed at are left alone.
TARGET_BYTES = 256 * 2**20
SMALL_BYTES = TARGET_BYTES * 3 // 4
# One commit puts together so many hours at most, so that a long backlog is worked off in steps that stay.
_CELLS_AT_ONCE = 24
# From so many on, the lists of files are rewritten: the stream adds one with each commit.
_MANIFESTS = 40


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the rows of a table lie in files.

    Attributes:
        time: The column that it is partitioned by.
        hours: Hours in one partition.
        by_origin: Whether a file must hold one Kafka partition only: Bronze's position is read from its files' bounds.
    """

    time: str
    hours: int = 1
    by_origin: bool = False


COMPACTED = {
    BRONZE_EVENTS: Layout(time="kafka_timestamp", by_origin=True),
    SILVER_EVENTS: Layout(time="event_time"),
    SILVER_QUARANTINE: Layout(time="kafka_timestamp", hours=24),
}


def compact(lake: "Lake", name: str, *, now: datetime, limits: "MaintenanceSettings") -> list[str]:
    """Put the small files of closed hours together, and rewrite the lists of files where they have become many.

    Returns:
        What was done, in words.
    """
    did = []
    if name in COMPACTED:
        layout, table = COMPACTED[name], lake.table(name)
        before = first_open_cell(now, grace=timedelta(minutes=limits.grace_minutes), hours=layout.hours)
        last = Look.last(table)
        wanted = cells_to_look_at(table, last, before=before, min_files=limits.min_files, now=now)
        found = crowded(small_files(table, layout, cells=wanted), before=before, min_files=limits.min_files)
        for origin, cells in found.items():
            for at in range(0, len(cells), _CELLS_AT_ONCE):
                condition = _condition(layout, origin, cells[at : at + _CELLS_AT_ONCE])
                did.append(_rewrite(lake, name, condition, min_files=limits.min_files))
        if (seen := table.current_snapshot()) is not None:
            all_at = last.all_at if last is not None and wanted is not None else now.isoformat()
            look = Look(snapshot=seen.snapshot_id, before=before, min_files=limits.min_files, all_at=all_at)
            if look != last:
                set_properties(lake.catalog, name, {LOOKED_AT: look.to_json()})
    if figures_of(lake.table(name)).manifests >= _MANIFESTS:
        (said,) = call(lake, "rewrite_manifests", table=name, use_caching="false")
        did.append(f"{said.rewritten_manifests_count:,} manifests became {said.added_manifests_count:,}")
    return did


def small_files(table: "Table", layout: Layout, *, cells: Collection[int] | None = None) -> list[SmallFile]:
    """The small files of these hours, or days, in the current snapshot, or all of them; reads lists, not the files.

    Where a rewriting by hand has mixed Kafka partitions in a file, the files of its hour are left out: put together,
    they would be mixed with it.
    """
    current, schema = table.current_snapshot(), table.schema()
    found: list[SmallFile] = []
    mixed: set[int] = set()
    for file in live_files(table, current, partitions=cells) if current is not None else ():
        if file.file_size_in_bytes < SMALL_BYTES:
            cell = file.partition[0]
            try:
                found.append(SmallFile(cell=cell, origin=_origin(file, schema) if layout.by_origin else None))
            except LineageLostError:
                mixed.add(cell)
    return [file for file in found if file.cell not in mixed]


def _origin(file: "DataFile", schema: "Schema") -> Origin:
    part = offset_range(file, schema)
    return part.topic_id, part.partition


def _rewrite(lake: "Lake", name: str, condition: str, *, min_files: int) -> str:
    options = {
        "min-input-files": min_files,
        "target-file-size-bytes": TARGET_BYTES,
        "min-file-size-bytes": SMALL_BYTES,
    }
    pairs = ", ".join(f"'{key}', '{value}'" for key, value in options.items())
    (said,) = call(lake, "rewrite_data_files", table=name, where=text(condition), options=f"map({pairs})")
    return f"{said.rewritten_data_files_count:,} files became {said.added_data_files_count:,}"


def _condition(layout: Layout, origin: Origin, cells: list[int]) -> str:
    """The files to rewrite, by the bounds of their columns: those of one Kafka partition, in these hours."""
    spans = [
        f"({layout.time} >= {_at(first * layout.hours)} AND {layout.time} < {_at(end * layout.hours)})"
        for first, end in spans_of(cells)
    ]
    parts = [f"({' OR '.join(spans)})"]
    if origin is not None:
        topic_id, partition = origin
        parts += [f"topic_id = {text(topic_id)}", f"`partition` = {partition}"]
    return " AND ".join(parts)


def _at(hour: int) -> str:
    return f"TIMESTAMP '{moment(hour):%Y-%m-%d %H:%M:%S}+00:00'"
