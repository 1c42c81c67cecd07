"""What every contender drains.

Belongs here: the topic. Does not belong here: who drains it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A filled topic.

    Attributes:
        broker: Address of the broker.
        broker_pid: Its process.
        name: The topic.
        events: Events in it.
    """

    broker: str
    broker_pid: int
    name: str
    events: int
