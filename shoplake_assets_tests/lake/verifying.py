"""What the tests of `verify` share: a lake that has been through a lot, and ways to damage it.

Belongs here: the damage, done by pyiceberg behind the product's back. Does not belong here: what is expected of
`verify`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from shoplake_assets.lake.gaps import Gap, record_gaps
from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.lake.verify.full import verify_fully
from shoplake_assets.lake.verify.proof import Proof, Verification
from shoplake_assets.lake.verify.quick import verify_quickly
from shoplake_assets.tables import ALL
from shoplake_assets_tests.building import TOPIC_ID, Shop, event, purchase

OLD_TOPIC = "OOOOOOOOOOOOOOOOOOOOOO"
KAFKA = KafkaRange(begin=Position.of_topic(TOPIC_ID, {0: 5, 1: 0}), end=Position.of_topic(TOPIC_ID, {0: 22, 1: 5}))
"""Kafka as it fits the eventful lake: retention has taken five records, and two have not been read yet."""
_ANYTHING = Acceptance(because="a test", share=1)


def fill(shop: Shop) -> None:
    """Two topics, gaps, repeats in and across partitions and increments, late and broken records."""
    shop.produce(event(event_id="o1"), event(event_id="o2"), topic=OLD_TOPIC)
    shop.next_offsets = {0: 3}
    shop.produce(
        purchase(event_id="e3", price=9.99, quantity=2),
        event(event_id="e4", session_id=None, category=None),
        b"broken",
        purchase(event_id="e3", price=9.99, quantity=2),
        event(event_id="e7", event_type="add_to_cart"),
    )
    shop.produce(purchase(event_id="f0", price=20, user_id="u2", product_id="p2"), event(event_id="f1"), partition=1)
    shop.refresh(acceptance=_ANYTHING)
    shop.next_offsets[0] = 11
    shop.produce(
        purchase(event_id="e11", at="2026-03-09T08:00:00Z", price=5, session_id="s2"),
        event(event_id="e12", at="2026-03-01T10:59:59Z"),
        b"{}",
        *(event(event_id=f"e{offset}", at="2026-03-09T09:00:00Z") for offset in range(14, 20)),
    )
    shop.produce(
        purchase(event_id="e3", price=9.99, quantity=2),
        purchase(event_id="f3", at="2026-03-09T08:30:00Z", price=0.5, product_name=None),
        event(event_id="f4", at="2026-03-09T08:30:00Z"),
        partition=1,
    )
    record_gaps(shop.lake.catalog, [gap(0, 0, 2), gap(0, 8, 10)])
    shop.refresh(acceptance=_ANYTHING)


def gap(partition: int, first: int, last: int) -> Gap:
    return Gap(topic_id=TOPIC_ID, partition=partition, first=first, last=last, found_at=datetime.now(UTC))


def full(shop: Shop, *, kafka: KafkaRange | None = KAFKA) -> Verification:
    return verify_fully(shop.lake, kafka=lambda: kafka)


def quick(shop: Shop, *, kafka: KafkaRange | None = KAFKA) -> Verification:
    return verify_quickly(shop.lake.catalog, kafka=lambda: kafka)


def wrong(found: Verification) -> dict[tuple[str, str], tuple[str, ...]]:
    """The findings of what does not hold, by table and proof."""
    return {(proof.table, proof.name): tuple(proof.findings) for proof in found.proofs if proof.holds is False}


def unproven(found: Verification) -> dict[tuple[str, str], str]:
    """What is not proven, and why."""
    return {(proof.table, proof.name): proof.says for proof in found.proofs if proof.holds is None}


def proof_of(found: Verification, table: str, name: str) -> Proof:
    (one,) = (proof for proof in found.proofs if (proof.table, proof.name) == (table, name))
    return one


def delete(shop: Shop, table: str, where: str) -> None:
    shop.lake.table(table).delete(where)


def double(shop: Shop, table: str, where: str) -> None:
    opened = shop.lake.table(table)
    opened.append(opened.scan(where).to_arrow())


def alter(shop: Shop, table: str, where: str, change: Mapping[str, Any] | Callable[[dict[str, Any]], Any]) -> None:
    """Give some columns of the rows other values; or whatever a function does to a row."""
    opened = shop.lake.table(table)
    rows = opened.scan(where).to_arrow().to_pylist()
    assert rows
    for row in rows:
        row.update(change) if isinstance(change, Mapping) else change(row)
    opened.overwrite(pa.Table.from_pylist(rows, schema=opened.schema().as_arrow()), overwrite_filter=where)


def insert(shop: Shop, table: str, row: Mapping[str, Any]) -> None:
    opened = shop.lake.table(table)
    opened.append(pa.Table.from_pylist([dict(row)], schema=opened.schema().as_arrow()))


def roll_back(shop: Shop, table: str, snapshot_id: int) -> None:
    shop.lake.table(table).manage_snapshots().set_current_snapshot(snapshot_id=snapshot_id).commit()


@contextmanager
def undone(shop: Shop) -> Iterator[None]:
    """Whatever is done to the tables in it is undone afterwards."""
    before = shop.snapshot_ids()
    try:
        yield
    finally:
        for name in ALL:
            snapshot = before[name]
            if snapshot is not None and shop.lake.table(name).metadata.current_snapshot_id != snapshot:
                roll_back(shop, name, snapshot)
