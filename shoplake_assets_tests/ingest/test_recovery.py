"""What the ingest does when its checkpoint, its topic, its lake or one of its processes is not what it was.

A real broker, with its real retention, and real kills. Each start of an ingest costs seconds, so a test follows one
lake through several of them.
"""

import random
import resource
import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, yet not re-exported to type checkers
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from typer.testing import CliRunner

from shoplake_assets.checks.bronze import gaps_acknowledged, offsets_contiguous
from shoplake_assets.cli import main
from shoplake_assets.events.broker import client_options
from shoplake_assets.events.topic import (
    TopicMissingError,
    beginning_offsets,
    describe_topic,
    end_offsets,
    ensure_topic,
)
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import read_gaps
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import commits, since, snapshot_id_of
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS
from shoplake_assets_tests.ingest.running import bronze_rows, drained, offsets, produce, running
from shoplake_assets_tests.waiting import wait_until

pytestmark = pytest.mark.spark


def _payloads(mark: str, count: int = 20) -> list[bytes]:
    return [f"{mark}{number}".encode() for number in range(count)]


def _filling(count: int) -> list[bytes]:
    """Payloads of 100 kB that no compression makes smaller, so that they fill segments."""
    noise = random.Random(7)  # noqa: S311  no secret
    return [noise.randbytes(100_000) for _ in range(count)]


def _admin(settings: Settings) -> AdminClient:
    return AdminClient({**client_options(settings)})


def _keep_one_segment(settings: Settings) -> None:
    """Let the broker delete whatever is not in the segment that it writes; 1 MiB is Kafka's smallest."""
    wanted = {"segment.bytes": "1048576", "retention.bytes": "1"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ResourceType.TOPIC, settings.kafka.topic, incremental_configs=entries)
    admin = _admin(settings)  # which must outlive its answers
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(timeout=30)


def _delete_topic(settings: Settings) -> None:
    admin = _admin(settings)  # which must outlive its answers
    for future in admin.delete_topics([settings.kafka.topic]).values():
        future.result(timeout=30)

    def gone() -> bool:
        try:
            describe_topic(settings)
        except TopicMissingError:
            return True
        return False

    wait_until(gone, what="the topic is gone")


def _once_from_zero(settings: Settings, topic_id: str, *, rows: int) -> None:
    """Every offset of every partition once, from 0 on, and so many in all."""
    found = offsets(settings, topic_id)
    assert found == {partition: list(range(len(numbers))) for partition, numbers in found.items()}
    assert sum(map(len, found.values())) == rows


def _is_spark(process: psutil.Process) -> bool:
    """Whether this child of the ingest is its JVM: others are Javas that are asked for their version before."""
    try:
        return "pyspark-shell" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def test_what_retention_removed_is_recorded_reported_and_no_end_of_the_ingest(settings: Settings) -> None:
    topic_id = ensure_topic(settings).id
    produce(settings, _payloads("before"))
    drained(settings)
    had = offsets(settings, topic_id)

    _keep_one_segment(settings)
    produce(settings, _filling(60))
    ends = end_offsets(settings)

    def removed() -> bool:
        begin = beginning_offsets(settings)
        return all(
            begin[partition] > len(had[partition]) and ends[partition] - begin[partition] < 11 for partition in had
        )

    wait_until(removed, what="retention has removed all segments but the newest")
    begin = beginning_offsets(settings)
    log = drained(settings)
    lost = {partition: (len(numbers), begin[partition] - 1) for partition, numbers in had.items()}
    assert f"{sum(last - first + 1 for first, last in lost.values())} events are gone from Kafka and recorded" in log
    assert offsets(settings, topic_id) == {
        partition: [*numbers, *range(begin[partition], ends[partition])] for partition, numbers in had.items()
    }
    catalog = open_catalog(settings)
    gaps = read_gaps(catalog.load_table(BRONZE_GAPS))
    assert {gap.partition: (gap.first, gap.last) for gap in gaps} == lost
    assert {gap.topic_id for gap in gaps} == {topic_id}

    bronze = catalog.load_table(BRONZE_EVENTS)
    written = commits(bronze, since(bronze, after=None))
    assert not offsets_contiguous(written, start=Position(), gaps=[]).passed
    assert offsets_contiguous(written, start=Position(), gaps=gaps).passed
    assert not gaps_acknowledged(gaps).passed
    environment = {"SHOPLAKE_HOME": str(settings.home)}
    noted = CliRunner().invoke(main.app, ["gaps", "ack", "--because", "a test"], env=environment)
    assert noted.exit_code == 0, noted.stderr
    assert gaps_acknowledged(read_gaps(catalog.load_table(BRONZE_GAPS))).passed


