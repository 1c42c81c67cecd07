"""Where an ingest begins: a table of what Bronze and Kafka have, and the folders of its checkpoints."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.ingest.checkpoint import Kafka, Start, begin_generation, first_offsets, plan_start
from shoplake_assets.lake.gaps import Gap
from shoplake_assets.lake.position import Position
from shoplake_assets.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def start(
    bronze: Mapping[tuple[str, int], int], *, kafka: Mapping[int, tuple[int, int]], first: Mapping[int, int] | None
) -> Start:
    """The start with what Kafka has of each partition: its beginning and its end."""
    has = Kafka(
        topic_id="now",
        beginning={number: begin for number, (begin, _) in kafka.items()},
        end={number: end for number, (_, end) in kafka.items()},
    )
    return plan_start(has, bronze=Position(bronze), first=first, now=NOW)


def gap(partition: int, first: int, last: int) -> Gap:
    return Gap(topic_id="now", partition=partition, first=first, last=last, found_at=NOW)


def test_it_begins_behind_bronze() -> None:
    begun = start({("now", 0): 17, ("now", 1): 3}, kafka={0: (5, 20), 1: (0, 3)}, first={0: 0, 1: 0})
    assert (begun.offsets, begun.gaps, begun.because) == ({0: 17, 1: 3}, [], "Bronze ends there")


def test_an_empty_lake_begins_where_kafka_does_and_has_lost_nothing() -> None:
    begun = start({}, kafka={0: (400, 900), 1: (0, 0)}, first=None)
    assert (begun.offsets, begun.gaps, begun.because) == ({0: 400, 1: 0}, [], "Bronze is empty")
    assert begun.first == {0: 400, 1: 0}


def test_another_topic_of_the_same_name_is_read_from_its_beginning() -> None:
    begun = start({("before", 0): 17}, kafka={0: (0, 99)}, first=None)
    assert (begun.offsets, begun.gaps) == ({0: 0}, [])
    assert begun.because == "the topic is new to this lake, which keeps the rows of the topic before it"


def test_what_retention_removed_before_it_was_read_is_a_gap() -> None:
    begun = start({("now", 0): 17, ("now", 1): 3}, kafka={0: (50, 60), 1: (3, 9)}, first={0: 0, 1: 0})
    assert (begun.offsets, begun.gaps) == ({0: 50, 1: 3}, [gap(0, 17, 49)])
    assert begun.because == "Bronze ends there; 33 events are gone from Kafka and recorded in bronze.gaps"


def test_the_first_events_of_a_partition_that_was_quiet_until_they_were_lost_are_a_gap() -> None:
    begun = start({("now", 0): 17}, kafka={0: (17, 17), 1: (12, 30)}, first={0: 0, 1: 5})
    assert (begun.offsets, begun.gaps) == ({0: 17, 1: 12}, [gap(1, 5, 11)])


def test_a_partition_that_was_added_meanwhile_is_read_from_its_first_event() -> None:
    begun = start({("now", 0): 17}, kafka={0: (0, 17), 1: (0, 4), 2: (6, 8)}, first={0: 0})
    assert (begun.offsets, begun.gaps) == ({0: 17, 1: 0, 2: 6}, [gap(2, 0, 5)])


def test_a_lost_note_makes_no_gap_of_a_quiet_partition_go_unseen() -> None:
    begun = start({("now", 0): 17}, kafka={0: (17, 17), 1: (12, 30)}, first=None)
    assert (begun.offsets, begun.gaps) == ({0: 17, 1: 12}, [gap(1, 0, 11)])


def test_a_lake_that_was_rolled_back_to_nothing_is_filled_from_where_it_once_began() -> None:
    begun = start({}, kafka={0: (40, 900)}, first={0: 40})
    assert (begun.offsets, begun.gaps) == ({0: 40}, [])


def test_kafka_that_has_less_than_the_lake_is_refused_since_new_events_would_repeat_offsets() -> None:
    with pytest.raises(ShoplakeError, match="partition 0 of topic now ends at offset 16, and Bronze has come to 17"):
        start({("now", 0): 17}, kafka={0: (0, 16)}, first={0: 0})


def test_each_generation_has_a_fresh_folder_and_the_only_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    checkpoints = tmp_path / "checkpoints" / "bronze_events"
    for left in ("before/offsets/3", "now/offsets/7", "now/metadata"):  # as earlier versions of Shoplake left them
        (checkpoints / left).parent.mkdir(parents=True, exist_ok=True)
        (checkpoints / left).write_text("v1")
    generations = [begin_generation(settings, "now", first={0: 0, 1: number}) for number in (5, 6)]
    assert [generation.number for generation in generations] == [1, 2]
    assert sorted(path.relative_to(checkpoints).as_posix() for path in checkpoints.rglob("*")) == [
        "now",
        "now/2",
        "now/first_offsets.json",
    ]
    assert generations[-1].folder == checkpoints / "now" / "2"
    assert first_offsets(settings, "now") == {0: 0, 1: 6}
    assert begin_generation(settings, "then", first={}).number == 1
    assert first_offsets(settings, "now") is None


def test_a_note_that_cannot_be_read_counts_as_lost(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    generation = begin_generation(settings, "now", first={0: 3})
    (generation.folder.parent / "first_offsets.json").write_text('{"0"')
    assert first_offsets(settings, "now") is None
