"""Where an ingest begins, and that it is alone."""

import json
import os
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import Topic
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.ingest.stream import checkpoint_folder, starting_offsets
from shoplake_assets.lake.position import Position
from shoplake_assets.settings import Settings


def test_it_begins_behind_bronze_and_with_what_bronze_lacks_at_the_beginning() -> None:
    bronze = Position({("now", 0): 17, ("now", 5): 3, ("before", 1): 99})
    starting = starting_offsets("shop-events", Topic(id="now", partitions=(0, 1, 2)), bronze)
    assert json.loads(starting) == {"shop-events": {"0": 17, "1": -2, "2": -2}}


def test_a_topic_that_is_made_anew_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    folders = {checkpoint_folder(settings, Topic(id=name, partitions=(0,))) for name in ("old", "new")}
    assert len(folders) == 2
    assert all(folder.is_relative_to(tmp_path) for folder in folders)


def test_one_writer_holds_a_lake_and_lets_go_of_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    refused = pytest.raises(ShoplakeError, match=f"process {os.getpid()} already ingests")
    with single_writer(settings), single_writer(Settings(home=tmp_path / "other")), refused, single_writer(settings):
        pass
    with single_writer(settings):
        pass
