"""A real Prometheus beside a running product, with the rules of the repository."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shoplake_assets_tests.monitoring.prometheus import Prometheus, watching
from shoplake_assets_tests.monitoring.watching import alerts, named_metrics
from shoplake_assets_tests.product.conftest import Product
from shoplake_assets_tests.waiting import wait_until

pytestmark = [pytest.mark.spark, pytest.mark.product]

# Each job with the name under which `status` tells its address.
JOBS = {"ingest": "ingest", "lake": "dashboard", "spark": "spark-ui", "ingest-spark": "ingest-ui"}


def test_all_that_rules_and_dashboards_name_exists_and_nothing_alarms(drained: Product, tmp_path: Path) -> None:
    urls = drained.json("status")["urls"]
    targets = {job: urlsplit(urls[name]).netloc for job, name in JOBS.items()}
    with watching(targets, folder=tmp_path) as prometheus:
        wait_until(lambda: health(prometheus) == dict.fromkeys(JOBS, "up"), what="all targets are up", seconds=60)
        # Dagster judges freshness at its own pace; it is the last to be known.
        wait_until(lambda: "shoplake_table_stale" in metrics(prometheus), what="freshness is known", seconds=180)
        wait_until(
            lambda: "unknown" not in dict(rules(prometheus)).values(), what="all rules are evaluated", seconds=60
        )
        assert named_metrics() - metrics(prometheus) - described(prometheus) == set()
        assert sorted(rules(prometheus)) == sorted((name, "ok") for name in alerts())
        # Neither one that fires nor one that is about to.
        assert prometheus.ask("alerts")["alerts"] == []


def health(prometheus: Prometheus) -> dict[str, str]:
    """Whether each job can be scraped."""
    return {one["labels"]["job"]: one["health"] for one in prometheus.ask("targets")["activeTargets"]}


def metrics(prometheus: Prometheus) -> set[str]:
    """The names of which there are values."""
    return set(prometheus.ask("label/__name__/values"))


def described(prometheus: Prometheus) -> set[str]:
    """The names that are announced, of which there may be no value now: no event was late, nothing was refreshed."""
    return set(prometheus.ask("metadata"))


def rules(prometheus: Prometheus) -> list[tuple[str, str]]:
    """Each rule with the health of its last evaluation, or why it failed."""
    found = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    return [(rule["name"], rule.get("lastError") or rule["health"]) for rule in found]
