"""How far each table is, seen from outside: rows, position, lag.

Belongs here: the figures that `status`, `drain` and the metrics show, from metadata alone. Does not belong here: how
they are shown.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import (
    NEWEST_EVENT,
    NEWEST_RECORD,
    SOURCE_SNAPSHOT,
    moment_of,
    position_of,
    reflecting,
    rows_of,
    summary_of,
)
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED, SILVER_EVENTS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Where a table is.

    Attributes:
        rows: Rows in the table.
        snapshot_id: Its current snapshot; None while Bronze is empty.
        position: How far into Kafka it reaches.
        newest_record: Kafka time of the newest record that it reflects, UTC.
        newest_event: Event time of the newest event that it reflects, UTC; for Bronze, which does not look into
            payloads, the Kafka time.
    """

    rows: int
    snapshot_id: int | None
    position: Position
    newest_record: datetime | None
    newest_event: datetime | None

    def lag_seconds(self, *, lag_events: int, now: datetime) -> float | None:
        """Seconds since the newest record that the table reflects, 0 where it lacks nothing; None while it is empty."""
        if lag_events == 0:
            return 0.0
        return None if self.newest_record is None else (now - self.newest_record).total_seconds()


def read_layers(catalog: "Catalog") -> dict[str, Layer]:
    """Look at every table.

    Bronze is read from where Silver has come to, so that the cost does not grow with the lake.
    """
    tables = {name: catalog.load_table(name) for name in DERIVED}
    bronze = catalog.load_table(BRONZE_EVENTS)
    return {
        BRONZE_EVENTS: bronze_layer(bronze, known=silver_reach(tables[SILVER_EVENTS])),
        **{name: derived_layer(table) for name, table in tables.items()},
    }


def silver_reach(silver: "Table") -> Reach:
    """How far Bronze reached as Silver read it."""
    current = reflecting(silver)
    seen = summary_of(current).get(SOURCE_SNAPSHOT)
    return Reach(int(seen), position_of(current), moment_of(current, NEWEST_RECORD)) if seen else Reach()


def bronze_layer(bronze: "Table", *, known: Reach) -> Layer:
    """Look at Bronze, reading only what was committed after `known`."""
    reach = bronze_reach(bronze, known=known)
    return Layer(
        rows=rows_of(bronze.current_snapshot()),
        snapshot_id=reach.snapshot_id,
        position=reach.position,
        newest_record=reach.newest,
        newest_event=reach.newest,
    )


def derived_layer(table: "Table") -> Layer:
    """Look at a table of Silver or Gold."""
    current, source = table.current_snapshot(), reflecting(table)
    return Layer(
        rows=rows_of(current),
        snapshot_id=None if current is None else current.snapshot_id,
        position=position_of(source),
        newest_record=moment_of(source, NEWEST_RECORD),
        newest_event=moment_of(source, NEWEST_EVENT),
    )
