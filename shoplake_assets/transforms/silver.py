"""From Bronze records to Silver rows: conform and deduplicate.

Belongs here: which record becomes which row. Does not belong here: reading and publishing tables (`lake`).
"""

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pyspark.sql import Column, DataFrame, Window

from shoplake_assets.contracts.contract import columns_of
from shoplake_assets.contracts.limits import ACCEPTED, DIFFERS, FATE, MOVED, REJECTED, REPEATED
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine
from shoplake_assets.transforms.parsing import REASONS, parse

COORDINATES = ("topic_id", "partition", "offset")
_SECONDS_PER_HOUR = 3600
_CONTENT = tuple(name for name in columns_of(SilverEvents) if name not in (*COORDINATES, "kafka_timestamp"))


def conform(records: DataFrame) -> DataFrame:
    """Type each Bronze record and say in `fate` whether it is accepted or rejected; nothing is dropped."""
    # No table above Bronze has these.
    parsed = parse(records, contract=SilverEvents).drop("topic", "headers")
    return parsed.withColumn(FATE, F.when(F.size(REASONS) > 0, F.lit(REJECTED)).otherwise(F.lit(ACCEPTED)))


def shared_hashes(conformed: DataFrame, *, known: DataFrame) -> DataFrame:
    """The 64-bit hashes of ids that more than one row has, with the `first` and `last` event hour of those rows.

    Only hashes and times are read and shuffled for all rows. Whole rows are looked at for the few that share a hash, so
    a collision costs a comparison and never an event.
    """
    hour = F.floor(F.unix_seconds("event_time") / _SECONDS_PER_HOUR).alias("hour")
    accepted = conformed.where(F.col(FATE) == ACCEPTED)
    hashes = accepted.select(_id_hash(), hour).unionAll(known.select(_id_hash(), hour))
    counted = hashes.groupBy("_hash").agg(
        F.count(F.lit(1)).alias("rows"), F.min("hour").alias("first"), F.max("hour").alias("last")
    )
    return counted.where(F.col("rows") > 1).drop("rows")


def repeats(conformed: DataFrame, *, shared: DataFrame, known: DataFrame) -> DataFrame:
    """The coordinates of every accepted row whose event is there already, and whether it `differs` from that.

    Of rows with one `event_id` the first to arrive stays, unless `known` has the event: then none does. A repeat
    `differs` if its content is not that of the row that stays.

    Args:
        conformed: The rows.
        shared: Their hashes that are shared, among them and with Silver.
        known: The Silver rows of all event hours of `conformed` in which a shared hash occurs. A producer's retry
            carries the time of the original, so no other hour can hold it, and the cost does not grow with the lake.
    """
    few = F.broadcast(shared.select("_hash"))
    suspects = conformed.where(F.col(FATE) == ACCEPTED).withColumn("_hash", _id_hash()).join(few, "_hash", "left_semi")
    held = known.withColumn("_hash", _id_hash()).join(few, "_hash", "left_semi")
    content = F.xxhash64(*_CONTENT).alias("_content")
    standing = held.select("event_id", content).groupBy("event_id").agg(F.collect_set("_content").alias("_held"))
    # Batches of the stream are read one after the other, so this order is the same however many a refresh takes in. A
    # clock that was set back between two of them changes nothing within a Kafka partition: there, offsets decide.
    before = Window.partitionBy("event_id", "topic_id", "partition").orderBy("offset")
    arrivals = Window.partitionBy("event_id").orderBy("_arrived", *COORDINATES)
    return (
        suspects.select("event_id", content, "ingested_at", *COORDINATES)
        .withColumn("_arrived", F.max("ingested_at").over(before))
        .withColumn("_place", F.row_number().over(arrivals))
        .withColumn("_first", F.array(F.first("_content").over(arrivals)))
        .join(standing, "event_id", "left")
        .where(F.col("_held").isNotNull() | (F.col("_place") > 1))
        .withColumn(DIFFERS, ~F.array_contains(F.coalesce("_held", "_first"), F.col("_content")))
        .select(*COORDINATES, DIFFERS)
    )


def _id_hash() -> Column:
    return F.xxhash64("event_id").alias("_hash")


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
