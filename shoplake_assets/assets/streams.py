"""The assets that Dagster watches and does not make: the Kafka topic and Bronze.

Belongs here: their descriptions. Does not belong here: the sensor that reports them.
"""

import dagster as dg

from shoplake_assets.assets.specification import KAFKA_EVENTS, table_spec
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS

kafka_events = dg.AssetSpec(
    KAFKA_EVENTS,
    description="The topic of shop events, one JSON object per record, keyed by the shopper.",
    group_name="kafka",
    kinds={"kafka"},
    owners=["team:data-platform"],
)

bronze_events = table_spec(BRONZE_EVENTS, deps=[KAFKA_EVENTS], materialized_by_dagster=False)
bronze_gaps = table_spec(BRONZE_GAPS, deps=[KAFKA_EVENTS], materialized_by_dagster=False)
