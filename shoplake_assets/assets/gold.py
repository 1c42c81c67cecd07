"""Gold: one asset for each table, all refreshed by one op, side by side where lineage allows.

Belongs here: the Dagster shell. Does not belong here: the refresh (`lake.gold`).
"""

from collections.abc import Iterator
from contextlib import closing
from functools import cache

import dagster as dg

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.results import checked, following_contracts, materialized, refused, standing
from shoplake_assets.assets.specification import key_of, table_spec
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.tables import (
    GOLD,
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
    SILVER_EVENTS,
)

LINEAGE = {
    GOLD_HOURLY_SALES: (SILVER_EVENTS,),
    GOLD_HOURLY_FUNNEL: (SILVER_EVENTS,),
    GOLD_PRODUCT_HOURLY: (SILVER_EVENTS,),
    GOLD_USER_HOURLY: (SILVER_EVENTS,),
    GOLD_CATEGORY_SALES: (GOLD_PRODUCT_HOURLY,),
    GOLD_TOP_PRODUCTS: (GOLD_PRODUCT_HOURLY, GOLD_HOURLY_SALES),
    GOLD_TOP_USERS: (GOLD_USER_HOURLY, GOLD_HOURLY_SALES),
}


@dg.multi_asset(
    name="gold",
    specs=[table_spec(name, deps=[key_of(below) for below in LINEAGE[name]]) for name in GOLD],
    check_specs=[spec for name in GOLD for spec in check_specs(name)],
    can_subset=True,
    pool="gold",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
)
def gold_tables(
    context: dg.AssetExecutionContext, connection: dg.ResourceParam[LakeConnection], spark: SparkConnectResource
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Recompute, audit and publish exactly the hours that changed below."""
    from shoplake_assets.lake.gold import refresh_gold
    from shoplake_assets.lake.refresh import AuditFailedError

    if context.retry_number:
        spark.begin_anew()
    chosen = {".".join(key.path) for key in context.op_execution_context.selected_asset_keys}
    end = cache(connection.kafka_end)  # asked with the first table that is done, while the others are at work
    failures = []
    refresh = refresh_gold(connection.lake(spark.spark_session), tables=chosen, run=context.run_id[:8])
    with following_contracts(), closing(refresh) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, AuditFailedError):
                yield from checked(outcome.checks)
                failures.append(outcome)
                continue
            done, checks = outcome
            context.log.info("%s: %s", done.table, done.says)
            yield materialized(done, connection=connection, end=end())
            yield from checked(checks)
            yield from standing(done.table, judged=checks)
    if failures:
        raise refused(failures)
