"""A hundred thousand payloads that no producer should send, through the whole product: each ends in one place."""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle

import pytest
from confluent_kafka import Producer

from shoplake_assets.lake.snapshots import TOTAL_DUPLICATES, reflecting, summary_of
from shoplake_assets_tests.fuzz import fuzzed
from shoplake_assets_tests.hostile import CORPUS
from shoplake_assets_tests.product.conftest import Product

pytestmark = [pytest.mark.spark, pytest.mark.product]

COUNT = 100_000
PARTITIONS = 2


def send(product: Product, payloads: Sequence[bytes | None]) -> None:
    """Send the payloads as they are, to the partitions by turns."""
    kafka = product.json("status")["kafka"]
    producer = Producer({"bootstrap.servers": kafka["bootstrap"], "message.max.bytes": 1_048_000, "acks": "all"})
    for partition, payload in zip(cycle(range(PARTITIONS)), payloads, strict=False):
        producer.produce(kafka["topic"], value=payload, partition=partition)
        producer.poll(0)
    assert producer.flush(60) == 0


def processes(product: Product) -> dict[str, tuple[int, int]]:
    """Each process with its pid and how often it was started again."""
    return {name: (state["pid"], state["restarts"]) for name, state in product.json("status")["processes"].items()}


def test_every_fuzzed_event_is_accounted_for_and_no_process_falls(product: Product) -> None:
    corpus = [payload for payload, _ in CORPUS.values()]
    before = processes(product)
    send(product, [*corpus, *fuzzed(COUNT - len(corpus), seed=9)])
    product.run("drain", check=False)  # So many broken events are blocked.
    product.run("quarantine", "accept", "--because", "fuzz", "--share", "1")
    drained = product.json("drain")
    assert drained["events"] == COUNT

    rows = {name: product.read(name) for name in ("bronze.events", "silver.events", "silver.quarantine")}
    ended = Counter(
        (row["partition"], row["offset"]) for name in ("silver.events", "silver.quarantine") for row in rows[name]
    )
    came = Counter((row["partition"], row["offset"]) for row in rows["bronze.events"])
    assert len(came) == came.total() == COUNT
    assert set(ended.values()) == {1}
    assert ended.keys() <= came.keys()
    duplicates = int(summary_of(reflecting(product.catalog.load_table("silver.events")))[TOTAL_DUPLICATES])
    assert len(rows["silver.events"]) + len(rows["silver.quarantine"]) + duplicates == COUNT
    assert min(len(rows["silver.events"]), len(rows["silver.quarantine"]), duplicates) > 0
    assert processes(product) == before
