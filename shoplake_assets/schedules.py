"""What runs by the clock, and the jobs that people and programs start.

Belongs here: jobs and schedules. Refreshes are not among the schedules: lineage drives them.
"""

import dagster as dg

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
