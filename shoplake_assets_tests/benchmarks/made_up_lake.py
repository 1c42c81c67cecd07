"""A lake of any size, as the stream, the refreshes and maintenance leave it, in metadata alone.

Belongs here: which files and snapshots such a lake has. Does not belong here: writing them (`made_up`).

The older a lake, the more files it has: whole hours that maintenance has put together, in manifests that are sorted by
hour. What is new in it does not depend on its age: the commits of the last hour, each with a manifest of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shoplake_assets.contracts.contract import table_of
from shoplake_assets.contracts.gold import HourlySales
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.hours import EPOCH, hour_of
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    NEWEST_EVENT,
    NEWEST_RECORD,
    POSITION,
    SOURCE_SNAPSHOT,
    position_of,
)
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS
from shoplake_assets_tests.benchmarks.made_up import (
    ENTRIES_IN_A_MANIFEST,
    Files,
    MadeUpSnapshot,
    ManifestMaker,
    put,
    schema_columns,
)

if TYPE_CHECKING:
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

    from shoplake_assets.settings import Settings

TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
PARTITIONS = 12
"""Kafka partitions."""
COMMITS = 360
"""Commits of the stream in an hour; the newest half of them are in the hour under way."""
WAITING = 3
"""Commits that Silver has not seen."""
_FILES_IN_AN_HOUR = 6  # of each partition, once put together
_BIG, _SMALL = (1_000_000, 230 * 2**20), (10_000, 2 * 2**20)
_REWRITTEN = COMMITS // 2  # after so many commits maintenance has put their manifests together
_LISTS = 20  # commits, of those that pile up, whose manifest lists a plan may read
_COMMITS_IN_A_REFRESH = 3
_HISTORY = 1  # id of the snapshot that holds all that is older


@dataclass(frozen=True)
class MadeUpLake:
    """A lake to be made.

    Attributes:
        settings: Where.
        files: Data files of Bronze, and of Silver, that are older than its commits.
        commits: Commits of the stream whose snapshots are there. Where they are more than an hour's, Silver was blocked
            after the first ones.
        entries: Files that are listed in one manifest of the older hours.
    """

    settings: "Settings"
    files: int
    commits: int = COMMITS
    entries: int = ENTRIES_IN_A_MANIFEST

    def make(self) -> None:
        """Make the tables and fill their metadata."""
        prepare_lake(self.settings)
        catalog = open_catalog(self.settings)
        bronze, silver = catalog.load_table(BRONZE_EVENTS), catalog.load_table(SILVER_EVENTS)
        put(catalog, BRONZE_EVENTS, self._snapshots(bronze))
        put(catalog, SILVER_EVENTS, self._snapshots(silver))
        newest = catalog.load_table(SILVER_EVENTS).metadata.snapshots
        seen = newest[-2]
        version = table_of(HourlySales).code_version
        catalog.load_table(GOLD_HOURLY_SALES).append(
            catalog.load_table(GOLD_HOURLY_SALES).schema().as_arrow().empty_table(),
            snapshot_properties={
                POSITION: position_of(seen).to_json(),
                SOURCE_SNAPSHOT: str(seen.snapshot_id),
                CODE_VERSION: version,
            },
        )

    def _snapshots(self, table: "Table") -> list[MadeUpSnapshot]:
        bronze = table.name()[-2:] == tuple(BRONZE_EVENTS.split("."))
        maker = ManifestMaker(table, entries=self.entries)
        manifests = maker.write(_history(table, self.files), snapshot_id=_HISTORY, added=False)
        rows = sum(manifest.existing_rows_count or 0 for manifest in manifests)
        made = [self._made(0, rows=rows, manifests=manifests, bronze=bronze)]
        step, older = _step(bronze=bronze), list[Files]()
        for commit in range(step, (self.commits if bronze else COMMITS - WAITING) + 1, step):
            files = [self._commit(table, commit, partition, step) for partition in range(PARTITIONS)]
            older += files if commit <= _REWRITTEN else []
            if commit == _REWRITTEN:
                manifests = [*maker.write(older, snapshot_id=_HISTORY + commit, added=False), *manifests]
            elif _REWRITTEN < commit <= COMMITS:
                manifests = [*maker.write(files, snapshot_id=_HISTORY + commit, added=True), *manifests]
            rows += sum(part.rows for part in files)
            made.append(self._made(commit, rows=rows, manifests=manifests, bronze=bronze))
        return made

    def _made(self, commits: int, *, rows: int, manifests: "list[ManifestFile]", bronze: bool) -> MadeUpSnapshot:
        at = self._time(commits)
        files = self.files + PARTITIONS * commits // _step(bronze=bronze)
        summary = {"total-records": str(rows), "total-data-files": str(files), "total-delete-files": "0"}
        if bronze:
            summary |= {"spark.app.id": "app-1", "spark.sql.streaming.epochId": str(commits)}
        else:
            summary |= {
                POSITION: position(self.files, commits).to_json(),
                SOURCE_SNAPSHOT: str(_HISTORY + commits),
                CODE_VERSION: table_of(SilverEvents).code_version,
                NEWEST_RECORD: at.isoformat(),
                NEWEST_EVENT: at.isoformat(),
            }
        wanted = commits == 0 or _REWRITTEN <= commits <= COMMITS + _LISTS
        return MadeUpSnapshot(
            id=_HISTORY + commits,
            at_ms=int(at.timestamp() * 1000),
            summary=summary,
            manifests=manifests if wanted else None,
        )

    def _commit(self, table: "Table", commit: int, partition: int, step: int) -> Files:
        rows, size = _SMALL
        hour = hour_of(self._time(commit))
        return Files(
            cell=hour,
            count=1,
            rows=rows * step,
            bytes=size * step,
            bounds=_bounds(table, hour, partition),
            first_offset=_rows_before(self.files, partition) + (commit - step) * rows,
        )

    def _time(self, commit: int) -> datetime:
        return NOW - timedelta(seconds=10 * (self.commits - commit))


def _step(*, bronze: bool) -> int:
    """Commits of the stream in one snapshot: Silver takes some in together."""
    return 1 if bronze else _COMMITS_IN_A_REFRESH


def position(files: int, commits: int) -> Position:
    """The position after so many commits, in a lake with so many files of older hours."""
    return Position.of_topic(
        TOPIC_ID,
        {number: _rows_before(files, number) + commits * _SMALL[0] for number in range(PARTITIONS)},
    )


def _rows_before(files: int, partition: int) -> int:
    """Rows of a partition in the older hours."""
    return len(range(partition, files, PARTITIONS)) * _BIG[0]


def _history(table: "Table", files: int) -> Iterator[Files]:
    """The older hours, oldest first; each has some files of each partition."""
    in_an_hour = PARTITIONS * _FILES_IN_AN_HOUR
    hours = -(-files // in_an_hour)
    rows, size = _BIG
    for number in range(hours):
        hour = hour_of(NOW) - 2 - hours + number
        here = min(in_an_hour, files - number * in_an_hour)
        for partition in range(PARTITIONS):
            if count := len(range(partition, here, PARTITIONS)):
                yield Files(
                    cell=hour,
                    count=count,
                    rows=rows,
                    bytes=size,
                    bounds=_bounds(table, hour, partition),
                    first_offset=number * _FILES_IN_AN_HOUR * rows,
                )


def _bounds(table: "Table", hour: int, partition: int) -> dict[str, tuple[Any, Any]]:
    start = int((EPOCH + timedelta(hours=hour)).timestamp() * 1_000_000)
    bounds: dict[str, tuple[Any, Any]] = {}
    for column in schema_columns(table.schema()):
        kind = str(table.schema().find_field(column).field_type)
        bounds[column] = _VALUES.get(kind) or (Decimal("0.00"), Decimal("9999999999.99"))
        if kind == "timestamptz":
            bounds[column] = start, start + 3_599_000_000
    return bounds | {"topic_id": (TOPIC_ID, TOPIC_ID), "partition": (partition, partition)}


# Texts as long as Iceberg keeps of them by default.
_VALUES: dict[str, tuple[Any, Any]] = {
    "string": ("0000000000000000", "zzzzzzzzzzzzzzz{"),
    "long": (0, 10**9),
    "int": (1, 1000),
    "boolean": (False, True),
}
