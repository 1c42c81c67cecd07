"""A producer that breaks, as a user meets it: what is blocked, what the report says, and how it goes on.

At last it sends what no producer should, a hundred thousand times, and each of it ends in one place.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from shoplake_assets.lake.snapshots import TOTAL_DUPLICATES, reflecting, rows_of, summary_of
from shoplake_assets_tests.fuzz import fuzzed
from shoplake_assets_tests.hostile import CORPUS
from shoplake_assets_tests.product.conftest import Product
from shoplake_assets_tests.waiting import wait_until

pytestmark = [pytest.mark.spark, pytest.mark.product]

FUZZED = 100_000
PARTITIONS = 2
DERIVED = ("silver.", "gold.")
CHECK = """query Check($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks {
    name
    executionForLatestMaterialization { status evaluation { description metadataEntries {
      label
      ... on TextMetadataEntry { text }
      ... on TableMetadataEntry { table { records } }
    } } }
  } } } } }
}"""


def snapshots(product: Product) -> dict[str, int]:
    """The snapshot that readers of each derived table see."""
    tables = product.json("status")["tables"]
    return {name: table["snapshot_id"] for name, table in tables.items() if name.startswith(DERIVED)}


def rows_of_tables(product: Product) -> dict[str, int]:
    """How many rows each table has."""
    return {name: table["rows"] for name, table in product.json("status")["tables"].items()}


def check_of(product: Product, table: str, name: str) -> dict[str, Any]:
    """The latest evaluation of a table's check, as the Dagster UI asks for it."""
    url = f"{product.json('status')['urls']['webserver']}/graphql"
    asked = {"query": CHECK, "variables": {"key": {"path": table.split(".")}}}
    node = httpx.post(url, json=asked, timeout=30).raise_for_status().json()["data"]["assetNodeOrError"]
    (found,) = [check for check in node["assetChecksOrError"]["checks"] if check["name"] == name]
    execution: dict[str, Any] = found["executionForLatestMaterialization"] or {"status": "NONE"}
    return execution


def wait_for_check(product: Product, table: str, name: str, *, status: str) -> dict[str, Any]:
    """Wait until a check says so, and give what it says; while a refresh is under way Dagster shows no result."""
    found: dict[str, Any] = {}

    def says_so() -> bool:
        found.update(check_of(product, table, name))
        return bool(found["status"] == status)

    wait_until(says_so, what=f"{name} of {table} is {status}")
    return found


def test_a_broken_producer_is_kept_out_until_somebody_accepts_it(product: Product) -> None:
    send = ("generate", "--rate", "0", "--duplicate-rate", "0", "--late-rate", "0", "--count")
    product.run("drain")
    before, held = snapshots(product), rows_of_tables(product)

    product.run(*send, "1000", "--seed", "2", "--bad-rate", "0.2")
    stuck = product.run("drain", check=False)
    assert stuck.returncode == 1
    share = re.search(r"silver\.events stays as it was: (\d+) of 1,000 records go to quarantine", stuck.stderr)
    assert share is not None, stuck.stderr
    broken = int(share[1])
    assert snapshots(product) == before
    assert rows_of_tables(product)["bronze.events"] == held["bronze.events"] + 1_000

    report = wait_for_check(product, "silver.events", "quarantine_share", status="FAILED")
    told = {entry["label"]: entry for entry in report["evaluation"]["metadataEntries"]}
    assert len(told["examples"]["table"]["records"]) == 10
    # What was not touched does not look broken.
    wait_for_check(product, "gold.hourly_sales", "contract", status="SUCCEEDED")
    branch = told["branch to inspect"]["text"].removeprefix("lake.silver.events.branch_")

    assert product.json("quarantine", "list")["records"] == held["silver.quarantine"]
    listed = product.json("quarantine", "list", "--branch", branch)
    assert (listed["records"], sum(reason["records"] for reason in listed["reasons"]) >= broken) == (broken, True)

    refused = product.run("quarantine", "accept", "--because", "a trial", "--share", "0.1", check=False)
    assert (refused.returncode, "see --share" in refused.stderr) == (1, True)
    accepted = product.run("quarantine", "accept", "--because", "a trial", "--share", "0.4")
    assert accepted.stdout.startswith(f"Published: {broken} of 1,000 records went to quarantine, because: a trial")
    product.run("drain")
    now = rows_of_tables(product)
    assert now["silver.events"] == held["silver.events"] + 1_000 - broken
    assert now["silver.quarantine"] == held["silver.quarantine"] + broken

    # What comes now goes through without anybody's help.
    product.run(*send, "500", "--seed", "3", "--bad-rate", "0")
    wait_until(
        lambda: sum(row["events"] for row in product.read("gold.hourly_sales")) == now["silver.events"] + 500,
        what="Gold has the new events by itself",
    )
    wait_for_check(product, "silver.events", "quarantine_share", status="SUCCEEDED")


def test_a_replay_by_the_same_contract_moves_nothing(product: Product) -> None:
    product.run("drain")
    before = product.numbers()
    replayed = product.json("quarantine", "replay")
    assert replayed["records"] == replayed["broken"] == len(before["silver.quarantine"])
    assert product.numbers() == before


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


def coordinates(product: Product, table: str) -> Counter[tuple[int, int]]:
    """How often each record of Kafka is in the table."""
    return Counter((row["partition"], row["offset"]) for row in product.read(table))


def duplicates(product: Product) -> int:
    """The repeats that Silver has counted so far."""
    return int(summary_of(reflecting(product.catalog.load_table("silver.events"))).get(TOTAL_DUPLICATES, 0))


def test_every_fuzzed_event_is_accounted_for_and_no_process_falls(product: Product) -> None:
    names = ("bronze.events", "silver.events", "silver.quarantine")
    before = {name: coordinates(product, name) for name in names}
    running, repeats = processes(product), duplicates(product)
    corpus = [payload for payload, _ in CORPUS.values()]
    send(product, [*corpus, *fuzzed(FUZZED - len(corpus), seed=9)])
    sent = before["bronze.events"].total() + FUZZED
    wait_until(
        lambda: rows_of(product.catalog.load_table("bronze.events").current_snapshot()) == sent,
        what="Bronze has every payload",
    )
    product.run("quarantine", "accept", "--because", "fuzz", "--share", "1")
    product.run("drain")

    came, accepted, rejected = (coordinates(product, name) - before[name] for name in names)
    assert len(came) == came.total() == FUZZED
    ended = accepted + rejected
    assert set(ended.values()) == {1}
    assert ended.keys() <= came.keys()
    repeated = duplicates(product) - repeats
    assert len(accepted) + len(rejected) + repeated == FUZZED
    assert min(len(accepted), len(rejected), repeated) > 0
    assert processes(product) == running
