"""The full verification: every row of the lake, by Spark, while the stream and refreshes go on.

Belongs here: putting the proofs together. Does not belong here: any of them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from shoplake_assets.lake.position import Position
from shoplake_assets.lake.verify.attempt import UNREADABLE, attempt, unread
from shoplake_assets.lake.verify.contents import (
    CONTENTS,
    DUPLICATES,
    EVENT_ID,
    prove_duplicates,
    prove_quarantine_rows,
    prove_silver_rows,
    prove_unique_ids,
)
from shoplake_assets.lake.verify.gold import prove_gold
from shoplake_assets.lake.verify.metadata import (
    OFFSETS,
    prove_all_files,
    prove_counts,
    prove_kafka,
    prove_offsets_by_bounds,
)
from shoplake_assets.lake.verify.order import prove_order
from shoplake_assets.lake.verify.pinned import pin, position_of_extents
from shoplake_assets.lake.verify.proof import ROWS, Proof, Verification
from shoplake_assets.lake.verify.records import PLACES, count_records, prove_offsets, prove_places
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.verify.pinned import AskKafka, Pinned
    from shoplake_assets.lake.verify.records import Records

# What is said of the rows of Bronze, Silver and the quarantine, and who proves it.
_PROOFS_OF_RECORDS: "Sequence[tuple[str, str, Callable[[Lake, Records], Proof]]]" = (
    (OFFSETS, BRONZE_EVENTS, lambda _, records: prove_offsets(records)),
    (PLACES, SILVER_EVENTS, lambda _, records: prove_places(records, SILVER_EVENTS)),
    (PLACES, SILVER_QUARANTINE, lambda _, records: prove_places(records, SILVER_QUARANTINE)),
    (DUPLICATES, SILVER_EVENTS, prove_duplicates),
    (CONTENTS, SILVER_EVENTS, prove_silver_rows),
    (EVENT_ID, SILVER_EVENTS, prove_unique_ids),
    (CONTENTS, SILVER_QUARANTINE, prove_quarantine_rows),
)


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
    try:
        records = count_records(lake, pinned)
    except UNREADABLE as error:
        for table in (BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE):
            yield unread(error, name=ROWS, table=table, lake=lake, snapshots=pinned.snapshots)
    else:
        yield prove_kafka(pinned, records.extents)
        yield from prove_order(pinned, position_of_extents(records.extents))
        for name, table, prove in _PROOFS_OF_RECORDS:
            made = partial(prove, lake, records)
            yield attempt(made, name=name, table=table, lake=lake, snapshots=pinned.snapshots)
    yield from prove_gold(lake, pinned)
