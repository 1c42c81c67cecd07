"""What is true of `silver.events` and of the quarantine beside it.

Belongs here: columns, rules, keys, partitioning. Does not belong here: how rows come to be (`transforms.silver`).
"""

from typing import Annotated

import pandera.pyspark as pa
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known

from shoplake_assets.contracts.contract import Contract, Table, describes
from shoplake_assets.events.shape import EventType
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE

MONEY = (12, 2)
_FILLED = {"min_value": 1}


class _Coordinates(Contract):
    """Where in Kafka a row came from; the first occurrence, where the producer sent it more than once."""

    topic_id: T.StringType = pa.Field(nullable=False, description="Kafka's id of the topic.")
    partition: T.IntegerType = pa.Field(nullable=False, description="Kafka partition.")
    offset: T.LongType = pa.Field(nullable=False, description="Kafka offset.")
    kafka_timestamp: T.TimestampType = pa.Field(nullable=False, description="Time of the Kafka record, UTC.")


@describes(Table(name=SILVER_EVENTS, key=("event_id", "event_time"), partitioned_by="hours(event_time)"))
class SilverEvents(_Coordinates):
    """Shop events, typed, valid and unique: one row per event that a shopper caused."""

    event_id: T.StringType = pa.Field(
        nullable=False, str_length=_FILLED, description="The producer's id; a retry repeats it."
    )
    event_time: T.TimestampType = pa.Field(nullable=False, description="When the shopper acted, UTC.")
    event_type: T.StringType = pa.Field(
        nullable=False, isin=[kind.value for kind in EventType], description="view_item, add_to_cart or purchase."
    )
    user_id: T.StringType = pa.Field(nullable=False, str_length=_FILLED, description="The shopper.")
    session_id: T.StringType = pa.Field(nullable=True, description="The visit in which it happened.")
    product_id: T.StringType = pa.Field(nullable=False, str_length=_FILLED, description="The product.")
    product_name: T.StringType = pa.Field(nullable=True, description="The product's name, as the shop showed it.")
    category: T.StringType = pa.Field(nullable=True, description="The product's category.")
    price: Annotated[T.DecimalType, *MONEY] = pa.Field(
        nullable=False, ge=0, description="Unit price, exact to the cent; 0 where `price_defaulted`."
    )
    quantity: T.IntegerType = pa.Field(nullable=False, ge=1, description="Units; 1 where the event named none.")
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
