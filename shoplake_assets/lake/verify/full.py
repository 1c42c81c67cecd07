"""The full verification: every row of the lake, by Spark, while the stream and refreshes go on.

Belongs here: putting the proofs together. Does not belong here: any of them.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.verify.contents import (
    prove_duplicates,
    prove_quarantine_rows,
    prove_silver_rows,
    prove_unique_ids,
)
from shoplake_assets.lake.verify.gold import prove_gold
from shoplake_assets.lake.verify.metadata import prove_all_files, prove_counts, prove_kafka, prove_offsets_by_bounds
from shoplake_assets.lake.verify.order import prove_order
from shoplake_assets.lake.verify.pinned import pin, position_of_extents
from shoplake_assets.lake.verify.proof import Proof, Verification
from shoplake_assets.lake.verify.records import count_records, prove_offsets, prove_places
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.verify.pinned import AskKafka, Pinned


def verify_fully(lake: "Lake", *, kafka: "AskKafka", say: Callable[[Proof], None] = lambda _: None) -> Verification:
    """Prove all that can be proven.

    Args:
        lake: The lake.
        kafka: Asks Kafka for its range.
        say: Is told of each proof as it is done; all together may take minutes.
    """
    pinned = pin(lake.catalog, kafka=kafka)
    proofs = []
    for proof in _proofs(lake, pinned):
        proofs.append(proof)
        say(proof)
    return Verification(quick=False, proofs=proofs, snapshots=pinned.snapshots)


def _proofs(lake: "Lake", pinned: "Pinned") -> Iterator[Proof]:
    yield from prove_all_files(pinned)
    if pinned.tables[BRONZE_EVENTS].current_snapshot() is None:
        yield prove_offsets_by_bounds(pinned)
        yield prove_kafka(pinned, {})
        yield from prove_order(pinned, Position())
        yield prove_counts(pinned)
        yield from prove_gold(lake, pinned)
        return
    records = count_records(lake, pinned)
    yield prove_offsets(records)
    yield prove_kafka(pinned, records.extents)
    yield from prove_order(pinned, position_of_extents(records.extents))
    yield prove_places(records, SILVER_EVENTS)
    yield prove_places(records, SILVER_QUARANTINE)
    yield prove_duplicates(lake, records)
    yield prove_silver_rows(lake, records)
    yield prove_unique_ids(lake, records)
    yield prove_quarantine_rows(lake, records)
    yield from prove_gold(lake, pinned)
