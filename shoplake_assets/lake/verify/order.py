"""Is no table ahead of what it is made from? One is, if what lies below it was rolled back to an older snapshot.

Belongs here: comparing the positions of the layers, from metadata. Does not belong here: what the tables hold.
"""

from typing import TYPE_CHECKING

from shoplake_assets.lake.snapshots import position_of, reflecting
from shoplake_assets.lake.verify.proof import Proof, first_of, judged, several, unproven
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, MADE_FROM, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.position import Position
    from shoplake_assets.lake.verify.pinned import Pinned

ORDER = "order"
_REMEDIES = {
    BRONZE_EVENTS: "the ingest fills Bronze up again from Kafka, as far as Kafka still holds it",
    SILVER_EVENTS: "the next refresh makes up for it",
}


def prove_order(pinned: "Pinned", bronze: "Position | None") -> list[Proof]:
    """No table reflects more of Kafka than the table that it is made from.

    Args:
        pinned: The lake.
        bronze: Bronze's position; None where it is not known.
    """
    return [
        unproven(ORDER, SILVER_EVENTS, "how far Bronze reaches is not known from its files")
        if bronze is None
        else _not_ahead(SILVER_EVENTS, pinned.silver_position, below=BRONZE_EVENTS, reaches=bronze),
        _quarantine(pinned),
        *(
            _not_ahead(name, _position(pinned, name), below=MADE_FROM[name], reaches=_position(pinned, MADE_FROM[name]))
            for name in GOLD
        ),
    ]


def _not_ahead(table: str, position: "Position", *, below: str, reaches: "Position") -> Proof:
    remedy = _REMEDIES.get(below, _REMEDIES[SILVER_EVENTS])
    findings = [
        f"{below} was rolled back: {table} reflects partition {partition} of topic {topic} up to offset {end - 1}, "
        f"and {below} {_ends(reaches.offsets.get((topic, partition), 0))}; {remedy}"
        for topic, partition, end in position
        if end > reaches.offsets.get((topic, partition), 0)
    ]
    behind = position.events_behind(reaches)
    lag = f"{several(behind, 'event')} behind it" if behind else "level with it"
    return judged(ORDER, table, first_of(findings), good=f"not ahead of {below}, {lag}", figures={"behind": behind})


def _ends(position: int) -> str:
    return f"ends at {position - 1}" if position else "has none of it"


def _quarantine(pinned: "Pinned") -> Proof:
    if pinned.unsettled:
        return unproven(ORDER, SILVER_QUARANTINE, pinned.unsettled)
    silver, quarantine = pinned.silver_position, _position(pinned, SILVER_QUARANTINE)
    ahead, missing = silver.events_behind(quarantine), quarantine.events_behind(silver)
    findings = [f"{several(missing, 'event')} behind Silver: the quarantine was rolled back"] if missing else []
    lead = (
        f"{several(ahead, 'event')} ahead of Silver, which the next refresh makes up for"
        if ahead
        else "level with Silver"
    )
    return judged(ORDER, SILVER_QUARANTINE, findings, good=lead, figures={"ahead": ahead})


def _position(pinned: "Pinned", name: str) -> "Position":
    return position_of(reflecting(pinned.tables[name]))
