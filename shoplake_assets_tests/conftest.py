"""What all tests share: one real broker and one real Spark for the whole run, and an empty lake for each test.

Belongs here: fixtures. Builders of events are in `building`. Nothing here is a mock.
"""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.session import close_session
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_topics = count(1)


def pytest_configure() -> None:
    """Let the tests be interrupted, also in the background of a shell, which has its processes ignore that.

    Dagster treats SIGTERM as SIGINT is treated. What ignores both hands that on to each server that a test starts, and
    then waits for ever for its end.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A real broker and a real Spark Connect server, started once and stopped at the end."""
    with broker_and_spark(tmp_path_factory.mktemp("stack")) as settings:
        yield settings


@pytest.fixture(scope="module")
def spark(stack: Settings) -> "Iterator[SparkSession]":
    """The session that the tests of a module share; a job that a test runs in this process gives it back at its end.

    So does the module: the server lets go of a session that nobody has used for some minutes, and what is given back
    once the server has stopped takes minutes.
    """
    from pyspark.sql import SparkSession

    yield SparkSession.builder.remote(stack.spark_remote).getOrCreate()
    if (session := SparkSession.getActiveSession()) is not None:
        close_session(session)


@pytest.fixture
def settings(stack: Settings) -> Settings:
    """The lake of the stack, emptied, with a topic that no other test has."""
    topic = {**stack.kafka.model_dump(), "topic": f"shop-events-{next(_topics)}"}
    settings = load_settings(home=stack.home, kafka=topic)
    empty_lake(settings)
    return settings


@pytest.fixture
def shop(settings: Settings, spark: "SparkSession") -> Shop:
    """An empty lake with a hand that fills its Bronze and refreshes it."""
    return Shop(Lake(open_catalog(settings), spark))


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests must not read, or touch, the lake of whoever runs them."""
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "home"))
