"""What is seen when a second ingest is forced onto a lake: its home is another, and the lake in it is the same."""

from pathlib import Path

import pytest

from shoplake_assets.events.topic import ensure_topic
from shoplake_assets.resources import LakeConnection
from shoplake_assets.sensors import Cursor, look, plan_tick
from shoplake_assets.settings import Settings
from shoplake_assets_tests.ingest.running import Ingest, produce, running

pytestmark = pytest.mark.spark


def _second_home(settings: Settings, folder: Path) -> Settings:
    """A home with a lock and checkpoints of its own, over the same broker and the same catalog, so the same tables."""
    folder.mkdir()
    for shared in ("catalog.db", "settings.json", "warehouse"):
        (folder / shared).symlink_to(settings.home / shared)
    return settings.model_copy(update={"home": folder})


def _connected(settings: Settings, ingest: Ingest) -> LakeConnection:
    port = int(ingest.address.rsplit(":", maxsplit=1)[1])
    return LakeConnection(settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"port": port})}))


def test_a_second_writer_turns_the_checks_red_at_the_first_tick_that_sees_it(
    settings: Settings, tmp_path: Path
) -> None:
    ensure_topic(settings)
    with (
        running(settings, tmp_path / "first.log") as first,
        running(_second_home(settings, tmp_path / "second"), tmp_path / "second.log") as second,
    ):
        first.wait_until_it_runs()
        second.wait_until_it_runs()
        connection = _connected(settings, first)
        seen = plan_tick(seen=Cursor(), sight=look(connection, Cursor()), trigger_seconds=0.5).cursor
        assert seen.verdicts["single_writer"]
        produce(settings, [b"event"] * 10)
        first.wait_for_rows(10)
        second.wait_for_rows(10)
        tick = plan_tick(seen=seen, sight=look(connection, seen), trigger_seconds=0.5)
        verdicts = {check.name: check for check in tick.checks}
        writers = sorted(str(ingest.status()["application_id"]) for ingest in (first, second))
        assert not verdicts["single_writer"].passed
        assert verdicts["single_writer"].says == f"two writers interleave: {', '.join(writers)}"
        assert not verdicts["offsets_contiguous"].passed
