"""What Prometheus reads, from a picture of a lake's health."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shoplake_assets.health.reader import HealthReader
from shoplake_assets.health.state import Freshness, Health, Source, Usage
from shoplake_assets.lake.gaps import Gap
from shoplake_assets.lake.quarantine import Findings, Reason
from shoplake_assets.metrics.lake import lake_registry, register
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.runtime.supervision import ProcessState
from shoplake_assets.settings import Settings
from shoplake_assets_tests.health.picture import NOW, check, health, refresh, table

Samples = Mapping[str, float]

GAP = Gap(topic_id="T", partition=0, first=10, last=19, found_at=NOW)
WHOLE = health(
    tables={
        "bronze.events": table(rows=120, lag_events=5, lag_seconds=2.5),
        "silver.events": table(rows=100, files=7, size_bytes=4096, snapshots=9),
        "silver.quarantine": table(rows=8, lag_events=None, lag_seconds=None, committed_at=None),
    },
    duplicates=12,
    quarantine=Findings(
        records=8,
        reasons=(
            Reason(reason="price is negative", records=6, examples=()),
            Reason(reason='user_id is "missing"', records=3, examples=()),
        ),
    ),
    gaps=(GAP, replace(GAP, partition=1, last=10, acknowledged_at=NOW)),
    checks=(
        check("contract"),
        check("quarantine_share", passed=False),
        check("late_share", blocking=False, severe=False, figures={"share": 0.125}),
        check("verified", blocking=False, severe=False, passed=None, at=None),
    ),
    freshness={
        "bronze.events": Freshness.FRESH,
        "silver.events": Freshness.STALE,
        "silver.quarantine": Freshness.UNKNOWN,
    },
    processes={
        "ingest": ProcessState(pid=11, state="running", since=None, restarts=2),
        "spark": ProcessState(pid=None, state="backoff", since=None, restarts=5),
    },
    usage={"ingest": Usage(resident_bytes=1_000_000, cpu_seconds=3.25)},
    ingest={"state": "running", "last_trigger_at": NOW.isoformat()},
    troubles={Source.KAFKA: "cannot reach Kafka"},
)


def text_of(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def samples(text: str) -> Samples:
    """Every sample of ours by its name and labels, as they are written."""
    lines = [line for line in text.splitlines() if line.startswith("shoplake_") and "_created" not in line]
    read = dict(line.rsplit(" ", 1) for line in lines)
    assert len(read) == len(lines)
    return {name: float(value) for name, value in read.items()}


def seen(found: Health) -> Samples:
    return samples(text_of(lake_registry(lambda: found)))


def test_every_figure_of_a_lake_has_its_sample() -> None:
    found = {name: value for name, value in seen(WHOLE).items() if "refresh_duration" not in name}
    now = NOW.timestamp()
    assert found == {
        'shoplake_table_rows{table="bronze.events"}': 120,
        'shoplake_table_rows{table="silver.events"}': 100,
        'shoplake_table_rows{table="silver.quarantine"}': 8,
        'shoplake_table_files{table="bronze.events"}': 2,
        'shoplake_table_files{table="silver.events"}': 7,
        'shoplake_table_files{table="silver.quarantine"}': 2,
        'shoplake_table_size_bytes{table="bronze.events"}': 2048,
        'shoplake_table_size_bytes{table="silver.events"}': 4096,
        'shoplake_table_size_bytes{table="silver.quarantine"}': 2048,
        'shoplake_table_snapshots{table="bronze.events"}': 3,
        'shoplake_table_snapshots{table="silver.events"}': 9,
        'shoplake_table_snapshots{table="silver.quarantine"}': 3,
        'shoplake_table_lag_events{table="bronze.events"}': 5,
        'shoplake_table_lag_events{table="silver.events"}': 0,
        'shoplake_table_lag_seconds{table="bronze.events"}': 2.5,
        'shoplake_table_lag_seconds{table="silver.events"}': 0,
        'shoplake_table_last_commit_timestamp_seconds{table="bronze.events"}': now,
        'shoplake_table_last_commit_timestamp_seconds{table="silver.events"}': now,
        'shoplake_table_stale{table="bronze.events"}': 0,
        'shoplake_table_stale{table="silver.events"}': 1,
        'shoplake_records_total{fate="silver"}': 100,
        'shoplake_records_total{fate="quarantine"}': 8,
        'shoplake_records_total{fate="duplicate"}': 12,
        'shoplake_quarantine_records{reason="price is negative"}': 6,
        'shoplake_quarantine_records{reason="user_id is \\"missing\\""}': 3,
        "shoplake_late_share": 0.125,
        'shoplake_gap_events{acknowledged="false"}': 10,
        'shoplake_gap_events{acknowledged="true"}': 1,
        'shoplake_check_passed{blocking="true",check="contract",severity="error",table="silver.events"}': 1,
        'shoplake_check_passed{blocking="true",check="quarantine_share",severity="error",table="silver.events"}': 0,
        'shoplake_check_passed{blocking="false",check="late_share",severity="warning",table="silver.events"}': 1,
        'shoplake_check_evaluated_timestamp_seconds{check="contract",table="silver.events"}': now,
        'shoplake_check_evaluated_timestamp_seconds{check="quarantine_share",table="silver.events"}': now,
        'shoplake_check_evaluated_timestamp_seconds{check="late_share",table="silver.events"}': now,
        'shoplake_process_up{process="ingest"}': 1,
        'shoplake_process_up{process="spark"}': 0,
        'shoplake_process_restarts_total{process="ingest"}': 2,
        'shoplake_process_restarts_total{process="spark"}': 5,
        'shoplake_process_resident_memory_bytes{process="ingest"}': 1_000_000,
        'shoplake_process_cpu_seconds_total{process="ingest"}': 3.25,
        "shoplake_disk_free_bytes": 400,
        "shoplake_disk_size_bytes": 1000,
        'shoplake_stream_pulse{pulse="ACTIVE"}': 1,
        'shoplake_stream_pulse{pulse="LAGGING"}': 0,
        'shoplake_stream_pulse{pulse="STOPPED"}': 0,
        'shoplake_source_answers{source="catalog"}': 1,
        'shoplake_source_answers{source="kafka"}': 0,
        'shoplake_source_answers{source="ingest"}': 1,
        'shoplake_source_answers{source="dagster"}': 1,
        'shoplake_source_answers{source="supervisor"}': 1,
    }


def test_of_what_is_not_known_there_is_no_sample() -> None:
    known = {name.partition("{")[0] for name in seen(health())}
    assert {name for name in known if "refresh_duration" not in name} == {
        "shoplake_disk_free_bytes",
        "shoplake_disk_size_bytes",
        "shoplake_stream_pulse",
        "shoplake_source_answers",
    }


def test_reasons_stay_bounded_whatever_is_in_quarantine() -> None:
    reasons = tuple(Reason(reason=f"rule {number}", records=100 - number, examples=()) for number in range(80))
    found = seen(health(quarantine=Findings(records=1000, reasons=reasons)))
    shown = {name: value for name, value in found.items() if "quarantine_records" in name}
    assert len(shown) == 51
    assert shown['shoplake_quarantine_records{reason="rule 49"}'] == 51
    assert shown['shoplake_quarantine_records{reason="(others)"}'] == sum(range(21, 51))


def test_each_refresh_is_observed_once_and_none_of_those_before_the_process_began() -> None:
    begun = datetime.now(UTC)
    old = refresh("old", ended_at=begun - timedelta(minutes=5), seconds=9)
    first = refresh("first", ended_at=begun + timedelta(minutes=1), seconds=12)
    second = refresh("second", ended_at=begun + timedelta(minutes=2), seconds=40, succeeded=False)
    looks = iter(
        [
            health(refreshes=(old,)),
            health(refreshes=(first, old)),
            health(troubles={Source.DAGSTER: "Dagster does not answer"}),
            health(refreshes=(second, first, old)),
        ]
    )
    registry = lake_registry(lambda: next(looks))

    def counts() -> tuple[float, ...]:
        found = samples(text_of(registry))
        return tuple(
            found[f'shoplake_refresh_duration_seconds_{what}{{result="{result}"}}']
            for result in ("success", "failure")
            for what in ("count", "sum")
        )

    assert [counts() for _ in range(4)] == [(0, 0, 0, 0), (1, 12, 0, 0), (1, 12, 0, 0), (1, 12, 1, 40)]


UNITS = ("_seconds", "_bytes", "_events", "_records", "_rows", "_files", "_snapshots", "_total", "_share")
STATES = ("_stale", "_passed", "_up", "_answers", "_pulse")


def test_names_follow_the_conventions_of_prometheus() -> None:
    families = list(text_string_to_metric_families(text_of(lake_registry(lambda: WHOLE))))
    ours = [
        family for family in families if family.name.startswith("shoplake_") and not family.name.endswith("_created")
    ]
    assert len(ours) == 23
    for family in ours:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", name), name
        assert name.endswith(UNITS + STATES), name
        assert name.endswith("_total") == (family.type == "counter"), name
        assert family.type in {"counter", "gauge", "histogram"}, name
        assert family.documentation.endswith("."), name
        assert not {label for one in family.samples for label in one.labels} & {"job", "instance"}


def test_the_page_tells_of_the_lake_and_of_the_process_that_serves_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    choose_free_ports(settings)
    server = Flask("test")
    register(server, HealthReader(Settings(home=tmp_path)))
    answer = server.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    lines = answer.get_data(as_text=True).splitlines()
    assert 'shoplake_source_answers{source="dagster"} 0.0' in lines
    assert 'shoplake_source_answers{source="catalog"} 1.0' in lines
    names = {re.split(r"[ {]", line)[0] for line in lines}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "python_info"} <= names
