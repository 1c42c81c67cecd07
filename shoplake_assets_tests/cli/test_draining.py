"""How long `drain` has refreshes started; that real ones bring everything to Gold is in the tests of the product."""

from itertools import count

import pytest

from shoplake_assets.cli import draining
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.layers import Layer
from shoplake_assets.lake.position import Position
from shoplake_assets.runtime.dagster_api import RunOutcome
from shoplake_assets.settings import Settings
from shoplake_assets.tables import DERIVED

END = Position.of_topic("T", {0: 50})


def drain(monkeypatch: pytest.MonkeyPatch, *, step: int) -> list[str]:
    """Wait for a lake whose tables come so many events nearer with each refresh; gives what was said."""
    offsets, said = [0], list[str]()
    numbers = count(1)

    def launch(_: Settings) -> str:
        offsets[0] += step
        return f"run {next(numbers)}"

    def layers(_: Settings) -> dict[str, Layer]:
        position = Position.of_topic("T", {0: offsets[0]})
        layer = Layer(rows=0, snapshot_id=1, position=position, newest_record=None, newest_event=None)
        return dict.fromkeys(DERIVED, layer)

    monkeypatch.setattr(draining, "_layers", layers)
    monkeypatch.setattr(draining, "launch_refresh", launch)
    monkeypatch.setattr(draining, "refreshes_under_way", lambda _: [])
    monkeypatch.setattr(draining, "run_outcome", lambda *_: RunOutcome(status="SUCCESS", failure=None))
    monkeypatch.setattr(draining, "_POLL_SECONDS", 0)
    draining._wait_for_gold(Settings.model_construct(), Position(), END, deadline=float("inf"), say=said.append)
    return said


def test_a_long_way_is_gone_in_as_many_steps_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(drain(monkeypatch, step=10)) == 5


def test_tables_that_come_no_nearer_are_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShoplakeError, match="lack up to 50 events: its runs end without getting there"):
        drain(monkeypatch, step=0)
