"""What runs by the clock, and the jobs that people and programs start.

Belongs here: jobs and schedules. Refreshes are not among the schedules: lineage drives them.
"""

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from shoplake_assets.maintenance import maintenance_job
from shoplake_assets.settings import Settings

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.groups("silver", "gold"),
    description="Bring Silver and Gold up to Bronze now; what 'shoplake drain' starts where nothing is under way.",
)
exports_job = dg.define_asset_job(
    "write_exports", selection=dg.AssetSelection.groups("exports"), description="Write the CSV exports of Gold."
)


def exports_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Make the schedule of the CSV exports."""
    return dg.ScheduleDefinition(
        name="exports",
        job=exports_job,
        cron_schedule=settings.dagster.export_cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Writes the CSV exports of Gold.",
    )


def maintenance_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Make the schedule of the maintenance, which starts none while one is under way."""

    @dg.schedule(
        name="maintenance",
        job=maintenance_job,
        cron_schedule=settings.dagster.maintenance_cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Keeps the tables and Dagster's own storage small.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        under_way = dg.RunsFilter(job_name=maintenance_job.name, statuses=NOT_FINISHED_STATUSES)
        if runs := context.instance.get_runs(under_way, limit=1):
            return dg.SkipReason(f"the maintenance {runs[0].run_id} is still under way")
        return dg.RunRequest()

    return schedule
