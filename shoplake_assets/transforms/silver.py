"""From Bronze records to Silver rows: conform and deduplicate.

Belongs here: which record becomes which row. Does not belong here: reading and publishing tables (`lake`).
"""

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pyspark.sql import DataFrame, Window

from shoplake_assets.contracts.contract import columns_of
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine
from shoplake_assets.transforms.parsing import REASONS, parse

FATE = "fate"
ACCEPTED, REPEATED, REJECTED = "accepted", "repeated", "rejected"

_COORDINATES = ("topic_id", "partition", "offset")


def conform(records: DataFrame) -> DataFrame:
    """Type each Bronze record and say in `fate` whether it is accepted or rejected; nothing is dropped."""
    parsed = parse(records, contract=SilverEvents)
    return parsed.withColumn(FATE, F.when(F.size(REASONS) > 0, F.lit(REJECTED)).otherwise(F.lit(ACCEPTED)))


def deduplicate(conformed: DataFrame, *, known: DataFrame) -> DataFrame:
    """Turn the fate of every accepted row whose event is there already from accepted to repeated.

    Of rows with one `event_id` the first by Kafka position stays, unless `known` has the event: then none does. `known`
    must hold the Silver rows of the event hours of `conformed`: a producer's retry carries the time of the original, so
    no other hour can hold it, and the cost does not grow with the lake.

    Only 64-bit hashes are shuffled. Whole ids are compared for the few rows whose hash occurs twice, so a collision of
    hashes costs a comparison and never an event.
    """
    accepted = conformed.where(F.col(FATE) == ACCEPTED).select("event_id", *_COORDINATES)
    hashed = accepted.withColumn("_hash", F.xxhash64("event_id"))
    hashes = hashed.select("_hash").unionAll(known.select(F.xxhash64("event_id").alias("_hash")))
    twice = hashes.groupBy("_hash").count().where(F.col("count") > 1).select("_hash")
    suspects = hashed.join(F.broadcast(twice), "_hash", "left_semi").drop("_hash")
    first = Window.partitionBy("event_id").orderBy(*_COORDINATES)
    held = known.select("event_id").distinct().withColumn("_held", F.lit(True))
    repeats = (
        suspects.withColumn("_place", F.row_number().over(first))
        .join(held, "event_id", "left")
        .where(F.col("_held") | (F.col("_place") > 1))
        .select(*_COORDINATES, F.lit(True).alias("_repeat"))
    )
    marked = conformed.join(F.broadcast(repeats), list(_COORDINATES), "left")
    fate = F.when(F.col("_repeat"), F.lit(REPEATED)).otherwise(F.col(FATE))
    return marked.withColumn(FATE, fate).drop("_repeat")


def silver_rows(fates: DataFrame) -> DataFrame:
    """The accepted rows, as `silver.events` has them."""
    return fates.where(F.col(FATE) == ACCEPTED).select(*columns_of(SilverEvents))


def quarantine_rows(fates: DataFrame, *, quarantined_at: str) -> DataFrame:
    """The rejected rows, as `silver.quarantine` has them.

    Args:
        fates: Rows with their fate.
        quarantined_at: The moment of the refresh, RFC 3339; passed in so that the function stays pure.
    """
    rejected = fates.where(F.col(FATE) == REJECTED)
    moment = F.lit(quarantined_at).cast("timestamp")
    return rejected.withColumn("quarantined_at", moment).select(*columns_of(SilverQuarantine))
