"""Positions: their arithmetic and the form in which a snapshot carries them."""

from hypothesis import given
from hypothesis import strategies as st

from shoplake_assets.lake.position import Position

_KEYS = st.tuples(st.text(min_size=1, max_size=22), st.integers(0, 20))
POSITIONS = st.dictionaries(_KEYS, st.integers(0, 2**62), max_size=6).map(Position)


def test_a_position_is_written_by_topic_id_and_partition() -> None:
    position = Position({("B", 10): 7, ("B", 2): 5, ("A", 0): 1})
    assert position.to_json() == '{"A":{"0":1},"B":{"2":5,"10":7}}'


def test_no_position_at_all_is_the_beginning() -> None:
    assert Position.from_json(None) == Position.from_json("{}") == Position()
    assert Position().to_json() == "{}"


@given(POSITIONS)
def test_what_is_written_is_read_back(position: Position) -> None:
    assert Position.from_json(position.to_json()) == position


@given(POSITIONS, POSITIONS)
def test_merging_takes_the_further_of_each_partition(one: Position, other: Position) -> None:
    merged = one.merged(other)
    assert merged == other.merged(one)
    assert merged.reaches(one)
    assert merged.reaches(other)
    for topic, partition, offset in merged:
        assert offset == max(one.offsets.get((topic, partition), 0), other.offsets.get((topic, partition), 0))
    assert merged.events_behind(one) == 0


@given(POSITIONS)
def test_merging_with_itself_or_with_nothing_changes_nothing(position: Position) -> None:
    assert position.merged(position) == position
    assert position.merged(Position()) == position


def test_events_behind_are_counted_by_partition_and_never_offset_each_other() -> None:
    silver = Position.of_topic("A", {0: 10, 1: 90})
    bronze = Position.of_topic("A", {0: 12, 1: 50, 2: 4})
    assert silver.events_behind(bronze) == 2 + 4
    assert not silver.reaches(bronze)


def test_a_topic_that_was_made_anew_is_another_topic() -> None:
    assert Position.of_topic("old", {0: 1000}).events_behind(Position.of_topic("new", {0: 3})) == 3
