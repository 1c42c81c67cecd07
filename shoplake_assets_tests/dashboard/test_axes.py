"""Where the ticks of a time axis are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shoplake_assets.dashboard.axes import time_axis


def test_instants_are_utc_and_ticks_say_the_viewers_time() -> None:
    start, end = datetime(2026, 3, 1, 20, tzinfo=UTC), datetime(2026, 3, 2, 14, tzinfo=UTC)
    axis = time_axis(start, end, zone=ZoneInfo("Asia/Kolkata"))
    assert axis["range"] == ["2026-03-01 20:00:00", "2026-03-02 14:00:00"]
    assert list(zip(axis["tickvals"], axis["ticktext"], strict=True)) == [
        ("2026-03-01 21:30:00", "03:00<br>Mar 2"),
        ("2026-03-02 00:30:00", "06:00"),
        ("2026-03-02 03:30:00", "09:00"),
        ("2026-03-02 06:30:00", "12:00"),
        ("2026-03-02 09:30:00", "15:00"),
        ("2026-03-02 12:30:00", "18:00"),
    ]


def test_the_hour_that_a_zone_repeats_has_two_places() -> None:
    start, end = datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC)
    axis = time_axis(start, end, zone=ZoneInfo("Europe/Berlin"))
    found = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert found["2026-10-25 00:00:00"] == "02:00"
    assert found["2026-10-25 02:00:00"] == "03:00"


def test_long_ranges_are_ticked_by_days() -> None:
    axis = time_axis(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 11, tzinfo=UTC), zone=UTC)
    assert axis["ticktext"] == ["Jan 1<br>2026", "Jan 8", "Jan 15", "Jan 22", "Jan 29", "Feb 5"]
