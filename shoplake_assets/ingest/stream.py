"""The streaming query: Kafka records to `bronze.events`, as they are.

Belongs here: source, columns, sink, trigger. Does not belong here: the life of the process around it (`job`).

The native Iceberg sink commits each micro-batch once: it skips an epoch that an ancestor snapshot already carries. So a
batch that is repeated after a crash adds nothing.
"""

import json
from typing import TYPE_CHECKING

from shoplake_assets.tables import BRONZE_EVENTS, CATALOG

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from shoplake_assets.events.topic import Topic
    from shoplake_assets.lake.position import Position
    from shoplake_assets.settings import Settings

QUERY_NAME = "bronze_events"
_EARLIEST = -2  # Kafka's own number for "from the first record that retention has kept"


def checkpoint_folder(settings: "Settings", topic: "Topic") -> "Path":
    """Where the query keeps its progress; a topic that is made anew has another id, hence a checkpoint of its own."""
    return settings.home / "checkpoints" / QUERY_NAME / topic.id


def starting_offsets(topic_name: str, topic: "Topic", position: "Position") -> str:
    """Where a query without a checkpoint begins: behind what Bronze has, else at a partition's beginning."""
    offsets = {str(number): position.offsets.get((topic.id, number), _EARLIEST) for number in topic.partitions}
    return json.dumps({topic_name: offsets})


def records(spark: "SparkSession", settings: "Settings", topic: "Topic", *, starting: str) -> "DataFrame":
    """The topic as a stream, in the columns of `bronze.events`; nothing is parsed, so nothing can fail to parse."""
    from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

    from shoplake_assets.contracts.bronze import BronzeEvents
    from shoplake_assets.contracts.contract import columns_of

    options: dict[str, str | int] = {
        "kafka.bootstrap.servers": settings.bootstrap,
        "subscribe": settings.kafka.topic,
        "startingOffsets": starting,
        "maxOffsetsPerTrigger": settings.ingest.max_offsets_per_trigger,
        "includeHeaders": "true",
        "failOnDataLoss": "true",
    }
    return (
        spark.readStream.format("kafka")
        .options(**options)
        .load()
        .withColumnsRenamed({"timestamp": "kafka_timestamp", "value": "payload"})
        .withColumns({"topic_id": F.lit(topic.id), "ingested_at": F.current_timestamp()})
        .select(*columns_of(BronzeEvents))
    )


def start_query(rows: "DataFrame", *, checkpoint: "Path", trigger_seconds: float | None) -> "StreamingQuery":
    """Start writing.

    Args:
        rows: What `records` gave.
        checkpoint: The query's checkpoint folder.
        trigger_seconds: Seconds between micro-batches; None reads what is there now, in bounded batches, and ends.
    """
    writer = (
        rows.writeStream.format("iceberg")
        .queryName(QUERY_NAME)
        .outputMode("append")
        .option("checkpointLocation", checkpoint.as_uri())
        .option("fanout-enabled", "true")
    )
    if trigger_seconds is None:
        writer = writer.trigger(availableNow=True)
    else:
        writer = writer.trigger(processingTime=f"{round(trigger_seconds * 1000)} milliseconds")
    return writer.toTable(f"{CATALOG}.{BRONZE_EVENTS}")
