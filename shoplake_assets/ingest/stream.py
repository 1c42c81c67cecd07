"""The streaming query: Kafka records to `bronze.events`, as they are.

Belongs here: source, columns, sink, trigger. Does not belong here: the life of the process around it (`job`).

The native Iceberg sink commits the rows and, by them, the offsets of a micro-batch in one. So a batch that a crash cuts
short is in Bronze as a whole or not at all, and the next start (`checkpoint`) sees which.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from shoplake_assets.events.broker import authorities
from shoplake_assets.tables import BRONZE_EVENTS, CATALOG

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from shoplake_assets.settings import Settings

QUERY_NAME = "bronze_events"
_LOGIN_MODULES = {
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}
# By default a poll gives 500 records and a fetch 1 MiB of a partition: what each costs beside its records is then a
# fifth of the time.
_FETCHING: Mapping[str, str | int] = {
    "kafka.max.poll.records": 20_000,
    "kafka.max.partition.fetch.bytes": 8 * 2**20,
    "kafka.receive.buffer.bytes": 2**20,
}


def records(spark: "SparkSession", settings: "Settings", *, topic_id: str, offsets: Mapping[int, int]) -> "DataFrame":
    """The topic as a stream, in the columns of `bronze.events`; nothing is parsed, so nothing can fail to parse.

    Args:
        spark: A session of one's own.
        settings: Name the topic.
        topic_id: Kafka's id of the topic.
        offsets: Where to begin, by partition.
    """
    from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

    from shoplake_assets.contracts.bronze import BronzeEvents
    from shoplake_assets.contracts.contract import columns_of

    options: dict[str, str | int] = {
        "kafka.bootstrap.servers": settings.bootstrap,
        "subscribe": settings.kafka.topic,
        "startingOffsets": json.dumps({settings.kafka.topic: offsets}),
        "maxOffsetsPerTrigger": settings.ingest.max_offsets_per_trigger,
        "includeHeaders": "true",
        **_FETCHING,
        **security_options(settings),
        "failOnDataLoss": "true",
    }
    return (
        spark.readStream.format("kafka")
        .options(**options)
        .load()
        .withColumnsRenamed({"timestamp": "kafka_timestamp", "value": "payload"})
        .withColumns({"topic_id": F.lit(topic_id), "ingested_at": F.current_timestamp()})
        .select(*columns_of(BronzeEvents))
    )


def security_options(settings: "Settings") -> dict[str, str]:
    """How Spark's Kafka clients, on the driver and on executors, log in and over what.

    The executors of a cluster have no file of this machine, so that authorities and login go along as options. Spark
    shows neither: `spark.redaction.regex` names both.

    Raises:
        ShoplakeError: The file of authorities cannot be read.
    """
    kafka = settings.kafka
    if kafka.security == "PLAINTEXT":
        return {}
    options: dict[str, str] = {"kafka.security.protocol": kafka.security}
    if kafka.with_login and kafka.password:
        module = f"org.apache.kafka.common.security.{_LOGIN_MODULES[kafka.mechanism]}"
        login = f"username={_quoted(kafka.username or '')} password={_quoted(kafka.password.get_secret_value())}"
        options |= {"kafka.sasl.mechanism": kafka.mechanism, "kafka.sasl.jaas.config": f"{module} required {login};"}
    if (pem := authorities(settings)) is not None:
        options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.certificates": pem}
    return options


def _quoted(value: str) -> str:
    """A value as JAAS reads it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
