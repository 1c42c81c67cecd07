"""What Iceberg's metadata tells of a real table, without reading a row."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.lake.bronze import Reach, bronze_position, bronze_reach
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import LineageLostError, changed_partitions, commits, since
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.lake.conftest import FIRST_TIME, commit

if TYPE_CHECKING:
    from pyiceberg.table import Table

OTHER_TOPIC = (
    "AAAAAAAAAAAAAAAAAAAAAB"  # differs from TOPIC_ID only behind the 16 characters that bounds keep by default
)


def test_an_empty_bronze_reaches_nowhere(bronze: "Table") -> None:
    assert bronze_reach(bronze, known=Reach()) == Reach()
    assert bronze_position(bronze) == Position()


def test_the_position_is_read_from_the_bounds_of_the_files(bronze: "Table") -> None:
    commit(bronze, range(5))
    commit(bronze, range(3), partition=1)
    commit(bronze, range(5, 7))
    newest = commit(bronze, range(2), topic=OTHER_TOPIC)
    reach = bronze_reach(bronze, known=Reach())
    assert reach.snapshot_id == newest
    assert reach.position == Position({(TOPIC_ID, 0): 7, (TOPIC_ID, 1): 3, (OTHER_TOPIC, 0): 2})
    assert reach.newest == FIRST_TIME + timedelta(seconds=6)


def test_a_look_at_what_is_new_finds_what_a_look_at_everything_finds(bronze: "Table") -> None:
    known = Reach()
    for offsets, partition in ((range(4), 0), (range(4000), 1), (range(4, 9), 0), (range(4000, 4001), 1)):
        commit(bronze, offsets, partition=partition)
        known = bronze_reach(bronze, known=known)
        assert known == bronze_reach(bronze, known=Reach())


def test_where_the_lineage_is_lost_everything_is_looked_at(bronze: "Table") -> None:
    commit(bronze, range(4))
    lost = Reach(snapshot_id=1, position=Position.of_topic("gone", {0: 99}), newest=None)
    assert bronze_reach(bronze, known=lost) == bronze_reach(bronze, known=Reach())


def test_snapshots_since_another_come_oldest_first_and_without_it(bronze: "Table") -> None:
    first, second, third = (commit(bronze, range(number, number + 1)) for number in range(3))
    assert [snapshot.snapshot_id for snapshot in since(bronze, after=first)] == [second, third]
    assert [snapshot.snapshot_id for snapshot in since(bronze, after=None, until=second)] == [first, second]
    assert since(bronze, after=third) == []
    with pytest.raises(LineageLostError, match="snapshot 42 is not among the ancestors"):
        since(bronze, after=42)


def test_commits_say_which_offsets_each_file_holds(bronze: "Table") -> None:
    commit(bronze, range(3))
    commit(bronze, range(3, 8))
    (first, second) = commits(bronze, since(bronze, after=None))
    assert (first.rows, second.rows) == (3, 5)
    (part,) = second.ranges
    assert (part.topic_id, part.partition, part.first, part.last, part.rows) == (TOPIC_ID, 0, 3, 7, 5)
    assert first.committed_at <= second.committed_at


def test_a_file_of_several_kafka_partitions_gives_no_wrong_position(bronze: "Table") -> None:
    columns = bronze.schema().as_arrow()
    commit(bronze, range(3))
    rows = bronze.scan().to_arrow().to_pylist()
    bronze.append(pa.Table.from_pylist([{**row, "partition": row["offset"]} for row in rows], schema=columns))
    assert bronze_position(bronze) == Position.of_topic(TOPIC_ID, {0: 3, 1: 2, 2: 3})
    with pytest.raises(LineageLostError, match="holds more than one Kafka partition"):
        commits(bronze, since(bronze, after=None))


def test_changed_partitions_are_those_that_gained_rows_and_those_that_only_lost_some(bronze: "Table") -> None:
    hour = int(FIRST_TIME.timestamp()) // 3600
    before = commit(bronze, range(3))
    after = commit(bronze, range(3600, 3602))
    assert changed_partitions(bronze, after=before) == ({hour + 1}, set())
    bronze.delete("offset = 0")
    assert changed_partitions(bronze, after=after) == ({hour}, set())
    bronze.delete("offset >= 3600")
    assert changed_partitions(bronze, after=after) == ({hour}, {hour + 1})
    with pytest.raises(LineageLostError):
        changed_partitions(bronze, after=42)


def test_a_reader_that_opened_the_table_earlier_sees_a_commit_when_it_loads_it_anew(own_lake: Settings) -> None:
    earlier, writer = (open_catalog(own_lake).load_table(BRONZE_EVENTS) for _ in range(2))
    commit(writer, range(2))
    assert earlier.current_snapshot() is None
    assert bronze_position(open_catalog(own_lake).load_table(BRONZE_EVENTS)) == Position.of_topic(TOPIC_ID, {0: 2})
