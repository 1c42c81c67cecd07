"""What is true of `silver.events` and of the quarantine beside it.

Belongs here: columns, rules, keys, partitioning. Does not belong here: how rows come to be (`transforms.silver`).
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import pandera.pyspark as pa
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known

from shoplake_assets.contracts.contract import Contract, Table, describes
from shoplake_assets.contracts.limits import ACCEPTED, DIFFERS, FATE, NEWEST_BEFORE, REJECTED, REPEATED, Limit, Volume
from shoplake_assets.contracts.rules import NOT_BLANK
from shoplake_assets.events.shape import EventType
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE

MONEY = (12, 2)

# What an id must be, and how long a text may be, in characters.
_ID: dict[str, Any] = {"str_contains": NOT_BLANK, "str_length": {"max_value": 128}}
_NAME: dict[str, Any] = {"str_length": {"max_value": 500}}
# Shops were not on the web before; what is older comes from a clock that was never set.
_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
# Clocks of phones and servers differ by seconds to minutes; beyond that a time is wrong.
_CLOCKS_DIFFER = {"time": "event_time", "than": "kafka_timestamp", "minutes": 15}

LIMITS = (
    Limit(
        name="quarantine_share",
        odd=f"{FATE} = '{REJECTED}'",
        among="true",
        most=0.05,
        blocks=True,
        what="records go to quarantine",
        meaning="So many broken records mean that a producer has changed, and figures without them would be wrong.",
    ),
    Limit(
        name="late_share",
        odd=f"event_time < {NEWEST_BEFORE} - INTERVAL 1 HOUR",
        among=f"{FATE} = '{ACCEPTED}'",
        most=0.2,
        what="events are more than an hour older than what was known before",
        meaning="Late events are counted in the hour they belong to, so figures of past hours change.",
    ),
    Limit(
        name="price_defaulted_share",
        odd="price_defaulted",
        among=f"{FATE} = '{ACCEPTED}'",
        most=0.1,
        what="events came without a price and count as free",
        meaning="Revenue is too low by what they cost.",
    ),
    Limit(
        name="category_unknown_share",
        odd="category IS NULL OR trim(category) = ''",
        among=f"{FATE} = '{ACCEPTED}'",
        most=0.6,
        what="events name no category",
        meaning="Sales by category show them together, as `(none)`.",
    ),
    Limit(
        name="conflicts",
        odd=DIFFERS,
        among=f"{FATE} = '{REPEATED}'",
        most=0.0,
        at_least=1,
        what="repeats carry the id of an earlier event and other content",
        meaning="The first by Kafka's order counts. A producer that uses ids twice loses events.",
    ),
)


class _Coordinates(Contract):
    """Where in Kafka a row came from; the first occurrence, where the producer sent it more than once."""

    topic_id: T.StringType = pa.Field(nullable=False, description="Kafka's id of the topic.")
    partition: T.IntegerType = pa.Field(nullable=False, description="Kafka partition.")
    offset: T.LongType = pa.Field(nullable=False, description="Kafka offset.")
    kafka_timestamp: T.TimestampType = pa.Field(nullable=False, description="Time of the Kafka record, UTC.")


@describes(
    Table(
        name=SILVER_EVENTS,
        key=("event_id", "event_time"),
        partitioned_by="hours(event_time)",
        code_version="2",
        limits=LIMITS,
        volume=Volume(),
    )
)
class SilverEvents(_Coordinates):
    """Shop events, typed, valid and unique: one row per event that a shopper caused."""

    event_id: T.StringType = pa.Field(nullable=False, **_ID, description="The producer's id; a retry repeats it.")
    event_time: T.TimestampType = pa.Field(
        nullable=False, ge=_FIRST_DAY, not_later_than=_CLOCKS_DIFFER, description="When the shopper acted, UTC."
    )
    event_type: T.StringType = pa.Field(
        nullable=False, isin=[kind.value for kind in EventType], description="view_item, add_to_cart or purchase."
    )
    user_id: T.StringType = pa.Field(nullable=False, **_ID, description="The shopper.")
    session_id: T.StringType = pa.Field(
        nullable=True, str_length={"max_value": 128}, description="The visit in which it happened."
    )
    product_id: T.StringType = pa.Field(nullable=False, **_ID, description="The product.")
    product_name: T.StringType = pa.Field(
        nullable=True, **_NAME, description="The product's name, as the shop showed it."
    )
    category: T.StringType = pa.Field(nullable=True, **_NAME, description="The product's category.")
    price: Annotated[T.DecimalType, *MONEY] = pa.Field(
        nullable=False, ge=0, le=10_000_000, description="Unit price, exact to the cent; 0 where `price_defaulted`."
    )
    quantity: T.IntegerType = pa.Field(
        nullable=False, ge=1, le=100_000, description="Units; 1 where the event named none."
    )
    price_defaulted: T.BooleanType = pa.Field(nullable=False, description="Whether the event had no price.")


@describes(
    Table(
        name=SILVER_QUARANTINE,
        key=("topic_id", "partition", "offset"),
        partitioned_by="days(kafka_timestamp)",
    )
)
class SilverQuarantine(_Coordinates):
    """Records that could not become a Silver row, with every reason and the payload as it came."""

    key: T.BinaryType = pa.Field(nullable=True, description="Key of the record.")
    payload: T.BinaryType = pa.Field(nullable=True, description="Value of the record, byte for byte.")
    reasons: Annotated[T.ArrayType, T.StringType(), True] = pa.Field(
        nullable=False, description="Every rule that the record breaks."
    )
    quarantined_at: T.TimestampType = pa.Field(nullable=False, description="When Shoplake set it aside, UTC.")
