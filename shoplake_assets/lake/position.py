"""A position: how far into Kafka a table reaches.

Belongs here: the value and its arithmetic; pure. Does not belong here: where a position is read from or kept.

A position says, for each topic id and partition, the next offset to come. It names the topic by Kafka's id, so that a
topic which is deleted and made again can never be taken for its predecessor. Every Silver and Gold snapshot carries
the one it reflects in its summary, in the same atomic commit as the data.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class Position:
    """Next offset by `(topic id, partition)`; a partition that is not named has not been read at all."""

    offsets: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of_topic(cls, topic_id: str, offsets: Mapping[int, int]) -> Self:
        """Position within one topic, as Kafka tells it: partition to next offset."""
        return cls({(topic_id, partition): offset for partition, offset in offsets.items()})

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Read what `to_json` wrote; nothing at all is the beginning."""
        tree: dict[str, dict[str, int]] = json.loads(text or "{}")
        return cls(
            {(topic, int(partition)): offset for topic, inner in tree.items() for partition, offset in inner.items()}
        )

    def to_json(self) -> str:
        """The form in which a snapshot summary carries it: `{"<topic id>": {"<partition>": offset}}`."""
        tree: dict[str, dict[str, int]] = {}
        for (topic, partition), offset in sorted(self.offsets.items()):
            tree.setdefault(topic, {})[str(partition)] = offset
        return json.dumps(tree, separators=(",", ":"))

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        for (topic, partition), offset in sorted(self.offsets.items()):
            yield topic, partition, offset

    def merged(self, other: Self) -> Self:
        """The further of the two, partition by partition."""
        keys = self.offsets.keys() | other.offsets.keys()
        return type(self)({key: max(self.offsets.get(key, 0), other.offsets.get(key, 0)) for key in keys})

    def reaches(self, other: Self) -> bool:
        """Whether nothing that `other` covers is still ahead of this position."""
        return self.events_behind(other) == 0

    def events_behind(self, other: Self) -> int:
        """Events that `other` covers and this position does not.

        A partition that this position does not name counts from offset 0, though Kafka may have begun later.
        """
        return sum(max(0, offset - self.offsets.get(key, 0)) for key, offset in other.offsets.items())


@dataclass(frozen=True, kw_only=True)
class KafkaRange:
    """What Kafka holds of the topic at one moment.

    Attributes:
        begin: The oldest offsets.
        end: The next offsets.
    """

    begin: Position
    end: Position

    def ahead_of(self, position: Position) -> int:
        """Events in the range that the position does not cover; what retention has removed does not count."""
        return position.merged(self.begin).events_behind(self.end)
