"""librdkafka's consumer from Python, which only counts what it gets: the ceiling of any loop in Python. A program.

    python -m shoplake_assets_tests.benchmarks.peers.raw_consumer FOLDER BROKER TOPIC EVENTS

Belongs here: the loop. Does not belong here: its measurement.
"""

import sys
import time
from pathlib import Path

from confluent_kafka import Consumer

_A_POLL = 10_000
_A_COUNT = 100_000
_PATIENCE_SECONDS = 10.0


def main(folder: Path, *, broker: str, topic: str, events: int) -> None:
    """Consume so many events, and tell the time of each 100,000."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": folder.name, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    taken, told = 0, 0
    while taken < events:
        messages = consumer.consume(_A_POLL, timeout=_PATIENCE_SECONDS)
        if not messages:
            sys.exit(f"no message for {_PATIENCE_SECONDS} s after {taken} of {events}")
        if not taken:
            print(f"CONSUMING {time.time()}", flush=True)  # noqa: T201  for who measures
        taken += len([message.value() for message in messages])
        if taken - told >= _A_COUNT or taken >= events:
            print(f"TAKEN {time.time()} {taken}", flush=True)  # noqa: T201  likewise
            told = taken
    consumer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), broker=sys.argv[2], topic=sys.argv[3], events=int(sys.argv[4]))
