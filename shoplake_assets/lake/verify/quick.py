"""The quick verification: what metadata alone proves, and what that leaves open.

Belongs here: putting the proofs together. Does not belong here: any of them.
"""

from typing import TYPE_CHECKING

from shoplake_assets.lake.verify.metadata import (
    prove_all_files,
    prove_counts,
    prove_kafka,
    prove_offsets_by_bounds,
)
from shoplake_assets.lake.verify.order import prove_order
from shoplake_assets.lake.verify.pinned import pin, position_of_extents
from shoplake_assets.lake.verify.proof import ROWS, Verification, unproven
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from shoplake_assets.lake.verify.pinned import AskKafka

# No longer than it takes: who asks for a quick answer shall have one.
_PATIENCE_SECONDS = 1.0
_LEFT_OPEN = {
    BRONZE_EVENTS: "a row that is missing while another of the same stretch of files is doubled",
    SILVER_EVENTS: "that each record is in one place, that rows say what their records say, that event_id is unique",
    SILVER_QUARANTINE: "that payloads are those of Bronze",
    **dict.fromkeys(GOLD, "its figures"),
}


def verify_quickly(catalog: "Catalog", *, kafka: "AskKafka") -> Verification:
    """Prove what Iceberg's metadata can prove; no row is read, no Spark is needed."""
    pinned = pin(catalog, kafka=kafka, patience_seconds=_PATIENCE_SECONDS)
    extents = None if pinned.mixed else pinned.extents
    position = None if extents is None else position_of_extents(extents)
    return Verification(
        quick=True,
        proofs=[
            prove_offsets_by_bounds(pinned),
            prove_kafka(pinned, extents),
            *prove_order(pinned, position),
            prove_counts(pinned),
            *prove_all_files(pinned),
            *(unproven(ROWS, table, f"not looked at: {what}") for table, what in _LEFT_OPEN.items()),
        ],
        snapshots=pinned.snapshots,
    )
