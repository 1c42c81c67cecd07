"""What becomes visible in a lake, and when: every change of a table, as a reader of the catalog sees it.

Belongs here: looking, from outside and so lightly that it takes nothing from what is measured. Does not belong here:
what follows from it (`latency`).
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as db

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import position_of, reflecting
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog

_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of a table.

    Attributes:
        at: When it was seen, in seconds since 1970.
        table: The table.
        snapshot_id: Its current snapshot then.
        newest_ms: When its newest snapshot, on whatever branch, was made; milliseconds since 1970.
        position: What its current snapshot reflects; of Bronze nothing.
    """

    at: float
    table: str
    snapshot_id: int | None
    newest_ms: int
    position: Position


class Watch:
    """Notes every change of the tables, until it is left."""

    def __init__(self, catalog: "SqlCatalog", tables: Iterable[str]) -> None:
        self.changes: list[Change] = []
        self._catalog = catalog
        self._tables = {tuple(name.split(".")): name for name in tables}
        self._known: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def seen(self, table: str) -> int:
        """How many changes of a table were seen; the first is that it is there."""
        return sum(change.table == table for change in self.changes)

    def _watch(self) -> None:
        found = db.text("SELECT table_namespace, table_name, metadata_location FROM iceberg_tables")
        while not self._over.wait(_POLL_SECONDS):
            with self._catalog.engine.connect() as connection:
                rows = connection.execute(found).all()
            now = time.time()
            for namespace, name, location in rows:
                table = self._tables.get((namespace, name))
                if table is not None and self._known.get(table) != location:
                    self._known[table] = location
                    self._note(table, now)

    def _note(self, name: str, now: float) -> None:
        table = self._catalog.load_table(name)
        snapshots = table.metadata.snapshots
        self.changes.append(
            Change(
                at=now,
                table=name,
                snapshot_id=table.metadata.current_snapshot_id,
                newest_ms=max((one.timestamp_ms for one in snapshots), default=0),
                position=Position() if name == BRONZE_EVENTS else position_of(reflecting(table)),
            )
        )
