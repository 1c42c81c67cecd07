"""What follows from what is known of a lake."""

from datetime import timedelta
from typing import Any

import pytest

from shoplake_assets.health.state import Health, Pulse, TableHealth
from shoplake_assets_tests.health.picture import NOW, check, health, table

QUIET_SECONDS = 40.0


def ingest(*, state: str = "running", seconds_ago: float | None = 2.0) -> dict[str, Any]:
    beat = None if seconds_ago is None else (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return {"state": state, "last_trigger_at": beat}


@pytest.mark.parametrize(
    ("status", "bronze", "pulse"),
    [
        (ingest(), table(), Pulse.ACTIVE),
        (ingest(seconds_ago=40), table(), Pulse.ACTIVE),
        (ingest(seconds_ago=41), table(), Pulse.STOPPED),
        (ingest(seconds_ago=None), table(), Pulse.STOPPED),
        (ingest(state="starting"), table(), Pulse.STOPPED),
        (ingest(state="stopping"), table(), Pulse.STOPPED),
        (None, table(), Pulse.STOPPED),
        (None, None, Pulse.STOPPED),
        (ingest(), None, Pulse.ACTIVE),
        (ingest(), table(lag_events=5, lag_seconds=40.0), Pulse.ACTIVE),
        (ingest(), table(lag_events=5, lag_seconds=40.1), Pulse.LAGGING),
        (ingest(), table(lag_events=None, lag_seconds=None), Pulse.ACTIVE),
        (ingest(seconds_ago=41), table(lag_events=5, lag_seconds=90.0), Pulse.STOPPED),
    ],
)
def test_the_pulse_is_that_of_the_ingest_and_tells_whether_bronze_keeps_up(
    status: dict[str, Any] | None, bronze: TableHealth | None, pulse: Pulse
) -> None:
    found: Health = health(
        ingest=status,
        tables={} if bronze is None else {"bronze.events": bronze},
        quiet_seconds=QUIET_SECONDS,
    )
    assert found.stream.pulse is pulse


def test_the_newest_record_is_the_newest_in_bronze() -> None:
    earlier = NOW - timedelta(seconds=5)
    found = health(tables={"bronze.events": table(newest_record=earlier), "silver.events": table()})
    assert found.stream.newest_record == earlier
    assert health().stream.newest_record is None


def test_the_late_share_is_that_of_the_newest_refresh_and_unknown_where_it_judged_none() -> None:
    judged = check("late_share", blocking=False, severe=False, figures={"share": 0.125})
    assert health(checks=(check("contract"), judged)).late_share == 0.125
    assert health(checks=(check("contract"), check("late_share"))).late_share is None
    assert health().late_share is None
