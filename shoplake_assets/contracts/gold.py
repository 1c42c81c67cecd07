"""What is true of the Gold tables.

Belongs here: columns, rules, keys, partitioning. Does not belong here: how the figures are computed
(`transforms.gold`). Revenue is decimal and exact everywhere; times are UTC.
"""

from typing import Annotated

import pandera.pyspark as pa
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known

from shoplake_assets.contracts.contract import Contract, Table, describes
from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
)

REVENUE = (24, 2)
RATE = (12, 4)
UNKNOWN_CATEGORY = "(none)"


class _Sales(Contract):
    """What was sold; zero where events came and nothing was bought, so that "no sales" is not "no data"."""

    purchases: T.LongType = pa.Field(nullable=False, ge=0, description="Purchase events.")
    units: T.LongType = pa.Field(nullable=False, ge=0, description="Units bought.")
    revenue: Annotated[T.DecimalType, *REVENUE] = pa.Field(
        nullable=False, ge=0, description="Price times quantity over all purchases, exact."
    )


@describes(Table(name=GOLD_HOURLY_SALES, key=("event_hour",), partitioned_by="months(event_hour)"))
class HourlySales(_Sales):
    """Sales of each hour in which shoppers were seen."""

    event_hour: T.TimestampType = pa.Field(nullable=False, description="The hour, by event time, UTC.")
    events: T.LongType = pa.Field(nullable=False, ge=1, description="Events of any type.")
    buyers: T.LongType = pa.Field(nullable=False, ge=0, description="Distinct shoppers who bought.")
    sessions: T.LongType = pa.Field(nullable=False, ge=0, description="Distinct sessions.")
    average_order_value: Annotated[T.DecimalType, *REVENUE] = pa.Field(
        nullable=True, ge=0, description="Revenue per purchase, rounded half up to the cent; null without a purchase."
    )


@describes(Table(name=GOLD_HOURLY_FUNNEL, key=("event_hour",), partitioned_by="months(event_hour)"))
class HourlyFunnel(Contract):
    """How far the sessions of each hour came: seen, put into the cart, bought."""

    event_hour: T.TimestampType = pa.Field(nullable=False, description="The hour, by event time, UTC.")
    viewed: T.LongType = pa.Field(nullable=False, ge=0, description="Sessions that viewed an item.")
    added: T.LongType = pa.Field(nullable=False, ge=0, description="Sessions that added an item to the cart.")
    purchased: T.LongType = pa.Field(nullable=False, ge=0, description="Sessions that bought.")
    add_rate: Annotated[T.DecimalType, *RATE] = pa.Field(
        nullable=True, ge=0, description="Sessions that added, per session that viewed; null without views."
    )
    purchase_rate: Annotated[T.DecimalType, *RATE] = pa.Field(
        nullable=True, ge=0, description="Sessions that bought, per session that viewed; null without views."
    )


@describes(
    Table(name=GOLD_PRODUCT_HOURLY, key=("event_hour", "product_id", "category"), partitioned_by="days(event_hour)")
)
class ProductHourly(_Sales):
    """What happened to each product in each hour: the facts beneath the product and category lists."""

    event_hour: T.TimestampType = pa.Field(nullable=False, description="The hour, by event time, UTC.")
    product_id: T.StringType = pa.Field(nullable=False, description="The product.")
    category: T.StringType = pa.Field(nullable=False, description="Its category at the time; `(none)` where unnamed.")
    product_name: T.StringType = pa.Field(nullable=True, description="Its name in the newest event of the hour.")
    views: T.LongType = pa.Field(nullable=False, ge=0, description="Times it was viewed.")
    carts: T.LongType = pa.Field(nullable=False, ge=0, description="Times it was added to a cart.")


@describes(Table(name=GOLD_USER_HOURLY, key=("event_hour", "user_id"), partitioned_by="days(event_hour)"))
class UserHourly(_Sales):
    """What each shopper bought in each hour, for those who bought: the facts beneath the list of top users."""

    event_hour: T.TimestampType = pa.Field(nullable=False, description="The hour, by event time, UTC.")
    user_id: T.StringType = pa.Field(nullable=False, description="The shopper.")


@describes(Table(name=GOLD_CATEGORY_SALES, key=("event_date", "category"), partitioned_by="months(event_date)"))
class CategorySales(_Sales):
    """Sales of each category on each day."""

    event_date: T.DateType = pa.Field(nullable=False, description="The day, by event time, UTC.")
    category: T.StringType = pa.Field(nullable=False, description="The category; `(none)` where the event named none.")


class _TopList(_Sales):
    """Best sellers of a window that ends with the newest event, so that historic replays have one, too."""

    window: T.StringType = pa.Field(
        nullable=False, isin=["24h", "7d", "30d", "all"], description="Window, counted back from the newest event."
    )
    rank: T.IntegerType = pa.Field(nullable=False, ge=1, le=100, description="1 for most revenue; ties break by id.")


@describes(Table(name=GOLD_TOP_PRODUCTS, key=("window", "rank")))
class TopProducts(_TopList):
    """The hundred products with the most revenue in each window."""

    product_id: T.StringType = pa.Field(nullable=False, description="The product.")
    product_name: T.StringType = pa.Field(nullable=True, description="Its newest name.")
    category: T.StringType = pa.Field(nullable=False, description="Its newest category.")


@describes(Table(name=GOLD_TOP_USERS, key=("window", "rank")))
class TopUsers(_TopList):
    """The hundred shoppers with the most revenue in each window."""

    user_id: T.StringType = pa.Field(nullable=False, description="The shopper.")
