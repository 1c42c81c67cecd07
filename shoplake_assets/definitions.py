"""The Dagster code location: everything that Shoplake defines, put together once.

Belongs here: the list of parts. Tests, the command line and production all call `build_definitions`.
"""

import dagster as dg

from shoplake_assets.alerts import alert_sensors
from shoplake_assets.assets.exports import csv_exports
from shoplake_assets.assets.gold import gold_tables
from shoplake_assets.assets.report import sales_report
from shoplake_assets.assets.silver import silver_tables
from shoplake_assets.assets.streams import bronze_events, bronze_gaps, kafka_events
from shoplake_assets.checks.bronze import bronze_checks
from shoplake_assets.checks.verification import verification
from shoplake_assets.maintenance import maintenance_job
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.schedules import (
    exports_job,
    exports_schedule,
    maintenance_schedule,
    refresh_job,
    verify_job,
    verify_schedule,
)
from shoplake_assets.sensors import automation_sensor, bronze_ingest_sensor
from shoplake_assets.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Put the code location together for the lake of the settings."""
    return dg.Definitions(
        assets=[kafka_events, bronze_events, bronze_gaps, silver_tables, gold_tables, csv_exports, sales_report],
        asset_checks=[bronze_checks, verification],
        sensors=[bronze_ingest_sensor(settings), automation_sensor(settings), *alert_sensors(settings)],
        schedules=[exports_schedule(settings), maintenance_schedule(settings), verify_schedule(settings)],
        jobs=[refresh_job, exports_job, maintenance_job, verify_job],
        resources={
            "connection": LakeConnection(settings),
            "spark": SparkConnectResource(spark_config={"spark.remote": settings.spark_remote}),
        },
        # One process runs a refresh from end to end: its steps share the warm Spark session and start at once.
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings())
