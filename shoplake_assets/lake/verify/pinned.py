"""Which snapshots are looked at: one of each table, that belong together, while the stream and refreshes go on.

Belongs here: opening the tables in an order in which none can be behind what is made from it. Does not belong here: any
judgement of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from shoplake_assets.lake.gaps import read_gaps
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    REPLAYED,
    LineageLostError,
    OffsetRange,
    live_files,
    offset_range,
    position_of,
    reflecting,
    summary_of,
)
from shoplake_assets.tables import (
    BRONZE_EVENTS,
    BRONZE_GAPS,
    DERIVED,
    GOLD,
    MADE_FROM,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

    from shoplake_assets.lake.gaps import Gap

_SUMMARIES = [name for name in GOLD if MADE_FROM[name] in GOLD]
_GOLD_DOWNWARDS = (*_SUMMARIES, *(name for name in GOLD if name not in _SUMMARIES))
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.5


Extents = Mapping[tuple[str, int], tuple[int, int]]
"""By topic id and partition, Bronze's first offset and the one behind its last."""
AskKafka = Callable[[], KafkaRange | None]
"""Asks Kafka for its range; None while it does not answer."""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """The lake as it is looked at.

    Attributes:
        tables: Every table, as it was when it was opened.
        ranges: The offsets in each of Bronze's data files that holds one Kafka partition, as the stream writes them.
        mixed: Files that hold several, as a compaction by hand may leave them; only their rows tell what they hold.
        records: The number of records in each data file, by table.
        gaps: The recorded gaps.
        kafka: Kafka's range, asked for last; None if it did not answer.
    """

    tables: Mapping[str, "Table"]
    ranges: Sequence[OffsetRange]
    mixed: int
    records: Mapping[str, Sequence[int]]
    gaps: Sequence["Gap"]
    kafka: KafkaRange | None

    @property
    def silver_position(self) -> Position:
        """How far Silver reaches."""
        return position_of(reflecting(self.tables[SILVER_EVENTS]))

    @property
    def unsettled(self) -> str | None:
        """Why Silver and the quarantine do not go together, in which case neither says where a record is."""
        half = _reached_one_only(self.tables)
        return half and f"{half} has reached only one of Silver and the quarantine; a refresh finishes it"

    @property
    def extents(self) -> Extents:
        """How far Bronze reaches by the bounds of its files; not known while some are mixed."""
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for part in self.ranges:
            key = part.topic_id, part.partition
            first, end = found.get(key, (part.first, 0))
            found[key] = min(first, part.first), max(end, part.last + 1)
        return found

    @property
    def snapshots(self) -> dict[str, int | None]:
        """The snapshot of each table."""
        return {name: table.metadata.current_snapshot_id for name, table in self.tables.items()}


def pin(catalog: "Catalog", *, kafka: AskKafka, patience_seconds: float = _PATIENCE_SECONDS) -> Pinned:
    """Open all tables, those that are made from others first.

    Silver and the quarantine are published one after the other. Between the two publications of a replay or of a
    rebuild they do not belong together: then they are opened again until they do, or the patience ends.
    """
    tables = {name: catalog.load_table(name) for name in _GOLD_DOWNWARDS}
    tables |= _silver_and_quarantine(catalog, patience_seconds=patience_seconds)
    bronze = tables[BRONZE_EVENTS] = catalog.load_table(BRONZE_EVENTS)
    tables[BRONZE_GAPS] = catalog.load_table(BRONZE_GAPS)
    # Read once for all that is told from them: a quick look takes most of its time for this. Only what is needed of a
    # file is kept; what Iceberg says of it takes kilobytes.
    ranges, mixed, counts = _offset_ranges(bronze)
    return Pinned(
        tables=tables,
        ranges=ranges,
        mixed=mixed,
        records={
            BRONZE_EVENTS: counts,
            **{name: [file.record_count for file in _files_of(tables[name])] for name in DERIVED},
        },
        gaps=read_gaps(tables[BRONZE_GAPS]),
        kafka=kafka(),
    )


def _files_of(table: "Table") -> Iterator["DataFile"]:
    current = table.current_snapshot()
    return live_files(table, current) if current else iter(())


def _offset_ranges(bronze: "Table") -> tuple[list[OffsetRange], int, list[int]]:
    """The offsets of each file that holds one Kafka partition, the number of the others, and the records of each."""
    schema = bronze.schema()
    ranges, mixed, counts = [], 0, []
    for file in _files_of(bronze):
        counts.append(file.record_count)
        try:
            ranges.append(offset_range(file, schema))
        except LineageLostError:
            mixed += 1
    return ranges, mixed, counts


def _reached_one_only(tables: Mapping[str, "Table"]) -> str | None:
    """What has been published to only one of Silver and the quarantine: a rebuild or a replay; None if neither."""
    silver, quarantine = (summary_of(reflecting(tables[name])) for name in (SILVER_EVENTS, SILVER_QUARANTINE))
    if None not in (made := {part.get(CODE_VERSION) for part in (silver, quarantine)}) and len(made) > 1:
        return "a rebuild"
    return "a replay" if silver.get(REPLAYED) != quarantine.get(REPLAYED) else None


def _silver_and_quarantine(catalog: "Catalog", *, patience_seconds: float) -> dict[str, "Table"]:
    opened: dict[str, Table] = {}

    def look() -> str | None:
        opened.update((name, catalog.load_table(name)) for name in (SILVER_EVENTS, SILVER_QUARANTINE))
        return _reached_one_only(opened)

    attempts = Retrying(
        retry=retry_if_result(lambda half: half is not None),
        stop=stop_after_delay(patience_seconds),
        wait=wait_fixed(_POLL_SECONDS),
    )
    with suppress(RetryError):  # then they are judged as they are
        attempts(look)
    return opened


def position_of_extents(extents: Extents) -> Position:
    """The position that Bronze has reached."""
    return Position({key: end for key, (_, end) in extents.items()})
