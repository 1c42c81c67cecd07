"""How much of Bronze one refresh of Silver takes in."""

from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.increment import Increment, plan_increment
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import CODE_VERSION, POSITION, SOURCE_SNAPSHOT
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_EVENTS
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.lake.conftest import commit

if TYPE_CHECKING:
    from pyiceberg.table import Table


@pytest.fixture
def silver(own_lake: Settings) -> "Table":
    """Silver, which has seen nothing yet."""
    return open_catalog(own_lake).load_table(SILVER_EVENTS)


def plan(bronze: "Table", silver: "Table", *, at_most: int | None, code_version: str = "1") -> Increment:
    increment = plan_increment(bronze, silver, code_version=code_version, at_most=at_most)
    assert increment is not None
    return increment


def reflect(silver: "Table", *, snapshot_id: int, offset: int) -> None:
    """Have Silver say that it has seen Bronze up to there."""
    position = Position.of_topic(TOPIC_ID, {0: offset}).to_json()
    said = {SOURCE_SNAPSHOT: str(snapshot_id), POSITION: position, CODE_VERSION: "1"}
    silver.append(silver.scan().to_arrow(), snapshot_properties=said)


@pytest.mark.parametrize(
    ("at_most", "snapshot", "offset"),
    [(1, 0, 3), (3, 0, 3), (7, 0, 3), (8, 1, 8), (9, 2, 9), (100, 2, 9), (None, 2, 9)],
)
def test_the_first_increment_ends_with_the_last_commit_that_fits(
    bronze: "Table", silver: "Table", at_most: int | None, snapshot: int, offset: int
) -> None:
    commits = [commit(bronze, range(3)), commit(bronze, range(3, 8)), commit(bronze, range(8, 9))]
    increment = plan(bronze, silver, at_most=at_most)
    assert increment.bronze_snapshot == commits[snapshot]
    assert increment.end == Position.of_topic(TOPIC_ID, {0: offset})


@pytest.mark.parametrize(("at_most", "snapshot", "offset"), [(1, 1, 8), (5, 1, 8), (6, 2, 9)])
def test_the_next_one_counts_from_where_silver_is(
    bronze: "Table", silver: "Table", at_most: int, snapshot: int, offset: int
) -> None:
    commits = [commit(bronze, range(3)), commit(bronze, range(3, 8)), commit(bronze, range(8, 9))]
    reflect(silver, snapshot_id=commits[0], offset=3)
    increment = plan(bronze, silver, at_most=at_most)
    assert (increment.start, increment.bronze_snapshot) == (Position.of_topic(TOPIC_ID, {0: 3}), commits[snapshot])
    assert increment.end == Position.of_topic(TOPIC_ID, {0: offset})


def test_a_commit_without_a_new_row_is_no_step_to_stand_still_on(bronze: "Table", silver: "Table") -> None:
    first = commit(bronze, range(3))
    reflect(silver, snapshot_id=first, offset=3)
    bronze.append(bronze.scan().to_arrow().slice(0, 0))
    large = commit(bronze, range(3, 20))
    commit(bronze, range(20, 21))
    assert plan(bronze, silver, at_most=5).bronze_snapshot == large


def test_where_the_lineage_is_lost_or_another_version_builds_anew_the_increment_is_all_that_there_is(
    bronze: "Table", silver: "Table"
) -> None:
    first = commit(bronze, range(3))
    newest = commit(bronze, range(3, 9))
    reflect(silver, snapshot_id=first, offset=3)
    anew = plan(bronze, silver, at_most=1, code_version="2")
    assert (anew.rebuild, anew.start, anew.bronze_snapshot) == (True, Position(), newest)
    reflect(silver, snapshot_id=42, offset=3)
    assert plan(bronze, silver, at_most=1).bronze_snapshot == newest
