"""Where an ingest begins, and the checkpoint that it begins with.

Belongs here: the decision, pure, and the folders of checkpoints. Does not belong here: the query (`stream`), or asking
Kafka and Bronze (`job`).

Bronze alone says how far the lake has come: each of its commits holds rows and offsets in one. So every start begins a
new generation of the checkpoint at Bronze's position, and what Spark wrote down before is thrown away. Two records of
progress can disagree, when the checkpoint is lost, or the lake is rolled back, or the last commit was not noted; one
cannot. Spark's checkpoint serves the query while it runs.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.gaps import Gap

if TYPE_CHECKING:
    from pathlib import Path

    from shoplake_assets.lake.position import Position
    from shoplake_assets.settings import Settings

_FIRST_OFFSETS = "first_offsets.json"


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """What Kafka has of the topic.

    Attributes:
        topic_id: Kafka's id of the topic.
        beginning: The oldest offset that retention has kept, by partition.
        end: The offset that the next event will get, by partition.
    """

    topic_id: str
    beginning: Mapping[int, int]
    end: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where an ingest begins.

    Attributes:
        offsets: The first offset to read, by partition.
        first: The offset at which the lake began, or begins, with each partition.
        gaps: Ranges that it cannot read any more.
        because: Why it begins there, for the person who reads the log.
    """

    offsets: Mapping[int, int]
    first: Mapping[int, int]
    gaps: Sequence[Gap]
    because: str


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A checkpoint, from the start of an ingest to its end.

    Attributes:
        number: One more than that of the generation before it.
        folder: Spark's checkpoint folder.
        began_at: When it was begun, UTC; from then on only its query may write.
    """

    number: int
    folder: "Path"
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def plan_start(kafka: Kafka, *, bronze: "Position", first: Mapping[int, int] | None, now: datetime) -> Start:
    """Decide where to begin: behind what Bronze has, or where Kafka begins if that is later.

    Args:
        kafka: What Kafka has.
        bronze: Bronze's position.
        first: The offset at which the lake began with each partition; None if it has never read this topic, or the note
            is lost. It tells the events that a quiet partition got and lost while no ingest ran from those before the
            lake's time. Without it, all that Kafka had of a topic that Bronze has rows of counts as the lake's.
        now: The time, UTC.

    Raises:
        ShoplakeError: Bronze has offsets that Kafka has yet to give, so that new events would repeat them.
    """
    known = {partition: offset for topic_id, partition, offset in bronze if topic_id == kafka.topic_id}
    # A partition that was added to a topic which the lake reads has been there for the lake from its first event.
    noted = {} if first is None and known else first
    began = {number: at if noted is None else noted.get(number, 0) for number, at in kafka.beginning.items()}
    wanted = {number: known.get(number, began[number]) for number in kafka.beginning}
    for number, offset in wanted.items():
        if offset > kafka.end[number]:
            raise ShoplakeError(
                f"Kafka has lost events that the lake has: partition {number} of topic {kafka.topic_id} ends at offset "
                f"{kafka.end[number]:,}, and Bronze has come to {offset:,}. New events would take offsets that Bronze "
                "has already. Delete the topic: it is made anew under another id, and the lake keeps its rows."
            )
    gaps = [
        Gap(topic_id=kafka.topic_id, partition=number, first=offset, last=kafka.beginning[number] - 1, found_at=now)
        for number, offset in wanted.items()
        if offset < kafka.beginning[number]
    ]
    if known:
        because = "Bronze ends there"
    elif any(bronze):
        because = "the topic is new to this lake, which keeps the rows of the topic before it"
    else:
        because = "Bronze is empty"
    if gaps:
        because += f"; {sum(gap.events for gap in gaps):,} events are gone from Kafka and recorded in bronze.gaps"
    offsets = {number: max(offset, kafka.beginning[number]) for number, offset in wanted.items()}
    return Start(offsets=offsets, first=began, gaps=gaps, because=because)


def first_offsets(settings: "Settings", topic_id: str) -> dict[int, int] | None:
    """The offset at which the lake began with each partition of the topic; None if that is not known."""
    try:
        tree: dict[str, int] = json.loads((_folder(settings) / topic_id / _FIRST_OFFSETS).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return {int(partition): offset for partition, offset in tree.items()}


def begin_generation(settings: "Settings", topic_id: str, *, first: Mapping[int, int]) -> Generation:
    """Begin a checkpoint that no query has used, and remove those before it, also of other topics.

    Args:
        settings: Name the lake.
        topic_id: Kafka's id of the topic.
        first: What `first_offsets` shall tell from now on.
    """
    topic = _folder(settings) / topic_id
    topic.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(path.name) for path in topic.iterdir() if path.name.isdecimal()), default=0)
    folder = topic / str(number)
    folder.mkdir()
    note = topic / _FIRST_OFFSETS
    draft = note.with_suffix(".new")
    draft.write_text(json.dumps(first))
    draft.replace(note)
    for path in [*_folder(settings).iterdir(), *topic.iterdir()]:
        if path not in (topic, folder, note):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Generation(number=number, folder=folder)


def _folder(settings: "Settings") -> "Path":
    return settings.home / "checkpoints" / "bronze_events"
