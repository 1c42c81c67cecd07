"""Offsets that Kafka no longer had: the rows of `bronze.gaps`.

Belongs here: reading, recording and acknowledging gaps, with pyiceberg. Does not belong here: finding them, which only
the ingest can (`ingest`). Gaps are few, so the table is written anew as a whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]

from shoplake_assets.lake.conflicts import again_after_a_conflict
from shoplake_assets.tables import BRONZE_GAPS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


@dataclass(frozen=True, kw_only=True, order=True)
class Gap:
    """A range of offsets that are not in Bronze and never will be.

    Attributes:
        topic_id: Kafka's id of the topic.
        partition: The partition.
        first: First missing offset.
        last: Last missing offset.
        found_at: When the ingest found it, UTC.
        acknowledged_at: When somebody took note, UTC; None until then.
        because: What that person said.
    """

    topic_id: str
    partition: int
    first: int
    last: int
    found_at: datetime
    acknowledged_at: datetime | None = None
    because: str | None = None

    @property
    def events(self) -> int:
        """Offsets in the gap."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        """The gap for the person who reads a report."""
        offsets = f"offset {self.first}" if self.first == self.last else f"offsets {self.first} to {self.last}"
        return (
            f"{offsets} ({self.events:,}) of partition {self.partition} of topic {self.topic_id}, "
            f"found {self.found_at:%Y-%m-%d %H:%M:%S} UTC"
        )


def read_gaps(table: "Table") -> list[Gap]:
    """All recorded gaps, by topic, partition and offset."""
    rows = table.scan().to_arrow().to_pylist()
    return sorted(Gap(first=row.pop("first_offset"), last=row.pop("last_offset"), **row) for row in rows)


def record_gaps(catalog: "Catalog", found: Iterable[Gap]) -> None:
    """Add gaps; one takes the place of those that begin where it does, so that recording twice changes nothing.

    It takes the place of those within it, too: after a rollback of Bronze it begins earlier. A gap that has grown since
    it was acknowledged has to be acknowledged again.
    """
    new = {_key(gap): gap for gap in found}

    def merged(recorded: list[Gap]) -> list[Gap]:
        kept = {_key(gap): gap for gap in recorded if not any(_swallows(wider, gap) for wider in new.values())}
        grown = {key: gap for key, gap in new.items() if key not in kept or kept[key].last < gap.last}
        return list((kept | grown).values())

    if new:
        _rewrite(catalog, merged)


def acknowledge_gaps(catalog: "Catalog", chosen: Iterable[Gap], *, because: str, at: datetime) -> None:
    """Note that somebody knows of the chosen gaps; one that has grown meanwhile stays open."""
    known = {_key(gap): gap.last for gap in chosen}

    def noted(recorded: list[Gap]) -> list[Gap]:
        return [
            replace(gap, acknowledged_at=at, because=because) if known.get(_key(gap)) == gap.last else gap
            for gap in recorded
        ]

    _rewrite(catalog, noted)


@again_after_a_conflict
def _rewrite(catalog: "Catalog", change: Callable[[list[Gap]], list[Gap]]) -> None:
    table = catalog.load_table(BRONZE_GAPS)
    recorded = read_gaps(table)
    changed = sorted(change(recorded))
    if changed == recorded:
        return
    rows = [
        {
            "topic_id": gap.topic_id,
            "partition": gap.partition,
            "first_offset": gap.first,
            "last_offset": gap.last,
            "found_at": gap.found_at,
            "acknowledged_at": gap.acknowledged_at,
            "because": gap.because,
        }
        for gap in changed
    ]
    # pyiceberg warns of an overwrite that finds nothing to replace.
    write = table.overwrite if recorded else table.append
    write(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))


def _swallows(wider: Gap, gap: Gap) -> bool:
    """Whether the one holds the other, and what was before it."""
    same = (wider.topic_id, wider.partition) == (gap.topic_id, gap.partition)
    return same and wider.first < gap.first and gap.last <= wider.last


def _key(gap: Gap) -> tuple[str, int, int]:
    return gap.topic_id, gap.partition, gap.first
