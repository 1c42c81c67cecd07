"""The job that keeps the lake and Dagster's own storage small.

Belongs here: the Dagster shell. Does not belong here: what is done to a table (`lake.maintenance`), what Dagster
forgets (`runtime.dagster_history`), or when the job runs (`schedules`).

It runs beside the stream and beside refreshes and takes no lock that they wait for: a maintenance that was killed must
not hold them up. Two runs of the job never overlap. `shoplake maintain`, which a person starts, may run beside one:
where both take up the same files, the later commit is refused as a whole and planned anew.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.runtime.dagster_history import forget_history

if TYPE_CHECKING:
    from shoplake_assets.lake.maintenance.table import Maintained

_RETRY = dg.RetryPolicy(max_retries=1, delay=10)


@dg.op(pool="maintenance", retry_policy=_RETRY)
def maintain_tables(
    context: dg.OpExecutionContext, connection: dg.ResourceParam[LakeConnection], spark: SparkConnectResource
) -> None:
    """Put small files of closed hours together, let old snapshots and branches go, remove orphans.

    Each table gets an observation with its figures before and after. A table that fails does not keep the others from
    being maintained.
    """
    from shoplake_assets.lake.maintenance.lake import Failed, maintain_lake

    if context.retry_number:
        spark.begin_anew()
    failures = []
    for outcome in maintain_lake(connection.lake(spark.spark_session), connection.settings.maintenance):
        if isinstance(outcome, Failed):
            context.log.error("%s", outcome.says, exc_info=outcome.error)
            failures.append(outcome.says)
            continue
        context.log.info("%s: %s", outcome.table, outcome.says)
        context.log_event(
            dg.AssetObservation(key_of(outcome.table), description=outcome.says, metadata=_metadata(outcome))
        )
    if failures:
        raise dg.Failure("\n".join(failures))


def _metadata(maintained: "Maintained") -> dict[str, Any]:
    moments = (("before", maintained.before), ("after", maintained.after))
    return {
        "shoplake/what": maintained.says,
        **{f"shoplake/{name}_{when}": value for when, figures in moments for name, value in figures.as_dict().items()},
    }


@dg.op(retry_policy=_RETRY)
def forget_old_history(context: dg.OpExecutionContext, connection: dg.ResourceParam[LakeConnection]) -> None:
    """Delete old runs, reports and ticks from Dagster's storage, and old logs of runs."""
    kept = timedelta(hours=connection.settings.maintenance.history_hours)
    forgotten = forget_history(context.instance, before=datetime.now(UTC) - kept)
    context.log.info("%s", forgotten)
    context.add_output_metadata({"shoplake/what": str(forgotten), "shoplake/runs": forgotten.runs})


@dg.job(
    name="maintenance",
    description="Put small files together, let old snapshots, orphans, runs and reports go; changes no row.",
)
def maintenance_job() -> None:
    """Maintain the tables, and Dagster's history whether or not that succeeds."""
    maintain_tables()
    forget_old_history()
