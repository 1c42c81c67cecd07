"""The sales report: the figures of Gold as one HTML file.

Belongs here: the asset. Does not belong here: what the report shows (`dashboard.report`), where it goes
(`assets.destination`), when it is made (`schedules`).
"""

from datetime import UTC, datetime

import dagster as dg

from shoplake_assets.assets.automation import first_time
from shoplake_assets.assets.destination import destination
from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection
from shoplake_assets.tables import GOLD, GOLD_HOURLY_SALES


@dg.asset(
    key=["exports", "sales_report"],
    deps=[key_of(table) for table in GOLD],
    group_name="exports",
    kinds={"html", "plotly"},
    automation_condition=first_time(),
    owners=["team:data-platform"],
    metadata={"dagster/storage_kind": "html"},
    pool="exports",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
)
def sales_report(connection: dg.ResourceParam[LakeConnection]) -> dg.MaterializeResult[None]:
    """The figures of the last seven days as one HTML file that needs no server: to keep, to print, to send."""
    from shoplake_assets.dashboard.data import LakeReader
    from shoplake_assets.dashboard.report import FILE, report
    from shoplake_assets.lake.catalog import open_catalog

    settings = connection.settings
    view = LakeReader(lambda: open_catalog(settings)).look(GOLD)
    text = report(view, currency=settings.currency, made_at=datetime.now(UTC))
    uri = destination(settings).write(FILE, text, content_type="text/html; charset=utf-8")
    # A browser opens no file that a page of Dagster's names, so the dashboard serves it.
    served = (
        {}
        if settings.exports_folder is None
        else {"shoplake/report": dg.MetadataValue.url(f"{settings.dashboard_link}/report")}
    )
    return dg.MaterializeResult(
        metadata={
            **served,
            "dagster/uri": uri,
            "shoplake/snapshot_id": str(view.snapshot_id(GOLD_HOURLY_SALES)),
        }
    )
