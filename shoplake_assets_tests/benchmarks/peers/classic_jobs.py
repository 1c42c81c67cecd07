"""The classic medallion as two batch jobs, each a `spark-submit` of this file: all of Silver, then all of Gold as CSV.

    spark-submit classic_jobs.py silver|gold|bronze WAREHOUSE [EVENTS]

Belongs here: the jobs as many tutorials have them. Does not belong here: how they are started (`classic`).
"""

import sys

from pyspark.sql import SparkSession  # noqa: TID253  a Spark job
from pyspark.sql import functions as F  # noqa: N812, TID253  likewise

_TYPED = """
    SELECT md5(CAST(id AS STRING)) AS event_id,
        CASE WHEN hash % 10 < 7 THEN 'view_item' WHEN hash % 10 < 9 THEN 'add_to_cart' ELSE 'purchase' END
            AS event_type,
        1767225600.0D + id * 0.18D AS event_time, concat('u', hash % 5000) AS user_id,
        concat('s', hash % 5000, '-', id div 5000) AS session_id, concat('p', hash div 5000 % 500) AS product_id,
        concat('Product ', hash div 5000 % 500) AS product_name, concat('category ', hash div 5000 % 12) AS category,
        CAST(1 + hash % 300 + 0.99 AS DOUBLE) AS price, CAST(1 + hash % 3 AS INT) AS quantity
    FROM (SELECT id, pmod(xxhash64(id), 1000000000) AS hash FROM range({events}))
"""


def bronze(spark: SparkSession, *, events: int) -> None:
    """Typed events, as a sink that parses would have left them."""
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze")
    spark.sql(_TYPED.format(events=events)).writeTo("lake.bronze.events").using("iceberg").createOrReplace()


def silver(spark: SparkSession) -> None:
    """All of Bronze, with types and without repeats, in the place of all of Silver."""
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.silver")
    rows = (
        spark.table("lake.bronze.events")
        .withColumn("event_time", F.timestamp_seconds("event_time"))
        .withColumn("price", F.coalesce(F.col("price"), F.lit(0.0)))
        .dropDuplicates(["event_id"])
    )
    rows.writeTo("lake.silver.events").using("iceberg").createOrReplace()


def gold(spark: SparkSession, *, reports: str) -> None:
    """All of Silver, as four reports."""
    sales = (
        spark.table("lake.silver.events")
        .where("event_type = 'purchase'")
        .withColumn("revenue", F.col("price") * F.col("quantity"))
    )
    sums = F.sum("revenue").alias("revenue"), F.count(F.lit(1)).alias("orders")
    best = F.desc("revenue")
    tables = {
        "hourly_revenue": sales.groupBy(F.date_trunc("hour", "event_time").alias("hour")).agg(*sums).orderBy("hour"),
        "top_products": sales.groupBy("product_id").agg(*sums).orderBy(best).limit(10),
        "category_sales": sales.groupBy("category").agg(*sums).orderBy(best),
        "top_users": sales.groupBy("user_id").agg(*sums).orderBy(best).limit(10),
    }
    for name, rows in tables.items():
        rows.coalesce(1).write.mode("overwrite").option("header", value=True).csv(f"{reports}/{name}")


if __name__ == "__main__":
    session = SparkSession.builder.getOrCreate()
    match sys.argv[1:]:
        case ["bronze", _, count]:
            bronze(session, events=int(count))
        case ["silver", _]:
            silver(session)
        case ["gold", place]:
            gold(session, reports=place)
    session.stop()
