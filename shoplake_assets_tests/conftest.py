"""What all tests share: one real broker and one real Spark for the whole run, and an empty lake for each test.

Belongs here: fixtures. Builders of events are in `building`. Nothing here is a mock.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime import home, ports, supervision
from shoplake_assets.runtime.preparation import prepare
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets.tables import ALL
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_topics = count(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A real broker and a real Spark Connect server, started once and stopped at the end."""
    lake = Settings(home=tmp_path_factory.mktemp("stack") / "home")
    home.create_home(lake)
    ports.choose_free_ports(lake)
    settings = Settings(home=lake.home)
    specs = [spec for spec in prepare(settings, generator=False) if spec.name in ("kafka", "spark")]
    supervision.start(settings, specs)
    try:
        wait_until(
            lambda: all(state.state == "running" for state in supervision.process_states(settings).values()),
            what="broker and Spark run",
        )
        yield settings
    finally:
        supervision.stop(settings)


@pytest.fixture(scope="session")
def spark(stack: Settings) -> Iterator["SparkSession"]:
    """The session that all tests share."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(stack.spark_remote).getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def settings(stack: Settings) -> Settings:
    """The lake of the stack, emptied, with a topic that no other test has."""
    catalog = open_catalog(stack)
    for name in ALL:
        if catalog.table_exists(name):
            catalog.drop_table(name)
    topic = {**stack.kafka.model_dump(), "topic": f"shop-events-{next(_topics)}"}
    settings = load_settings(home=stack.home, kafka=topic)
    prepare_lake(settings)
    return settings


@pytest.fixture
def shop(settings: Settings, spark: "SparkSession") -> Shop:
    """An empty lake with a hand that fills its Bronze and refreshes it."""
    return Shop(Lake(open_catalog(settings), spark))


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests must not read, or touch, the lake of whoever runs them."""
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "home"))
