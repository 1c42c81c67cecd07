"""What the commands that send events do unless they are told otherwise."""

import json
from datetime import UTC, datetime

from shoplake_assets.cli.feed import FormatName, first_arrival
from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.replay import FORMATS
from shoplake_assets.events.traffic import Plan

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_day_that_is_sent_at_once_ends_now_and_no_event_lies_in_the_future() -> None:
    start = first_arrival(rate=0, now=NOW.timestamp())
    plan = Plan(seed=1, mishaps=Mishaps(late=0, duplicate=0, bad=0), start=start, rate=None, count=2_000)
    times = [datetime.fromisoformat(json.loads(record.value)["event_time"]) for record in plan.records()]
    assert datetime(2026, 3, 1, 9, 30, tzinfo=UTC) <= min(times) < datetime(2026, 3, 1, 9, 35, tzinfo=UTC)
    assert datetime(2026, 3, 2, 9, 25, tzinfo=UTC) < max(times) <= NOW


def test_events_that_are_sent_steadily_begin_now() -> None:
    assert first_arrival(rate=5, now=1_000_000.0) == 1_000_000.0
    assert first_arrival(rate=None, now=1_000_000.0) == 1_000_000.0


def test_every_format_that_can_be_read_can_be_asked_for() -> None:
    assert {name.value for name in FormatName} == set(FORMATS)
