"""Silver: `silver.events` and `silver.quarantine`, made together by one refresh.

Belongs here: the Dagster shell. Does not belong here: the refresh (`lake.silver`).
"""

from collections.abc import Iterator

import dagster as dg

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.results import checked, materialized, refused, standing
from shoplake_assets.assets.specification import key_of, table_spec
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE


@dg.multi_asset(
    name="silver",
    specs=[table_spec(name, deps=[key_of(BRONZE_EVENTS)]) for name in (SILVER_EVENTS, SILVER_QUARANTINE)],
    check_specs=[*check_specs(SILVER_EVENTS), *check_specs(SILVER_QUARANTINE)],
    pool="silver",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
)
def silver_tables(
    context: dg.AssetExecutionContext, connection: dg.ResourceParam[LakeConnection], spark: SparkConnectResource
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Conform, deduplicate, audit and publish the Bronze records that Silver has not seen."""
    from shoplake_assets.lake.refresh import AuditFailedError
    from shoplake_assets.lake.silver import refresh_silver

    try:
        refreshes, checks = refresh_silver(connection.lake(spark.spark_session), run=context.run_id[:8])
    except AuditFailedError as failure:
        yield from checked(failure.checks)
        raise refused([failure]) from failure
    end = connection.kafka_end()
    for refresh in refreshes:
        context.log.info("%s: %s", refresh.table, refresh.says)
        yield materialized(refresh, connection=connection, end=end)
        if not refresh.changed:
            yield from standing(refresh.table)
    yield from checked(checks)
