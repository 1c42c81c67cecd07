"""The job that keeps the lake and Dagster's own storage small.

Belongs here: the Dagster shell. Does not belong here: what is done to a table (`lake.maintenance`), what Dagster
forgets (`runtime.dagster_history`), or when the job runs (`schedules`).

It runs beside the stream and beside refreshes and takes no lock that they wait for: a maintenance that was killed must
not hold them up. Only two maintenances never run at once.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.runtime.dagster_history import forget_history
from shoplake_assets.tables import ALL

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
    from pyiceberg.exceptions import CommitFailedException
    from pyspark.errors import PySparkException

    from shoplake_assets.lake.maintenance.table import maintain_table

    lake, failures = connection.lake(spark.spark_session), {}
    for name in ALL:
        try:
            maintained = maintain_table(lake, name, limits=connection.settings.maintenance)
        except (PySparkException, CommitFailedException) as error:
            context.log.exception("%s: maintenance failed; no row has changed", name)
            failures[name] = str(error).strip().splitlines()[0]
            continue
        context.log.info("%s: %s", name, maintained.says)
        context.log_event(
            dg.AssetObservation(key_of(name), description=maintained.says, metadata=_metadata(maintained))
        )
    if failures:
        raise dg.Failure(
            "maintenance failed, no row has changed: "
            + "; ".join(f"{name}: {reason}" for name, reason in failures.items()),
        )


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
