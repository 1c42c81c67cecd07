"""The cluster does what the embedded lake does, also while parts of it die, and keeps its secrets."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.tables import BRONZE_EVENTS, DERIVED, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.cluster.batches import FIRST, SECOND
from shoplake_assets_tests.cluster.cluster import started
from shoplake_assets_tests.cluster.rehearsal import Rehearsed, Rows, rehearse
from shoplake_assets_tests.cluster.store import VERSITYGW, versitygw

if TYPE_CHECKING:
    from shoplake_assets_tests.building import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.spark, pytest.mark.timeout(3600)]


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


def test_bronze_holds_what_the_seed_gives(rehearsed: Rehearsed) -> None:
    sent = Counter((record.key, record.value) for batch in (FIRST, SECOND) for record in batch.plan.records())
    assert Counter((row["key"], row["payload"]) for row in rehearsed.rows[BRONZE_EVENTS]) == sent


def test_silver_and_gold_are_those_of_the_embedded_lake_row_for_row(rehearsed: Rehearsed, shop: "Shop") -> None:
    ingest(shop, rehearsed.rows[BRONZE_EVENTS])
    shop.refresh()
    for table in DERIVED:
        assert comparable(rehearsed.rows[table]) == comparable(shop.read(table)), table
    found = {name: len(rehearsed.rows[name]) for name in (SILVER_EVENTS, SILVER_QUARANTINE)}
    assert found == {SILVER_EVENTS: 18_732 + 11_214, SILVER_QUARANTINE: 396 + 227}


def test_nothing_that_the_cluster_shows_or_leaves_behind_has_a_secret(rehearsed: Rehearsed) -> None:
    assert rehearsed.leaks == []
    # They would have been found: the files that they are kept in were.
    shown = {Path(place).name for place, is_shown in rehearsed.places.items() if is_shown}
    assert shown == {".env", "postgres.passwords"}
    for part in ("/spark.log", "dagster.yaml", "/objects/", "4040/environment", "GraphQL", "status --json", "process"):
        assert any(part in place for place in rehearsed.places), part


def ingest(shop: "Shop", bronze: Rows) -> None:
    """Commit the records to the embedded lake's Bronze as its stream would: by partition, in the order of offsets."""
    table = shop.lake.table(BRONZE_EVENTS)
    place = itemgetter("partition", "offset")
    for _, rows in groupby(sorted(bronze, key=place), key=itemgetter("partition")):
        table.append(pa.Table.from_pylist(list(rows), schema=table.schema().as_arrow()))


def comparable(rows: Rows) -> list[str]:
    """The rows as text, without when they were judged, in an order that does not depend on files."""
    return sorted(str({name: row[name] for name in sorted(row) if name != "quarantined_at"}) for row in rows)
