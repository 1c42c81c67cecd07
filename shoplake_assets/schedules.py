"""What runs by the clock, and the jobs that people and programs start.

Belongs here: jobs and schedules. Refreshes are not among the schedules: lineage drives them.
"""

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.checks.verification import VERIFIABLE, VERIFIED
from shoplake_assets.maintenance import maintenance_job
from shoplake_assets.settings import Settings

_FINISHED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
_UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in _FINISHED]

# Checks that are verified by the clock belong to no other job, where the selection of a table would take them along.
_VERIFIED = dg.AssetSelection.checks(*(dg.AssetCheckKey(key_of(name), VERIFIED) for name in VERIFIABLE))

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.groups("silver", "gold") - _VERIFIED,
    description="Bring Silver and Gold up to Bronze now; what 'shoplake drain' starts where nothing is under way.",
)
exports_job = dg.define_asset_job(
    "write_exports",
    selection=dg.AssetSelection.groups("exports"),
    description="Write the CSV exports of Gold and the sales report.",
)
verify_job = dg.define_asset_job(
    "verify",
    selection=_VERIFIED,
    description="Prove that nothing was lost, doubled or altered, as 'shoplake verify' does.",
)


def exports_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Make the schedule of the CSV exports and of the sales report."""
    return dg.ScheduleDefinition(
        name="exports",
        job=exports_job,
        cron_schedule=settings.dagster.export_cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Writes the CSV exports of Gold and the sales report.",
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
        under_way = dg.RunsFilter(job_name=maintenance_job.name, statuses=_UNDER_WAY)
        if runs := context.instance.get_runs(under_way, limit=1):
            return dg.SkipReason(f"the maintenance {runs[0].run_id} is still under way")
        return dg.RunRequest()

    return schedule


def verify_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Make the schedule of the verification."""
    return dg.ScheduleDefinition(
        name="verify",
        job=verify_job,
        cron_schedule=settings.dagster.verify_cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Verifies every row from Bronze to Gold.",
    )
