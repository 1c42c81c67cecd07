"""The ingest as a process: from its start to a clean stop.

Belongs here: the order of things, waiting for Kafka, signals. Does not belong here: what the query does (`stream`),
where it begins (`checkpoint`), Spark's own process (`driver`).
"""

import logging
import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import beginning_offsets, end_offsets, wait_for_topic
from shoplake_assets.ingest.checkpoint import Kafka, begin_generation, first_offsets, plan_start
from shoplake_assets.ingest.driver import spark_driver
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.ingest.progress import Checkpoint, Progress, listener
from shoplake_assets.ingest.server import serve
from shoplake_assets.ingest.stream import records, start_query
from shoplake_assets.ingest.watch import Watch
from shoplake_assets.lake.bronze import bronze_position
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import record_gaps
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from shoplake_assets.ingest.driver import Driver
    from shoplake_assets.settings import Settings

_log = logging.getLogger("shoplake.ingest")
_KAFKA_PATIENCE_SECONDS = 120
_LAST_BATCH_SECONDS = 60
_DATA_LOSS = "KAFKA_DATA_LOSS"  # Spark's name for offsets that are not there where it expected them


def run_ingest(settings: "Settings", *, once: bool = False) -> None:
    """Ingest until a signal comes, or until what is in Kafka now has been read.

    Raises:
        ShoplakeError: Another ingest has the lake, Kafka does not answer, a port is taken, Spark has died, or what the
            query builds upon has changed: its topic, its offsets in Kafka, or Bronze. A new start goes on from there.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    progress = Progress(trigger_seconds=settings.ingest.trigger_seconds)
    with single_writer(settings) as lock:
        serve(progress, host=settings.bind, port=settings.ingest.port)
        topic_id = wait_for_topic(settings, seconds=_KAFKA_PATIENCE_SECONDS).id
        progress.note(topic=settings.kafka.topic, topic_id=topic_id)
        prepare_lake(settings)
        with spark_driver(settings, inherits=lock) as driver, Watch(settings, progress, topic_id=topic_id) as watch:
            driver.session.streams.addListener(listener(progress))
            query = _start(driver.session, settings, topic_id, progress, once=once)
            application_id = driver.session.sparkContext.applicationId
            progress.note(state="running", query_id=str(query.id), application_id=application_id)
            _log.info("query %s of %s reads %s (topic id %s)", query.id, application_id, settings.kafka.topic, topic_id)
            _attend(query, driver, watch, stop)
            progress.note(state="stopping")


def _start(
    spark: "SparkSession", settings: "Settings", topic_id: str, progress: Progress, *, once: bool
) -> "StreamingQuery":
    catalog = open_catalog(settings)
    start = plan_start(
        Kafka(topic_id=topic_id, beginning=beginning_offsets(settings), end=end_offsets(settings)),
        bronze=bronze_position(catalog.load_table(BRONZE_EVENTS)),
        first=first_offsets(settings, topic_id),
        now=datetime.now(UTC),
    )
    record_gaps(catalog, start.gaps)
    generation = begin_generation(settings, topic_id, first=start.first)
    checkpoint = Checkpoint(
        generation=generation.number,
        began_at=generation.began_at.isoformat(timespec="milliseconds"),
        offsets={str(partition): offset for partition, offset in start.offsets.items()},
        because=start.because,
    )
    progress.note(checkpoint=checkpoint)
    say = _log.warning if start.gaps else _log.info
    say("checkpoint generation %s begins at %s: %s", generation.number, checkpoint.offsets, start.because)
    return start_query(
        records(spark, settings, topic_id=topic_id, offsets=start.offsets),
        checkpoint=generation.folder,
        trigger_seconds=None if once else settings.ingest.trigger_seconds,
    )


def _attend(query: "StreamingQuery", driver: "Driver", watch: Watch, stop: threading.Event) -> None:
    """Wait for a signal or the query's end; a signal lets the batch that is under way finish first.

    Raises:
        ShoplakeError: Spark has died, or what the query builds upon has changed.
    """
    while query.isActive and not stop.wait(timeout=0.5):
        if said := driver.ended():
            raise ShoplakeError(said)
        if watch.complaint:
            query.stop()
            watch.undo()
            raise ShoplakeError(watch.complaint)
    finished = threading.Event()
    for _ in range(_LAST_BATCH_SECONDS * 10):
        if not query.isActive or not query.status["isTriggerActive"]:
            break
        finished.wait(timeout=0.1)
    failure = query.exception()
    query.stop()
    watch.undo()
    if failure is None:
        return
    # Twice, because a topic that is missing is only believed to be gone at the second look.
    if said := watch.look() or watch.look():
        raise ShoplakeError(said) from failure
    if _DATA_LOSS in str(failure):
        raise ShoplakeError(
            "Kafka no longer has offsets that the query was to read. The ingest ends; the next start records them in "
            "bronze.gaps and goes on behind them."
        ) from failure
    _log.error("the query has failed", exc_info=failure)
    raise ShoplakeError(
        f"the query has failed: {str(failure).strip().splitlines()[0]} The whole story is above; a new start goes on "
        "where Bronze ends."
    ) from failure
