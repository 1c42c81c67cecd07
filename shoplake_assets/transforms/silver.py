"""From Bronze records to Silver rows: conform and deduplicate.

Belongs here: which record becomes which row. Does not belong here: reading and publishing tables (`lake`).
"""

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pyspark.sql import DataFrame, Window

from shoplake_assets.contracts.contract import columns_of
from shoplake_assets.contracts.limits import ACCEPTED, DIFFERS, FATE, MOVED, REJECTED, REPEATED
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine
from shoplake_assets.transforms.parsing import REASONS, parse

COORDINATES = ("topic_id", "partition", "offset")
_CONTENT = tuple(name for name in columns_of(SilverEvents) if name not in (*COORDINATES, "kafka_timestamp"))


def conform(records: DataFrame) -> DataFrame:
    """Type each Bronze record and say in `fate` whether it is accepted or rejected; nothing is dropped."""
    parsed = parse(records, contract=SilverEvents).drop("topic", "headers")
    return parsed.withColumn(FATE, F.when(F.size(REASONS) > 0, F.lit(REJECTED)).otherwise(F.lit(ACCEPTED)))


def repeats(conformed: DataFrame, *, known: DataFrame) -> DataFrame:
    """The coordinates of every accepted row whose event is there already, and whether it `differs` from that.

    Of rows with one `event_id` the first to arrive stays, unless `known` has the event: then none does. `known` must
    hold the Silver rows of the event hours of `conformed`: a producer's retry carries the time of the original, so no
    other hour can hold it, and the cost does not grow with the lake. A repeat `differs` if its content is not that of
    the row that stays.

    Only 64-bit hashes are shuffled. Whole rows are looked at for the few whose hash occurs twice, so a collision of
    hashes costs a comparison and never an event.
    """
    hashed = conformed.where(F.col(FATE) == ACCEPTED).withColumn("_hash", F.xxhash64("event_id"))
    held = known.withColumn("_hash", F.xxhash64("event_id"))
    hashes = hashed.select("_hash").unionAll(held.select("_hash"))
    twice = F.broadcast(hashes.groupBy("_hash").count().where(F.col("count") > 1).select("_hash"))
    content = F.xxhash64(*_CONTENT).alias("_content")
    standing = held.join(twice, "_hash", "left_semi").select("event_id", content)
    standing = standing.groupBy("event_id").agg(F.collect_set("_content").alias("_held"))
    # Batches of the stream are read one after the other, so this order is the same however many a refresh takes in. A
    # clock that was set back between two of them changes nothing within a Kafka partition: there, offsets decide.
    before = Window.partitionBy("event_id", "topic_id", "partition").orderBy("offset")
    arrivals = Window.partitionBy("event_id").orderBy("_arrived", *COORDINATES)
    return (
        hashed.join(twice, "_hash", "left_semi")
        .select("event_id", content, "ingested_at", *COORDINATES)
        .withColumn("_arrived", F.max("ingested_at").over(before))
        .withColumn("_place", F.row_number().over(arrivals))
        .withColumn("_first", F.array(F.first("_content").over(arrivals)))
        .join(standing, "event_id", "left")
        .where(F.col("_held").isNotNull() | (F.col("_place") > 1))
        .withColumn(DIFFERS, ~F.array_contains(F.coalesce("_held", "_first"), F.col("_content")))
        .select(*COORDINATES, DIFFERS)
    )


def mark_repeats(conformed: DataFrame, found: DataFrame) -> DataFrame:
    """Turn the fate of the repeats that were found from accepted to repeated."""
    few = F.broadcast(found.withColumn("_repeat", F.lit(True)))
    fate = F.when(F.col("_repeat"), F.lit(REPEATED)).otherwise(F.col(FATE))
    marked = conformed.join(few, list(COORDINATES), "left").withColumn(FATE, fate)
    return marked.withColumn(DIFFERS, F.coalesce(DIFFERS, F.lit(False))).drop("_repeat")


def set_moved_apart(conformed: DataFrame, *, known: DataFrame) -> DataFrame:
    """Turn the fate of every accepted row that is in `known` itself, by its coordinates, from accepted to moved.

    For a replay that a crash interrupted: what it had brought to Silver already is no repeat.
    """
    held = known.select(*COORDINATES, F.lit(True).alias("_moved"))
    mine = F.broadcast(conformed.where(F.col(FATE) == ACCEPTED).select(*COORDINATES))
    marked = conformed.join(F.broadcast(held.join(mine, list(COORDINATES), "left_semi")), list(COORDINATES), "left")
    return marked.withColumn(FATE, F.when(F.col("_moved"), F.lit(MOVED)).otherwise(F.col(FATE))).drop("_moved")


def silver_rows(fates: DataFrame) -> DataFrame:
    """The accepted rows, as `silver.events` has them."""
    return fates.where(F.col(FATE) == ACCEPTED).select(*columns_of(SilverEvents))


def quarantine_rows(fates: DataFrame) -> DataFrame:
    """The rejected rows, as `silver.quarantine` has them."""
    return fates.where(F.col(FATE) == REJECTED).select(*columns_of(SilverQuarantine))
