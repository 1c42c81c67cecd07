"""Was anything lost or doubled? What Kafka acknowledged, held against what the tables hold.

Belongs here: counting, by means that share nothing with the product but the tables' columns. Does not belong here: any
opinion of the product about itself, which is `shoplake verify`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from shoplake_assets_tests.faults.traffic import ACCEPTED, MALFORMED, REPEATED, Traffic, event_id, fate, sale

if TYPE_CHECKING:
    from shoplake_assets_tests.faults.ground import Ground

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_ENDS_IN = {
    "bronze.events": (ACCEPTED, REPEATED, MALFORMED),
    "silver.events": (ACCEPTED,),
    "silver.quarantine": (MALFORMED,),
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of the events that Kafka acknowledged.

    Attributes:
        produced: Events that Kafka acknowledged.
        rows: Rows of Bronze, Silver and the quarantine, by table.
        lost: Rows that are missing, over these tables.
        doubled: Rows that are there again, or that nobody sent.
    """

    produced: int
    rows: Mapping[str, int]
    lost: int
    doubled: int


def account(ground: "Ground", *, start: Mapping[int, int], end: Mapping[int, int]) -> Account:
    """Compare offsets, from `start` up to and without `end`, by partition."""
    produced, rows, lost, doubled = 0, dict.fromkeys(_ENDS_IN, 0), 0, 0
    for partition, behind in end.items():
        first = start.get(partition, 0)
        offsets, numbers = _acknowledged(ground.traffic, partition, first, behind)
        produced += len(offsets)
        fates = np.array([fate(int(number)) for number in numbers])
        for table, ends in _ENDS_IN.items():
            due = offsets[np.isin(fates, ends)]
            there = _offsets(ground, table, partition, first, behind)
            once = np.unique(there)
            rows[table] += len(there)
            lost += len(np.setdiff1d(due, once))
            doubled += len(there) - len(once) + len(np.setdiff1d(once, due))
    return Account(produced=produced, rows=rows, lost=lost, doubled=doubled)


def differences(ground: "Ground") -> list[str]:
    """What is wrong in the whole lake beyond coordinates: ids in Silver, and the sums of Gold; none if all is right."""
    numbers = [number for inner in ground.traffic.numbers.values() for number in inner if fate(number) == ACCEPTED]
    ids = ground.table("silver.events").scan(selected_fields=("event_id",)).to_arrow()["event_id"].to_pylist()
    found = [] if sorted(ids) == sorted(map(event_id, numbers)) else ["the ids in silver.events are not those sent"]
    due = _sales_by_hour(ground.traffic, numbers)
    rows = ground.table("gold.hourly_sales").scan().to_arrow().to_pylist()
    sums = {row["event_hour"]: (row["events"], row["purchases"], row["units"], row["revenue"]) for row in rows}
    return found if sums == due else [*found, f"gold.hourly_sales has {sums}, the events sent make {due}"]


def _sales_by_hour(traffic: Traffic, numbers: list[int]) -> dict[datetime, tuple[int, int, int, Decimal]]:
    sums: defaultdict[datetime, list[Any]] = defaultdict(lambda: [0, 0, 0, Decimal(0)])
    for number in numbers:
        moment = datetime.fromtimestamp(traffic.moments[number] / 1000, UTC)
        row = sums[moment.replace(minute=0, second=0, microsecond=0)]
        row[0] += 1
        if sold := sale(number):
            row[1] += 1
            row[2] += sold.quantity
            row[3] += sold.quantity * sold.price
    return {hour: (events, purchases, units, revenue) for hour, (events, purchases, units, revenue) in sums.items()}


def _acknowledged(traffic: Traffic, partition: int, first: int, behind: int) -> tuple[Numbers, Numbers]:
    numbers, offsets = traffic.numbers[partition], traffic.offsets[partition]
    count = len(offsets)
    all_offsets, all_numbers = np.array(offsets[:count], np.int64), np.array(numbers[:count], np.int64)
    chosen = (all_offsets >= first) & (all_offsets < behind)
    return all_offsets[chosen], all_numbers[chosen]


def _offsets(ground: "Ground", table: str, partition: int, first: int, behind: int) -> Numbers:
    within = f"partition = {partition} AND offset >= {first} AND offset < {behind}"
    rows = ground.table(table).scan(within, selected_fields=("offset",)).to_arrow()
    found: Numbers = rows["offset"].to_numpy().astype(np.int64)
    return found
