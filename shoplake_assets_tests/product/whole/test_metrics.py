"""What a running product tells Prometheus."""

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from shoplake_assets.events.generator import Fate
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets_tests.product.conftest import Product
from shoplake_assets_tests.waiting import wait_until

pytestmark = [pytest.mark.spark, pytest.mark.product]

# Those of every commit and of every refresh; `verified` is evaluated at night.
BRONZE_CHECKS = {"contract", "gaps_acknowledged", "ingest_alive", "offsets_contiguous", "single_writer"}
SILVER_CHECKS = {
    *("contract", "key_unique", "reconciles", "volume", "quarantine_share", "late_share"),
    *("price_defaulted_share", "category_unknown_share", "conflicts"),
}


def test_prometheus_is_told_what_the_tables_hold_and_what_the_checks_say(
    drained: Product, records: dict[Fate, list[bytes]]
) -> None:
    status = drained.json("status")
    scraped: list[Sample] = []

    def refresh_is_told() -> bool:
        scraped[:] = scrape(f"{status['urls']['dashboard']}/metrics")
        ended = [one for one in scraped if one.name == "shoplake_refresh_duration_seconds_count"]
        return sum(one.value for one in ended) > 0

    # The tables are there before the run has ended that made them.
    wait_until(refresh_is_told, what="the refresh is among the metrics", seconds=120)

    def by(label: str, name: str) -> dict[str, float]:
        return {one.labels[label]: one.value for one in scraped if one.name == name}

    assert by("table", "shoplake_table_rows") == {name: table["rows"] for name, table in status["tables"].items()}
    assert by("table", "shoplake_table_lag_events") == dict.fromkeys(status["tables"], 0)
    assert by("fate", "shoplake_records_total") == {
        "silver": len(records[Fate.SILVER]),
        "quarantine": len(records[Fate.QUARANTINE]),
        "duplicate": len(records[Fate.DUPLICATE]),
    }
    reasons = Counter(reason for row in drained.read("silver.quarantine") for reason in row["reasons"])
    assert by("reason", "shoplake_quarantine_records") == reasons
    checks = {(one.labels["table"], one.labels["check"]): one for one in scraped if one.name == "shoplake_check_passed"}
    assert {table for table, _ in checks} == status["tables"].keys()
    assert {check for table, check in checks if table == "bronze.events"} == BRONZE_CHECKS
    assert {check for table, check in checks if table == "silver.events"} == SILVER_CHECKS
    assert [key for key, one in checks.items() if one.value != 1] == []
    assert checks["silver.events", "quarantine_share"].labels["blocking"] == "true"
    assert checks["silver.events", "late_share"].labels["severity"] == "warning"
    assert by("process", "shoplake_process_up") == dict.fromkeys(status["processes"], 1)
    assert set(by("source", "shoplake_source_answers").values()) == {1}
    assert by("result", "shoplake_refresh_duration_seconds_count")["failure"] == 0


def scrape(url: str) -> list[Sample]:
    """What Prometheus would read from a page of metrics."""
    with internal_client(timeout=30) as client:
        text = client.get(url).raise_for_status().text
    return [one for family in text_string_to_metric_families(text) for one in family.samples]
