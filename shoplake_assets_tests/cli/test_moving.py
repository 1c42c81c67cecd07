"""A filled lake is moved as the command does it, and Spark goes on with it in the new place."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shoplake_assets.cli.moving import move_lake
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import Gap, read_gaps, record_gaps
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.move.seeing import see_catalog
from shoplake_assets.lake.session import open_session
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime import home
from shoplake_assets.runtime.engine import engine
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets.tables import ALL, BRONZE_GAPS, GOLD_HOURLY_SALES, SILVER_EVENTS
from shoplake_assets_tests.building import TOPIC_ID, Shop, crash_before_publishing, event, hour, purchase
from shoplake_assets_tests.lake.moved import Listener, servers

pytestmark = pytest.mark.spark

TEN = hour("2026-03-01T10")
# Nobody listens there: what is moved does not depend on Kafka.
NO_KAFKA = "127.0.0.1:1"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Settings, Settings]]:
    """A lake in its home, the same in the place that it goes to, and a Spark that was started for that."""
    folder = tmp_path_factory.mktemp("move")
    with servers(folder) as outside:
        lake = load_settings(home=folder / "lake", kafka={"bootstrap": NO_KAFKA})
        home.create_home(lake)
        prepare_lake(lake)
        target = outside.place(lake)
        target = target.model_copy(update={"kafka": lake.kafka})
        elsewhere = target.model_copy(update={"home": folder / "spark"})
        home.create_home(elsewhere)
        with engine(elsewhere) as served:
            yield lake, target, served


@contextmanager
def shop_in(lake: Settings, served: Settings) -> "Iterator[Shop]":
    with open_session(served) as spark:
        see_catalog(spark, lake, served=served)
        yield Shop(Lake(open_catalog(lake), spark))


def fill(shop: Shop) -> None:
    """Something in every table, a gap, and the branch of a refresh that was not published."""
    shop.next_offsets = {0: 2}
    shop.produce(
        purchase(event_id="a", price=9.5, quantity=2),
        event(event_id="b", event_type="add_to_cart"),
        b"broken",
        purchase(event_id="a", price=9.5, quantity=2),
    )
    found = Gap(topic_id=TOPIC_ID, partition=0, first=0, last=1, found_at=datetime(2026, 3, 2, tzinfo=UTC))
    record_gaps(shop.lake.catalog, [found])
    shop.refresh()
    shop.produce(purchase(event_id="c", price=1, user_id="u2"), partition=1)
    with crash_before_publishing(SILVER_EVENTS):
        shop.refresh_silver(run="blocked")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def contents(shop: Shop) -> Mapping[str, Any]:
    return {name: shop.read(name) for name in ALL if name != BRONZE_GAPS}


def test_a_filled_lake_is_moved_verified_and_goes_on(places: tuple[Settings, Settings, Settings]) -> None:
    lake, target, served = places
    with shop_in(lake, served) as shop:
        fill(shop)
        rows, snapshots, next_offsets = contents(shop), shop.snapshot_ids(), shop.next_offsets
        refs = {name: set(shop.lake.table(name).refs()) for name in ALL}
    assert refs[SILVER_EVENTS] == {"main", "audit_blocked"}
    files = files_of(lake.home / "warehouse")

    listener = Listener()
    extent = move_lake(lake, target, listener, start=lambda _: nullcontext(served))
    assert extent.tables == 11
    kept = json.loads((lake.home / "settings.json").read_text())
    assert kept["catalog"] == {"uri": target.catalog.uri, "warehouse": target.catalog.warehouse}
    assert kept["s3"] == {"endpoint": target.s3.endpoint, "region": "us-east-1", "path_style": True}
    proofs = [line for line in listener.lines if "proofs hold" in line]
    assert [line.partition(":")[0] for line in proofs] == ["As it is", "In the new place"]
    assert files_of(lake.home / "warehouse") == files

    with shop_in(target, served) as shop:
        assert contents(shop) == rows
        assert shop.snapshot_ids() == snapshots
        assert {name: set(shop.lake.table(name).refs()) for name in ALL} == refs
        assert [(gap.first, gap.last) for gap in read_gaps(shop.lake.table(BRONZE_GAPS))] == [(0, 1)]
        assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {TEN: 19}

        shop.next_offsets = next_offsets
        shop.produce(purchase(event_id="d", price=2), partition=1)
        shop.refresh()
        assert set(shop.column(SILVER_EVENTS, key="event_id", value="price")) == {"a", "b", "c", "d"}
        assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {TEN: 22}
    assert files_of(lake.home / "warehouse") == files
