"""The real broker on the JRE wheel, as on a machine that has no Java."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from shoplake_assets.runtime import supervision
from shoplake_assets.runtime.broker import broker_command, prepare_broker
from shoplake_assets.runtime.home import create_home
from shoplake_assets.runtime.jars import Jars, resolve_jars
from shoplake_assets.runtime.java import Java, find_java
from shoplake_assets.runtime.processes import ProcessSpec
from shoplake_assets.settings import Settings, load_settings

pytestmark = pytest.mark.spark


@pytest.fixture
def java(settings: Settings) -> Java:
    """What `auto` takes where there is no system Java."""
    return find_java(settings, candidates=[])


@pytest.fixture
def jars(java: Java) -> Jars:
    """The jars of the user's cache, so that they are downloaded once and not for each test."""
    return resolve_jars(load_settings(), java)


@pytest.fixture
def lake(settings: Settings) -> Iterator[Settings]:
    create_home(settings)
    yield settings
    supervision.stop(settings)


def start(lake: Settings, java: Java, jars: Jars) -> None:
    prepare_broker(lake, java, jars)
    supervision.start(lake, [ProcessSpec("kafka", tuple(broker_command(lake, java, jars)))])
    wait = retry(retry=retry_if_result(lambda ready: not ready), stop=stop_after_delay(60), wait=wait_fixed(0.2))
    wait(lambda: supervision.process_states(lake)["kafka"].state == "running")()


def test_the_broker_runs_on_the_wheel_and_its_events_outlive_a_restart(lake: Settings, java: Java, jars: Jars) -> None:
    assert java.source == "wheel"
    start(lake, java, jars)
    admin = AdminClient({"bootstrap.servers": lake.bootstrap})
    cluster = admin.list_topics(timeout=10).cluster_id
    admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])["kept"].result()
    producer = Producer({"bootstrap.servers": lake.bootstrap})
    producer.produce("kept", b"an event")
    assert producer.flush(10) == 0
    assert supervision.stop(lake)

    start(lake, java, jars)
    again = AdminClient({"bootstrap.servers": lake.bootstrap})
    assert again.list_topics(timeout=10).cluster_id == cluster
    assert "kept" in again.list_topics(timeout=10).topics
