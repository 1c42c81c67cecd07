"""The ingest as a process: from its start to a clean stop.

Belongs here: the order of things, waiting for Kafka, signals. Does not belong here: what the query does (`stream`).
"""

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

from shoplake_assets.events.topic import wait_for_topic
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.ingest.progress import Progress, listener
from shoplake_assets.ingest.server import serve
from shoplake_assets.ingest.stream import checkpoint_folder, records, start_query, starting_offsets
from shoplake_assets.lake.bronze import bronze_position
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.scratch import emptied, scratch_folder
from shoplake_assets.runtime.spark import ingest_conf, java_environment, prepare_spark, without_spark
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from shoplake_assets.events.topic import Topic
    from shoplake_assets.settings import Settings

_log = logging.getLogger("shoplake.ingest")
_KAFKA_PATIENCE_SECONDS = 120
_LAST_BATCH_SECONDS = 60


def run_ingest(settings: "Settings", *, once: bool = False) -> None:
    """Ingest until a signal comes, or until what is in Kafka now has been read.

    Raises:
        ShoplakeError: Another ingest has the lake, Kafka does not answer, or a port is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    progress = Progress()
    with single_writer(settings):
        serve(progress, port=settings.ingest.port)
        topic = wait_for_topic(settings, seconds=_KAFKA_PATIENCE_SECONDS)
        progress.note(topic=settings.kafka.topic, topic_id=topic.id)
        prepare_lake(settings)
        spark = _start_spark(settings)
        try:
            spark.streams.addListener(listener(progress))
            query = _start(spark, settings, topic, once=once)
            application_id = spark.sparkContext.applicationId
            progress.note(state="running", query_id=str(query.id), application_id=application_id)
            _log.info("query %s of %s reads %s (topic id %s)", query.id, application_id, settings.kafka.topic, topic.id)
            _watch(query, stop)
            progress.note(state="stopping")
        finally:
            spark.stop()


def _start_spark(settings: "Settings") -> "SparkSession":
    from pyspark.sql import SparkSession

    java = find_java(settings)
    jars = resolve_jars(settings, java)
    prepare_spark(settings)
    emptied(scratch_folder(settings, "ingest"))
    for name in os.environ.keys() - without_spark(os.environ).keys():
        del os.environ[name]
    os.environ.update(java_environment(java))
    builder = SparkSession.builder.appName("shoplake-ingest")
    for key, value in ingest_conf(settings, jars, java=java).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _start(spark: "SparkSession", settings: "Settings", topic: "Topic", *, once: bool) -> "StreamingQuery":
    position = bronze_position(open_catalog(settings).load_table(BRONZE_EVENTS))
    starting = starting_offsets(settings.kafka.topic, topic, position)
    return start_query(
        records(spark, settings, topic, starting=starting),
        checkpoint=checkpoint_folder(settings, topic),
        trigger_seconds=None if once else settings.ingest.trigger_seconds,
    )


def _watch(query: "StreamingQuery", stop: threading.Event) -> None:
    """Wait for a signal or the query's end; a signal lets the batch that is under way finish first."""
    while query.isActive and not stop.wait(timeout=0.5):
        pass
    finished = threading.Event()
    for _ in range(_LAST_BATCH_SECONDS * 10):
        if not query.isActive or not query.status["isTriggerActive"]:
            break
        finished.wait(timeout=0.1)
    failure = query.exception()
    query.stop()
    if failure is not None:
        raise failure
