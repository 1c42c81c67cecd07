"""From Silver rows to Gold figures.

Belongs here: how each figure is computed, as pure functions named after their tables. Does not belong here: which hours
are computed and how they are published (`lake.gold`). Money stays decimal from price to revenue.
"""

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known
from pyspark.sql import Column, DataFrame, Window

from shoplake_assets.contracts.contract import ContractType, columns_of
from shoplake_assets.contracts.gold import (
    RATE,
    REVENUE,
    UNKNOWN_CATEGORY,
    CategorySales,
    HourlyFunnel,
    HourlySales,
    ProductHourly,
    TopProducts,
    TopUsers,
    UserHourly,
)
from shoplake_assets.events.shape import EventType

WINDOWS: dict[str, int | None] = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24, "all": None}
"""Windows of the top lists, in hours, the narrowest first; None is everything."""
LIST_LENGTH = 100

_REVENUE = T.DecimalType(*REVENUE)


def hourly_sales(events: DataFrame) -> DataFrame:
    """Sales of each hour that has events."""
    sales = events.groupBy(_hour().alias("event_hour")).agg(
        F.count(F.lit(1)).alias("events"),
        *_sales_of_events(),
        F.count_distinct(F.when(_is_purchase(), F.col("user_id"))).alias("buyers"),
        F.count_distinct("session_id").alias("sessions"),
    )
    average = F.when(F.col("purchases") > 0, F.round(F.col("revenue") / F.col("purchases"), 2)).cast(_REVENUE)
    return _as(HourlySales, sales.withColumn("average_order_value", average))


def hourly_funnel(events: DataFrame) -> DataFrame:
    """How many sessions of each hour viewed, added and bought; a session counts in every hour it acts in.

    The stages are counted each on its own, so a session that buys in the hour after its view makes that hour's purchase
    rate what it is, even above 1.
    """

    def sessions(kind: EventType) -> Column:
        return F.count_distinct(F.when(F.col("event_type") == kind.value, F.col("session_id")))

    stages = events.groupBy(_hour().alias("event_hour")).agg(
        sessions(EventType.VIEW_ITEM).alias("viewed"),
        sessions(EventType.ADD_TO_CART).alias("added"),
        sessions(EventType.PURCHASE).alias("purchased"),
    )

    def rate(stage: str) -> Column:
        return F.round(F.col(stage) / F.nullif(F.col("viewed"), F.lit(0)), RATE[1]).cast(T.DecimalType(*RATE))

    return _as(
        HourlyFunnel, stages.withColumn("add_rate", rate("added")).withColumn("purchase_rate", rate("purchased"))
    )


def product_hourly(events: DataFrame) -> DataFrame:
    """What happened to each product in each hour."""
    category = F.coalesce("category", F.lit(UNKNOWN_CATEGORY))
    facts = events.groupBy(_hour().alias("event_hour"), "product_id", category.alias("category")).agg(
        F.max_by("product_name", F.struct("event_time", "event_id")).alias("product_name"),
        F.count_if(F.col("event_type") == EventType.VIEW_ITEM.value).alias("views"),
        F.count_if(F.col("event_type") == EventType.ADD_TO_CART.value).alias("carts"),
        *_sales_of_events(),
    )
    return _as(ProductHourly, facts)


def user_hourly(events: DataFrame) -> DataFrame:
    """What each shopper bought in each hour; shoppers who bought nothing have no row."""
    bought = events.where(_is_purchase())
    return _as(UserHourly, bought.groupBy(_hour().alias("event_hour"), "user_id").agg(*_sales_of_events()))


def category_sales(products: DataFrame) -> DataFrame:
    """Sales of each category on each day, from the hourly product facts of whole days."""
    day = F.to_date("event_hour").alias("event_date")
    return _as(CategorySales, products.groupBy(day, "category").agg(*_sales_of_facts()))


def top_products(products: DataFrame, *, newest_hour: Column) -> DataFrame:
    """The products with the most revenue in each window, with their newest name and category."""
    facts = products.withColumn("newest", F.struct("event_hour", "category", "product_name"))
    top = _top(facts, by="product_id", newest_hour=newest_hour, also=(F.max("newest").alias("newest"),))
    return _as(TopProducts, top.select("*", "newest.product_name", "newest.category"))


def top_users(users: DataFrame, *, newest_hour: Column) -> DataFrame:
    """The shoppers with the most revenue in each window."""
    return _as(TopUsers, _top(users, by="user_id", newest_hour=newest_hour))


def _top(facts: DataFrame, *, by: str, newest_hour: Column, also: tuple[Column, ...] = ()) -> DataFrame:
    """Rank `by` in all windows at once.

    A window of n hours is the newest hour and the n - 1 before it. Who sold nothing is on no list.

    Each window holds all narrower ones. So the facts, which grow with the lake, are summed once, each in the narrowest
    window that reaches back to its hour; only these few sums then count in every wider one.

    Args:
        facts: Rows of an hour.
        by: What is ranked.
        newest_hour: The hour from which the windows count back.
        also: What else is kept of the facts: aggregates that can be taken of their own results, named as their column.
    """
    age = F.timestamp_diff("HOUR", F.col("event_hour"), newest_hour)
    windows = F.array(*(F.lit(name) for name in WINDOWS))
    narrowest = F.coalesce(
        *(F.lit(name) if hours is None else F.when(age < hours, F.lit(name)) for name, hours in WINDOWS.items())
    )
    wider = F.slice(windows, F.array_position(windows, F.col("window")).cast("int"), len(WINDOWS))
    sums = (*_sales_of_facts(), *also)
    parts = facts.where(F.col("purchases") > 0).withColumn("window", narrowest).groupBy("window", by).agg(*sums)
    totals = parts.withColumn("window", F.explode(wider)).groupBy("window", by).agg(*sums)
    order = Window.partitionBy("window").orderBy(F.desc("revenue"), F.asc(by))
    return totals.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= LIST_LENGTH)


def _hour() -> Column:
    return F.date_trunc("hour", F.col("event_time"))


def _is_purchase() -> Column:
    return F.col("event_type") == EventType.PURCHASE.value


def _sales_of_events() -> tuple[Column, Column, Column]:
    amount = F.col("price") * F.col("quantity")
    return (
        F.count_if(_is_purchase()).alias("purchases"),
        F.sum(F.when(_is_purchase(), F.col("quantity")).otherwise(F.lit(0))).alias("units"),
        F.sum(F.when(_is_purchase(), amount).otherwise(F.lit(0).cast(T.DecimalType(12, 2))))
        .cast(_REVENUE)
        .alias("revenue"),
    )


def _sales_of_facts() -> tuple[Column, Column, Column]:
    return (
        F.sum("purchases").alias("purchases"),
        F.sum("units").alias("units"),
        F.sum("revenue").cast(_REVENUE).alias("revenue"),
    )


def _as(contract: ContractType, rows: DataFrame) -> DataFrame:
    """The rows with the contract's columns in the contract's order."""
    return rows.select(*columns_of(contract))
