"""The cluster does what the embedded lake does, also while parts of it die, and keeps its secrets."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from shoplake_assets.events.traffic import send
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED
from shoplake_assets_tests.cluster.batches import FIRST, SECOND
from shoplake_assets_tests.cluster.cluster import started
from shoplake_assets_tests.cluster.rehearsal import Rehearsed, rehearse
from shoplake_assets_tests.cluster.store import VERSITYGW, versitygw
from shoplake_assets_tests.ingest.running import drained

if TYPE_CHECKING:
    from shoplake_assets_tests.building import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.spark, pytest.mark.timeout(1800)]

# Where in Kafka a record was, and when it came: not the same in another Kafka at another time.
ELSEWHERE = {"topic_id", "partition", "offset", "kafka_timestamp", "quarantined_at"}


@pytest.fixture(scope="module")
def rehearsed() -> Iterator[Rehearsed]:
    """A rehearsal, after its end; not in pytest's folder, which Postgres could not read as another user."""
    with tempfile.TemporaryDirectory(prefix="shoplake-cluster-") as folder:
        Path(folder).chmod(0o755)
        with started(Path(folder), say=print) as cluster:
            done = rehearse(cluster, say=print)
        yield done


def test_the_store_is_a_real_one_wherever_go_can_install_it() -> None:
    assert versitygw() or not shutil.which("go"), f"go install {VERSITYGW}"


def test_every_event_is_there_once_though_a_worker_and_a_broker_were_killed(rehearsed: Rehearsed) -> None:
    assert [verified["holds"] for verified in rehearsed.verified] == [True, True]
    assert len(rehearsed.rows[BRONZE_EVENTS]) == FIRST.count + SECOND.count == 32_000
    assert rehearsed.exits == {}


def test_silver_and_gold_are_those_of_the_embedded_lake_row_for_row(
    rehearsed: Rehearsed, settings: Settings, shop: "Shop"
) -> None:
    for batch in (FIRST, SECOND):
        assert send(settings, plan=batch.plan, stop=Event(), on_progress=lambda _: None).failed == 0
    drained(settings)
    shop.refresh()
    for table in DERIVED:
        expected = comparable(shop.lake.table(table).scan().to_arrow().to_pylist())
        assert expected, table
        assert comparable(rehearsed.rows[table]) == expected, table


def test_nothing_that_the_cluster_shows_or_leaves_behind_has_a_secret(rehearsed: Rehearsed) -> None:
    assert rehearsed.leaks == []
    # They would have been found: the files that they are kept in were.
    shown = {Path(place).name for place, is_shown in rehearsed.places.items() if is_shown}
    assert shown == {".env", "postgres.passwords"}
    for part in (
        "/spark.log",
        "dagster.yaml",
        "/objects/",
        "4040/environment",
        "GraphQL",
        "status --json",
        "command l",
    ):
        assert any(part in place for place in rehearsed.places), part


def comparable(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as text, without what depends on where and when they came, in an order that does not, either."""
    return sorted(str({name: value for name, value in row.items() if name not in ELSEWHERE}) for row in rows)
