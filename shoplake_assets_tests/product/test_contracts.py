"""A producer that breaks, as a user meets it: what is blocked, what the report says, and how it goes on."""

import re
from typing import Any

import httpx
import pytest

from shoplake_assets_tests.product.conftest import Product
from shoplake_assets_tests.waiting import wait_until

pytestmark = [pytest.mark.spark, pytest.mark.product]

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
    product.run(*send, "2000", "--seed", "1", "--bad-rate", "0")
    product.run("drain")
    before = snapshots(product)

    product.run(*send, "1000", "--seed", "2", "--bad-rate", "0.2")
    stuck = product.run("drain", check=False)
    assert stuck.returncode == 1
    share = re.search(r"silver\.events stays as it was: (\d+) of 1,000 records go to quarantine", stuck.stderr)
    assert share is not None, stuck.stderr
    broken = int(share[1])
    assert snapshots(product) == before
    assert product.json("status")["tables"]["bronze.events"]["rows"] == 3_000

    report = wait_for_check(product, "silver.events", "quarantine_share", status="FAILED")
    told = {entry["label"]: entry for entry in report["evaluation"]["metadataEntries"]}
    assert len(told["examples"]["table"]["records"]) == 10
    # What was not touched does not look broken.
    wait_for_check(product, "gold.hourly_sales", "contract", status="SUCCEEDED")
    branch = told["branch to inspect"]["text"].removeprefix("lake.silver.events.branch_")

    assert product.json("quarantine", "list")["records"] == 0
    listed = product.json("quarantine", "list", "--branch", branch)
    assert (listed["records"], sum(reason["records"] for reason in listed["reasons"]) >= broken) == (broken, True)

    refused = product.run("quarantine", "accept", "--because", "a trial", "--share", "0.1", check=False)
    assert (refused.returncode, "see --share" in refused.stderr) == (1, True)
    accepted = product.run("quarantine", "accept", "--because", "a trial", "--share", "0.4")
    assert accepted.stdout.startswith(f"Published: {broken} of 1,000 records went to quarantine, because: a trial")
    tables = product.json("drain")["tables"]
    assert (tables["silver.events"]["rows"], tables["silver.quarantine"]["rows"]) == (3_000 - broken, broken)

    # What comes now goes through without anybody's help.
    product.run(*send, "500", "--seed", "3", "--bad-rate", "0")
    wait_until(
        lambda: sum(row["events"] for row in product.read("gold.hourly_sales")) == 3_500 - broken,
        what="Gold has the new events by itself",
    )
    wait_for_check(product, "silver.events", "quarantine_share", status="SUCCEEDED")


def test_a_replay_by_the_same_contract_moves_nothing(product: Product) -> None:
    product.run("drain")
    before = product.numbers()
    replayed = product.json("quarantine", "replay")
    assert replayed["records"] == replayed["broken"] == len(before["silver.quarantine"])
    assert product.numbers() == before
