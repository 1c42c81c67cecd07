"""What the catalog knows of the lake's health: tables, duplicates, quarantine, gaps.

Belongs here: reading it with pyiceberg, and nothing twice that is known of a snapshot. Does not belong here: how far
the tables are behind, which needs Kafka (`reader`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from pyarrow import ArrowException  # type: ignore[import-untyped]
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.bronze import Reach
from shoplake_assets.lake.catalog import existing_tables, open_catalog
from shoplake_assets.lake.gaps import Gap, read_gaps
from shoplake_assets.lake.layers import Layer, bronze_layer, derived_layer, silver_reach
from shoplake_assets.lake.quarantine import Findings, findings
from shoplake_assets.lake.snapshots import TOTAL_DUPLICATES, committed_at, reflecting, summary_of
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS, DERIVED, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.settings import Settings

T = TypeVar("T")

_EXAMPLES = 3
# Bronze is loaded after what is made from it, so that it is never behind.
_DOWNWARDS = (*DERIVED, BRONZE_EVENTS, BRONZE_GAPS)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A table, as its metadata describes it; see `state.TableHealth`."""

    layer: Layer
    committed_at: datetime | None
    files: int
    size_bytes: int
    snapshots: int


@dataclass(frozen=True, kw_only=True)
class Lake:
    """What is in the lake; see `state.Health`."""

    tables: Mapping[str, Seen]
    duplicates: int
    quarantine: Findings | None
    gaps: tuple[Gap, ...]


EMPTY = Lake(tables={}, duplicates=0, quarantine=None, gaps=())


class TableReader:
    """Looks at the tables again and again; one look at a time.

    Args:
        settings: The lake, which may not exist yet.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._reach = Reach()
        self._quarantine: _Kept[Findings] = _Kept()
        self._gaps: _Kept[tuple[Gap, ...]] = _Kept()

    def read(self) -> Lake:
        """The tables as they are now.

        Raises:
            ShoplakeError: They cannot be read.
        """
        if not self._settings.home.exists():
            return EMPTY
        try:
            return self._read(existing_tables(open_catalog(self._settings), _DOWNWARDS))
        except (OSError, SQLAlchemyError, ArrowException, ValidationError) as error:
            line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ShoplakeError(f"the lake in {self._settings.home} cannot be read: {line}") from error

    def _read(self, tables: "Mapping[str, Table]") -> Lake:
        silver, quarantine, gaps = (tables.get(name) for name in (SILVER_EVENTS, SILVER_QUARANTINE, BRONZE_GAPS))
        seen = {name: _seen(tables[name], derived_layer(tables[name])) for name in DERIVED if name in tables}
        if (bronze := tables.get(BRONZE_EVENTS)) is not None:
            seen = {BRONZE_EVENTS: _seen(bronze, self._bronze(bronze, silver))} | seen
        return Lake(
            tables=seen,
            duplicates=0 if silver is None else int(summary_of(reflecting(silver)).get(TOTAL_DUPLICATES, 0)),
            quarantine=self._quarantine.of(quarantine, lambda table: findings(table, examples=_EXAMPLES)),
            gaps=self._gaps.of(gaps, lambda table: tuple(read_gaps(table))) or (),
        )

    def _bronze(self, bronze: "Table", silver: "Table | None") -> Layer:
        """Only commits are read that the last look has not read; the first one begins where Silver has come to."""
        known = self._reach
        if known.snapshot_id is None and silver is not None:
            known = silver_reach(silver)
        layer = bronze_layer(bronze, known=known)
        self._reach = Reach(layer.snapshot_id, layer.position, layer.newest_record)
        return layer


class _Kept(Generic[T]):
    """What was read of a table, until the table has another snapshot."""

    def __init__(self) -> None:
        self._known: tuple[int, T] | None = None

    def of(self, table: "Table | None", read: "Callable[[Table], T]") -> T | None:
        """What is read of the table as it is now; None where it has no snapshot, or does not exist."""
        snapshot = table.current_snapshot() if table is not None else None
        if table is None or snapshot is None:
            return None
        if self._known is None or self._known[0] != snapshot.snapshot_id:
            self._known = snapshot.snapshot_id, read(table)
        return self._known[1]


def _seen(table: "Table", layer: Layer) -> Seen:
    current = table.current_snapshot()
    summary = summary_of(current)
    return Seen(
        layer=layer,
        committed_at=None if current is None else committed_at(current),
        files=int(summary.get("total-data-files", 0)),
        size_bytes=int(summary.get("total-files-size", 0)),
        snapshots=len(table.snapshots()),
    )