def test_a_lake_that_is_rolled_back_under_the_ingest_is_filled_again(settings: Settings, tmp_path: Path) -> None:
    topic_id = ensure_topic(settings).id
    produce(settings, _payloads("early"))
    with running(settings, tmp_path / "ingest.log") as ingest:
        ingest.wait_for_rows(20)
        early = snapshot_id_of(open_catalog(settings).load_table(BRONZE_EVENTS))
        produce(settings, _payloads("late"))
        ingest.wait_for_rows(40)
        late = snapshot_id_of(open_catalog(settings).load_table(BRONZE_EVENTS))
        wait_until(lambda: ingest.status()["snapshot_id"] == late, what="the ingest has looked at Bronze since")
        open_catalog(settings).load_table(BRONZE_EVENTS).manage_snapshots().rollback_to_snapshot(early).commit()
        # What comes now may well be committed upon the older snapshot before the ingest has looked.
        produce(settings, _payloads("later"))
        assert ingest.wait_for_end() == 1
        assert ingest.words().splitlines()[-1] == (
            f"shoplake: bronze.events was rolled back to a snapshot before {late}. The ingest ends; the next start "
            "reads again from Kafka what the lake lacks."
        )
    assert len(bronze_rows(settings)) == 20
    drained(settings)
    _once_from_zero(settings, topic_id, rows=60)


def test_kills_and_another_topic_under_the_same_name_neither_lose_nor_double_an_event(
    settings: Settings, tmp_path: Path
) -> None:
    before = ensure_topic(settings).id
    produce(settings, _payloads("one"))
    with running(settings, tmp_path / "1.log") as ingest:
        ingest.wait_for_rows(20)
        (jvm,) = psutil.Process(ingest.process.pid).children()
        produce(settings, _payloads("two"))
        jvm.kill()
        assert ingest.wait_for_end() == 1
        # Not always the last line: py4j notes at exit that it could not take its leave of the JVM.
        assert f"shoplake: the JVM of the ingest (process {jvm.pid}) was ended by signal 9" in ingest.words()

    with running(settings, tmp_path / "2.log") as ingest:
        ingest.wait_until_it_runs()
        produce(settings, _payloads("three"))
        ingest.process.send_signal(signal.SIGKILL)
        ingest.wait_for_end()

    with running(settings, tmp_path / "3.log") as ingest:
        wait_until(lambda: len(bronze_rows(settings)) >= 60, what="everything has arrived")
        _once_from_zero(settings, before, rows=60)

        _delete_topic(settings)
        after = ensure_topic(settings).id
        produce(settings, _payloads("four", 7))
        assert ingest.wait_for_end() == 1
        assert f"shoplake: topic {settings.kafka.topic} was deleted" in ingest.words()

    log = drained(settings)
    assert "checkpoint generation 1 begins at {'0': 0, '1': 0}: the topic is new to this lake" in log
    assert before != after
    _once_from_zero(settings, before, rows=60)
    _once_from_zero(settings, after, rows=7)
    assert [path.name for path in (settings.home / "checkpoints" / "bronze_events").iterdir()] == [after]


def test_a_jvm_that_cannot_say_where_it_listens_is_not_waited_for_for_ever(settings: Settings, tmp_path: Path) -> None:
    ensure_topic(settings)
    with running(settings, tmp_path / "ingest.log") as ingest:
        jvm: list[psutil.Process] = []

        def started() -> bool:
            jvm[:] = [child for child in psutil.Process(ingest.process.pid).children() if _is_spark(child)]
            return bool(jvm)

        wait_until(started, what="there is a JVM")
        # Nothing that it writes arrives, as on a disk that is full.
        jvm[0].rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert ingest.wait_for_end() == 1
        assert "shoplake: the JVM of the ingest has ended, or not come up within 60 s" in ingest.words()
        assert not psutil.pid_exists(jvm[0].pid)
    drained(settings)
