"""Alerts fire when they should and not otherwise, and tell where to read on."""

import re

import pytest

from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings
from shoplake_assets_tests.monitoring.prometheus import promtool
from shoplake_assets_tests.monitoring.watching import PROMETHEUS, RUNBOOKS, alerts, read_yaml

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def slug(alert: str) -> str:
    """`IngestStopped` is `ingest-stopped`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower()


def test_promtool_accepts_configuration_and_rules() -> None:
    for configuration in ("prometheus.yaml", "compose.yaml"):
        assert f"{len(alerts())} rules found" in promtool("check", "config", configuration)
    promtool("check", "rules", "rules.yaml")


def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules.test.yaml")


def test_of_every_alert_both_is_tested_that_it_fires_and_that_it_does_not() -> None:
    tests = [case for test in read_yaml(PROMETHEUS / "rules.test.yaml")["tests"] for case in test["alert_rule_test"]]
    for fires in (True, False):
        assert {case["alertname"] for case in tests if bool(case.get("exp_alerts")) is fires} == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_how_bad_it_is_and_what_to_read(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"] == {
        "summary": alert["annotations"]["summary"],
        "description": alert["annotations"]["description"],
        "runbook_url": f"docs/runbooks.md#{slug(name)}",
    }


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert [heading.lower().replace(" ", "-") for heading in HEADING.findall(RUNBOOKS.read_text())] == [
        slug(name) for name in alerts()
    ]


def test_the_targets_are_the_default_ports_of_a_lake() -> None:
    settings = Settings.model_construct()
    ports = {
        "ingest": settings.ingest.port,
        "lake": settings.dashboard.port,
        "spark": settings.spark.ui_port,
        "ingest-spark": settings.ingest.spark_ui_port,
    }
    jobs = read_yaml(PROMETHEUS / "prometheus.yaml")["scrape_configs"]
    assert {job["job_name"]: job["static_configs"] for job in jobs} == {
        name: [{"targets": [f"{LOOPBACK}:{port}"]}] for name, port in ports.items()
    }


def test_in_containers_the_same_is_watched_under_the_names_of_the_services() -> None:
    embedded, contained = (read_yaml(PROMETHEUS / file) for file in ("prometheus.yaml", "compose.yaml"))
    hosts = {"ingest": "ingest", "lake": "dashboard", "spark": "spark", "ingest-spark": "ingest"}
    for job in embedded["scrape_configs"]:
        ((target,),) = (config["targets"] for config in job["static_configs"])
        host = f"{hosts[job['job_name']]}.shoplake.internal"
        job["static_configs"] = [{"targets": [target.replace(LOOPBACK, host)]}]
    assert contained == embedded
