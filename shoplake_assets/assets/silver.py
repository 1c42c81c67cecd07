"""Silver: `silver.events` and `silver.quarantine`, made together by one refresh.

Belongs here: the Dagster shell, and what a person can ask of one run. Does not belong here: the refresh
(`lake.silver`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.results import checked, following_contracts, leave_standing, materialized, refused, standing
from shoplake_assets.assets.specification import key_of, table_spec
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.tables import BRONZE_EVENTS, GOLD, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.limits import Acceptance

TABLES = (SILVER_EVENTS, SILVER_QUARANTINE)


class SilverRun(dg.Config):
    """What a person can ask of one run of Silver; a run that nobody configures has none of it."""

    accept_because: str = Field(
        "",
        description="Publishes this one refresh although a blocking limit of the contract is exceeded, and keeps this "
        "reason in the snapshot's summary. Empty accepts nothing.",
    )
    accept_share: float = Field(
        1.0, ge=0, le=1, description="With a reason: the largest share that is accepted, 0.25 for a quarter."
    )
    replay_quarantine: bool = Field(
        False,
        description="Judges the quarantined records by today's contract, in place of taking in new ones; those that "
        "pass now move to Silver.",
    )

    def acceptance(self) -> "Acceptance | None":
        """What is accepted."""
        from shoplake_assets.lake.limits import Acceptance

        return Acceptance(because=self.accept_because, share=self.accept_share) if self.accept_because else None


@dg.multi_asset(
    name="silver",
    specs=[table_spec(name, deps=[key_of(BRONZE_EVENTS)]) for name in TABLES],
    check_specs=[spec for name in TABLES for spec in check_specs(name)],
    pool="silver",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
)
def silver_tables(
    context: dg.AssetExecutionContext,
    config: SilverRun,
    connection: dg.ResourceParam[LakeConnection],
    spark: SparkConnectResource,
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Conform, deduplicate, audit and publish the Bronze records that Silver has not seen."""
    from shoplake_assets.lake.refresh import AuditFailedError
    from shoplake_assets.lake.silver import refresh_silver, replay_quarantine

    if context.retry_number:
        spark.begin_anew()
    lake, run = connection.lake(spark.spark_session), context.run_id[:8]
    try:
        with following_contracts():
            if config.replay_quarantine:
                refreshes, checks = replay_quarantine(lake, run=run)
            else:
                at_most = connection.settings.refresh.max_events
                refreshes, checks = refresh_silver(lake, run=run, acceptance=config.acceptance(), at_most=at_most)
    except AuditFailedError as failure:
        yield from checked(failure.checks)
        for table in TABLES:
            yield from standing(table, judged=failure.checks)
        leave_standing(context, GOLD, because=f"{failure.table} was refused, see its checks")
        raise refused([failure]) from failure
    end = connection.kafka_end()
    for refresh in refreshes:
        context.log.info("%s: %s", refresh.table, refresh.says)
        yield materialized(refresh, connection=connection, end=end)
    yield from checked(checks)
    for table in TABLES:
        yield from standing(table, judged=checks)
