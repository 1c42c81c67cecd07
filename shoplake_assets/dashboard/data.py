"""Reading the lake for the dashboard: pyiceberg into Arrow, each snapshot of a table at most once.

Belongs here: which snapshot a table has now, and its rows. Does not belong here: what is computed from them
(`insights.numbers`), and the newest rows of Silver (`live.recent`). A look pins the snapshots of the tables, so that
one page never mixes two states of a table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo, GreaterThanOrEqual, LessThan

from shoplake_assets.lake.catalog import existing_tables
from shoplake_assets.lake.snapshots import committed_at, position_of, reflecting, rows_of
from shoplake_assets.tables import ALL

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from shoplake_assets.lake.position import Position

# Reads that are kept: what viewers of all four windows need, and little of what nobody will ask for again.
_KEPT_READS = 24


@dataclass(frozen=True, kw_only=True)
class TableState:
    """What the metadata of a table says about its current snapshot.

    Attributes:
        snapshot_id: Iceberg's id of it; None where the table has none yet.
        committed_at: When it became visible, UTC; None where the table has no snapshot yet.
        rows: Rows in the table.
        position: How far into Kafka it reaches; names no partition until a refresh has published the table.
    """

    snapshot_id: int | None
    committed_at: datetime | None
    rows: int
    position: "Position"


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A read of a table; equal reads have the same result, because a snapshot never changes."""

    name: str
    snapshot_id: int
    columns: tuple[str, ...]
    since: datetime | None
    before: datetime | None
    category: str | None
    table: "Table" = field(compare=False, repr=False)


class LakeView:
    """The lake's tables as of one moment."""

    def __init__(self, tables: Mapping[str, "Table"], read: Callable[[_Read], pa.Table]) -> None:
        self._tables = tables
        self._read = read
        self.states = {name: _state(table) for name, table in tables.items()}
        """State of each table that exists, by its name."""

    def table(self, name: str) -> "Table | None":
        """The table as pyiceberg has it; None where it does not exist."""
        return self._tables.get(name)

    def snapshot_id(self, name: str) -> int | None:
        """Id of the table's current snapshot; None where the table or the snapshot does not exist."""
        return self.states[name].snapshot_id if name in self.states else None

    def count(self, name: str) -> int:
        """Rows of the table, from its metadata; 0 where it does not exist."""
        return self.states[name].rows if name in self.states else 0

    def rows(
        self,
        name: str,
        *,
        columns: tuple[str, ...],
        since: datetime | None = None,
        before: datetime | None = None,
        category: str | None = None,
    ) -> pa.Table:
        """Rows of a table.

        Args:
            name: The table.
            columns: The columns to read.
            since: Only rows whose `event_hour` is not earlier.
            before: Only rows whose `event_hour` is earlier.
            category: Only rows of this category.

        Returns:
            The rows; none, with the columns, where the table has no snapshot; no column where it does not exist.
        """
        table = self._tables.get(name)
        if table is None:
            return pa.table({column: pa.nulls(0) for column in columns})
        snapshot_id = self.snapshot_id(name)
        if snapshot_id is None:
            return table.schema().select(*columns).as_arrow().empty_table()
        return self._read(
            _Read(
                name=name,
                snapshot_id=snapshot_id,
                columns=columns,
                since=since,
                before=before,
                category=category,
                table=table,
            )
        )


class LakeReader:
    """Looks at the lake again and again, and reads only snapshots that it has not read yet.

    Args:
        open_catalog: Opens the catalog; called at each look, so that a lake which does not exist yet may come later.
    """

    def __init__(self, open_catalog: Callable[[], "Catalog"]) -> None:
        self._open_catalog = open_catalog
        self._cached = lru_cache(maxsize=_KEPT_READS)(_scan)
        self._lock = Lock()

    def look(self, names: Iterable[str] = ALL) -> LakeView:
        """The lake's tables as they are now, or some of them; reads metadata only."""
        return LakeView(existing_tables(self._open_catalog(), names), self._read)

    def _read(self, read: _Read) -> pa.Table:
        """One reader at a time: a second viewer waits for the result of the first instead of reading it, too."""
        with self._lock:
            return self._cached(read)


def _scan(read: _Read) -> pa.Table:
    wanted: BooleanExpression = AlwaysTrue()
    if read.since is not None:
        wanted = And(wanted, GreaterThanOrEqual(term="event_hour", value=read.since.isoformat()))
    if read.before is not None:
        wanted = And(wanted, LessThan(term="event_hour", value=read.before.isoformat()))
    if read.category is not None:
        wanted = And(wanted, EqualTo(term="category", value=read.category))
    scan = read.table.scan(
        row_filter=wanted,
        selected_fields=read.columns,
        snapshot_id=read.snapshot_id,
    )
    return scan.to_arrow().select(list(read.columns))


def _state(table: "Table") -> TableState:
    snapshot = table.current_snapshot()
    return TableState(
        snapshot_id=snapshot.snapshot_id if snapshot else None,
        committed_at=committed_at(snapshot) if snapshot else None,
        rows=rows_of(snapshot),
        position=position_of(reflecting(table)),
    )
