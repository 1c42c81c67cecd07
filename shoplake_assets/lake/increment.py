"""Which Bronze records Silver has not seen, from metadata alone.

Belongs here: the plan of a refresh of Silver. Does not belong here: carrying it out (`lake.silver`).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import (
    CODE_VERSION,
    NEWEST_RECORD,
    SOURCE_SNAPSHOT,
    LineageLostError,
    moment_of,
    position_of,
    reflecting,
    rows_of,
    since,
    summary_of,
)

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot
    from pyspark.sql import Column


@dataclass(frozen=True, kw_only=True)
class Increment:
    """The Bronze records that Silver has not seen.

    Attributes:
        start: Silver's position; empty when the table is rebuilt.
        end: The position of the Bronze snapshot that is read.
        bronze_snapshot: That snapshot.
        newest: Kafka time of the newest record in it, UTC.
        rebuild: Whether Silver was built by another version of the code, and so is built anew as a whole.
    """

    start: Position
    end: Position
    bronze_snapshot: int
    newest: datetime | None
    rebuild: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not self.rebuild and self.start.reaches(self.end)

    @property
    def condition(self) -> "Column":
        """Condition that a row's coordinates lie in the increment."""
        return beyond(self.start) & within_reach(self.end)


def beyond(position: Position) -> "Column":
    """Condition that a row's coordinates lie past the position."""
    return ~within_reach(position)


def within_reach(position: Position) -> "Column":
    """Condition that a row's coordinates lie before the position."""
    parts = [
        (F.col("topic_id") == topic) & (F.col("partition") == partition) & (F.col("offset") < end)
        for topic, partition, end in position
    ]
    return reduce(or_, parts, F.lit(False))


def plan_increment(
    bronze: "Table", silver: "Table", *, code_version: str, at_most: int | None = None
) -> Increment | None:
    """Find out from metadata what Silver lacks; None while Bronze is empty.

    Args:
        bronze: Bronze.
        silver: Silver.
        code_version: The version of the code that makes Silver.
        at_most: Events of one increment, unless one commit alone has more. A long way behind is so worked off in
            steps, of which a crash undoes only the last. A rebuild is one step, whatever its size.
    """
    current, target = bronze.current_snapshot(), reflecting(silver)
    if current is None:
        return None
    summary, start = summary_of(target), position_of(target)
    rebuild = CODE_VERSION in summary and summary[CODE_VERSION] != code_version
    seen = summary.get(SOURCE_SNAPSHOT)
    known = Reach(int(seen), start, moment_of(target, NEWEST_RECORD)) if seen else Reach()
    if not rebuild and at_most is not None:
        current = _step(bronze, current, after=known.snapshot_id, at_most=at_most)
    reach = bronze_reach(bronze, known=known, until=current)
    return Increment(
        start=Position() if rebuild else start,
        end=reach.position,
        bronze_snapshot=current.snapshot_id,
        newest=reach.newest,
        rebuild=rebuild,
    )


def _step(bronze: "Table", current: "Snapshot", *, after: int | None, at_most: int) -> "Snapshot":
    """The newest snapshot with at most so many rows more than `after` has; the first with more, where none is smaller.

    Where the lineage is lost, the increment is all that there is.
    """
    try:
        fresh = since(bronze, after=after)
    except LineageLostError:
        return current
    before = rows_of(bronze.snapshot_by_id(after)) if after is not None else 0
    # A snapshot that only rearranges has no row more, and is no step.
    steps = [(rows, snapshot) for snapshot in fresh if (rows := rows_of(snapshot) - before) > 0]
    fitting = [snapshot for rows, snapshot in steps if rows <= at_most]
    return fitting[-1] if fitting else steps[0][1] if steps else current
