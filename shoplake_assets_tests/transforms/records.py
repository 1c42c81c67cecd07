"""Bronze records as a DataFrame, for transformations that are tested without a table."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shoplake_assets_tests.building import TOPIC_ID

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SCHEMA = (
    "topic_id string, partition int, offset long, kafka_timestamp timestamp, key binary, payload binary, "
    "ingested_at timestamp"
)


def bronze_records(spark: "SparkSession", payloads: Sequence[bytes | None]) -> "DataFrame":
    """One record for each payload, its offset the payload's place."""
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    rows = [(TOPIC_ID, 0, offset, moment, None, payload, moment) for offset, payload in enumerate(payloads)]
    return spark.createDataFrame(rows, _SCHEMA)
