"""What is read from Dagster's answers; they are as Dagster 1.13 gives them, but for what nothing reads."""

from datetime import UTC, datetime
from typing import Any

from shoplake_assets.health.orchestrator import (
    checks_of,
    earlier_question,
    freshness_of,
    refreshes_of,
    silent_checks,
)
from shoplake_assets.health.state import CheckHealth, Freshness, RefreshHealth


def evaluation(says: str, *, at: float, success: bool = True, severity: str = "ERROR", **figures: Any) -> Any:
    entries = [{"label": label, **entry} for label, entry in figures.items()]
    told = {"success": success, "severity": severity, "description": says, "timestamp": at, "metadataEntries": entries}
    return {"evaluation": told}


PLANNED = {"evaluation": None}
BRONZE = {
    "assetKey": {"path": ["bronze", "events"]},
    "freshnessStatusInfo": {"freshnessStatus": "HEALTHY"},
    "assetChecksOrError": {
        "checks": [
            {
                "name": "gaps_acknowledged",
                "blocking": False,
                "executionForLatestMaterialization": evaluation(
                    "no event was lost",
                    at=1795838522.5,
                    events={"intRepr": "0"},
                    gaps={"intRepr": "3000000000"},
                    reasons={},
                    unacknowledged={"intRepr": "0"},
                ),
            },
            {"name": "verified", "blocking": False, "executionForLatestMaterialization": None},
        ]
    },
}
GAPS: Any = {
    "assetKey": {"path": ["bronze", "gaps"]},
    "freshnessStatusInfo": None,
    "assetChecksOrError": {"checks": []},
}
SILVER = {
    "assetKey": {"path": ["silver", "events"]},
    "freshnessStatusInfo": {"freshnessStatus": "DEGRADED"},
    "assetChecksOrError": {
        "checks": [
            {"name": "quarantine_share", "blocking": True, "executionForLatestMaterialization": PLANNED},
            {
                "name": "late_share",
                "blocking": False,
                "executionForLatestMaterialization": evaluation(
                    "35 of 3,466 events are late", at=1795838518.25, severity="WARN", share={"floatValue": 0.010098}
                ),
            },
        ]
    },
}
GOLD = {
    "assetKey": {"path": ["gold", "hourly_sales"]},
    "freshnessStatusInfo": {"freshnessStatus": "UNKNOWN"},
    "assetChecksOrError": {"checks": []},
}
NODES: list[Any] = [GOLD, BRONZE, GAPS, SILVER]
EARLIER = {
    ("bronze.events", "verified"): [],
    ("silver.events", "quarantine_share"): [
        PLANNED,
        evaluation(
            "400 of 3,506 records go to quarantine", at=1795838498.0, success=False, share={"floatValue": 0.114}
        ),
        evaluation("12 of 3,506 records go to quarantine", at=1795838400.0, share={"floatValue": 0.003}),
    ],
}


def test_the_last_finished_evaluation_counts_also_while_the_next_one_is_planned() -> None:
    late, share = (check for check in checks_of(NODES, earlier=EARLIER) if check.table == "silver.events")
    assert share == CheckHealth(
        table="silver.events",
        name="quarantine_share",
        blocking=True,
        passed=False,
        severe=True,
        says="400 of 3,506 records go to quarantine",
        at=datetime(2026, 11, 28, 4, 1, 38, tzinfo=UTC),
        figures={"share": 0.114},
    )
    assert (late.name, late.blocking, late.severe, late.figures) == ("late_share", False, False, {"share": 0.010098})


def test_checks_come_in_the_order_of_the_tables_with_the_numbers_that_they_report() -> None:
    found = checks_of(NODES, earlier=EARLIER)
    assert [(check.table, check.name, check.passed) for check in found] == [
        ("bronze.events", "gaps_acknowledged", True),
        ("bronze.events", "verified", None),
        ("silver.events", "late_share", True),
        ("silver.events", "quarantine_share", False),
    ]
    assert found[0].figures == {"events": 0, "gaps": 3_000_000_000, "unacknowledged": 0}
    assert (found[1].at, found[1].says, found[1].figures) == (None, "", {})


def test_only_checks_whose_newest_execution_says_nothing_are_asked_for_one_by_one() -> None:
    silent = silent_checks(NODES)
    assert silent == [("bronze.events", "verified"), ("silver.events", "quarantine_share")]
    question = earlier_question(silent)
    assert 'c0: assetCheckExecutions(assetKey: {path: ["bronze", "events"]}, checkName: "verified"' in question
    assert 'c1: assetCheckExecutions(assetKey: {path: ["silver", "events"]}, checkName: "quarantine_share"' in question


def test_a_table_without_a_policy_is_neither_fresh_nor_stale() -> None:
    assert freshness_of(NODES) == {
        "gold.hourly_sales": Freshness.UNKNOWN,
        "bronze.events": Freshness.FRESH,
        "silver.events": Freshness.STALE,
    }


def run(run_id: str, job: str, *assets: str, status: str = "SUCCESS", begin: float | None, end: float) -> Any:
    selection = [{"path": asset.split(".")} for asset in assets]
    times = {"startTime": begin, "endTime": end}
    return {"runId": run_id, "jobName": job, "status": status, "assetSelection": selection, **times}


def test_refreshes_are_the_runs_that_touch_silver_or_gold_newest_first() -> None:
    runs = [
        run("a", "__ASSET_JOB", "gold.hourly_sales", begin=1795838420.5, end=1795838481.0),
        run("b", "write_exports", begin=1795838413.0, end=1795838415.0),
        run("c", "refresh", begin=1795838400.0, end=1795838500.0, status="FAILURE"),
        run("d", "__ASSET_JOB", "silver.events", begin=None, end=1795838300.0, status="CANCELED"),
    ]
    assert refreshes_of(runs) == (
        RefreshHealth(run_id="c", ended_at=datetime(2026, 11, 28, 4, 1, 40, tzinfo=UTC), seconds=100, succeeded=False),
        RefreshHealth(run_id="a", ended_at=datetime(2026, 11, 28, 4, 1, 21, tzinfo=UTC), seconds=60.5, succeeded=True),
        RefreshHealth(run_id="d", ended_at=datetime(2026, 11, 28, 3, 58, 20, tzinfo=UTC), seconds=0, succeeded=False),
    )
