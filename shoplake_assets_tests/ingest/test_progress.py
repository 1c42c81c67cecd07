"""What the ingest tells of itself: its status and its metrics, from Spark's own progress reports."""

import os
from datetime import datetime

import pytest

from shoplake_assets.ingest.progress import Progress
from shoplake_assets.ingest.server import application

# As Spark 4.1 writes it, but for what nothing reads.
REPORT = {
    "id": "8b2f3b0e-6d7c-4f6e-9d55-0f7f0f6f8a01",
    "name": "bronze_events",
    "timestamp": "2026-03-01T10:00:00.000Z",
    "batchId": 3,
    "numInputRows": 120,
    "durationMs": {"addBatch": 900, "commitOffsets": 40, "triggerExecution": 1250},
    "sources": [
        {
            "description": "KafkaV2[Subscribe[shop-events]]",
            "startOffset": {"shop-events": {"0": 10, "1": 0}},
            "endOffset": {"shop-events": {"0": 70, "1": 60}},
            "numInputRows": 120,
        }
    ],
}
IDLE = {**REPORT, "batchId": 4, "numInputRows": 0, "durationMs": {"triggerExecution": 5}}


@pytest.fixture
def progress() -> Progress:
    """The progress of an ingest that has just begun."""
    return Progress(trigger_seconds=10)


def test_it_starts_before_it_runs(progress: Progress) -> None:
    document = progress.document()
    assert (document["state"], document["pid"], document["rows_total"]) == ("starting", os.getpid(), 0)
    assert document["last_trigger_at"] is None
    assert document["last_batch"] is None
    assert datetime.fromisoformat(document["since"]).utcoffset() is not None


def test_a_batch_is_counted_with_its_offsets_and_seconds(progress: Progress) -> None:
    progress.note(state="running", topic="shop-events")
    progress.batch(REPORT)
    progress.batch({**REPORT, "batchId": 4, "numInputRows": 30})
    document = progress.document()
    assert document["state"] == "running"
    assert document["rows_total"] == 150
    assert document["last_batch"] == {
        "id": 4,
        "rows": 30,
        "started_at": "2026-03-01T10:00:00.000Z",
        "seconds": {"addBatch": 0.9, "commitOffsets": 0.04, "triggerExecution": 1.25},
        "offsets": {"0": 70, "1": 60},
    }


def test_a_batch_without_records_is_a_sign_of_life_and_keeps_the_last_batch(progress: Progress) -> None:
    progress.batch(REPORT)
    before = progress.document()
    progress.batch(IDLE)
    after = progress.document()
    assert after["last_batch"] == before["last_batch"]
    assert after["rows_total"] == 120
    assert after["last_trigger_at"] >= before["last_trigger_at"]


def test_offsets_that_spark_gives_as_a_text_are_read_alike(progress: Progress) -> None:
    progress.batch({**REPORT, "sources": [{"endOffset": '{"shop-events":{"0":70,"1":60}}'}]})
    assert progress.document()["last_batch"]["offsets"] == {"0": 70, "1": 60}


def test_status_is_served_as_json(progress: Progress) -> None:
    progress.batch(REPORT)
    answer = application(progress).test_client().get("/status")
    assert answer.status_code == 200
    assert answer.get_json() == progress.document()


def test_metrics_are_served_as_prometheus_reads_them(progress: Progress) -> None:
    progress.batch(REPORT)
    progress.batch(IDLE)
    answer = application(progress).test_client().get("/metrics")
    lines = answer.get_data(as_text=True).splitlines()
    assert answer.content_type.startswith("text/plain")
    assert "shoplake_ingest_events_total 120.0" in lines
    assert "shoplake_ingest_batch_duration_seconds_count 1.0" in lines
    assert 'shoplake_ingest_batch_duration_seconds_bucket{le="1.0"} 0.0' in lines
    assert 'shoplake_ingest_batch_duration_seconds_bucket{le="2.0"} 1.0' in lines
    assert 'shoplake_ingest_next_offset{partition="0"} 70.0' in lines
    assert any(line.startswith("shoplake_ingest_last_trigger_timestamp_seconds 1") for line in lines)


def test_metrics_compare_a_batch_with_its_interval_and_say_which_phase_took_how_long(progress: Progress) -> None:
    progress.batch(REPORT)
    progress.batch(IDLE)
    lines = application(progress).test_client().get("/metrics").get_data(as_text=True).splitlines()
    phases = [line for line in lines if line.startswith("shoplake_ingest_phase_duration_seconds_sum")]
    assert phases == [
        'shoplake_ingest_phase_duration_seconds_sum{phase="addBatch"} 0.9',
        'shoplake_ingest_phase_duration_seconds_sum{phase="commitOffsets"} 0.04',
    ]
    assert 'shoplake_ingest_phase_duration_seconds_bucket{le="0.5",phase="addBatch"} 0.0' in lines
    assert 'shoplake_ingest_phase_duration_seconds_bucket{le="1.0",phase="addBatch"} 1.0' in lines
    assert "shoplake_ingest_trigger_interval_seconds 10.0" in lines


def test_metrics_say_what_the_process_itself_takes(progress: Progress) -> None:
    lines = application(progress).test_client().get("/metrics").get_data(as_text=True).splitlines()
    names = {line.split()[0] for line in lines}
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= names


def test_anything_else_is_not_found(progress: Progress) -> None:
    assert application(progress).test_client().get("/").status_code == 404
