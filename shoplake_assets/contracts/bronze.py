"""What is true of `bronze.events`, and of `bronze.gaps` beside it.

Belongs here: the shape of the record as it came from Kafka, and of what never came. Does not belong here: anything
about the payload; Bronze keeps what it was given, and Silver judges it.
"""

from typing import Annotated

import pandera.pyspark as pa
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known

from shoplake_assets.contracts.contract import Contract, Table, describes
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS

HEADER = T.StructType([T.StructField("key", T.StringType()), T.StructField("value", T.BinaryType())])


@describes(
    Table(name=BRONZE_EVENTS, key=("topic_id", "partition", "offset"), partitioned_by="hours(kafka_timestamp)"),
)
class BronzeEvents(Contract):
    """Every record of the topic, exactly as it was received; append only, exactly once."""

    topic: T.StringType = pa.Field(nullable=False, description="Kafka topic.")
    topic_id: T.StringType = pa.Field(
        nullable=False, description="Kafka's id of the topic: a topic that is deleted and made again has another."
    )
    partition: T.IntegerType = pa.Field(nullable=False, description="Kafka partition.")
    offset: T.LongType = pa.Field(nullable=False, description="Kafka offset, contiguous within the partition.")
    kafka_timestamp: T.TimestampType = pa.Field(nullable=False, description="Time of the Kafka record, UTC.")
    key: T.BinaryType = pa.Field(nullable=True, description="Key of the record: the shopper's id, as bytes.")
    payload: T.BinaryType = pa.Field(nullable=True, description="Value of the record, byte for byte.")
    headers: Annotated[T.ArrayType, HEADER, True] = pa.Field(nullable=True, description="Headers of the record.")
    ingested_at: T.TimestampType = pa.Field(nullable=False, description="When the micro-batch read the record, UTC.")


@describes(Table(name=BRONZE_GAPS, key=("topic_id", "partition", "first_offset"), fresh_within=None))
class BronzeGaps(Contract):
    """Offsets that Kafka no longer had when they were to be read: what is not in Bronze, and why."""

    topic_id: T.StringType = pa.Field(nullable=False, description="Kafka's id of the topic.")
    partition: T.IntegerType = pa.Field(nullable=False, description="Kafka partition.")
    first_offset: T.LongType = pa.Field(nullable=False, description="First offset that is missing.")
    last_offset: T.LongType = pa.Field(nullable=False, description="Last offset that is missing.")
    found_at: T.TimestampType = pa.Field(nullable=False, description="When the ingest found it gone, UTC.")
    acknowledged_at: T.TimestampType = pa.Field(
        nullable=True, description="When somebody took note of it, UTC; null until then."
    )
    because: T.StringType = pa.Field(nullable=True, description="What that person said about it.")
