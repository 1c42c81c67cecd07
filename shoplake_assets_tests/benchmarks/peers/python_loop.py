"""A Python loop: consume, parse with Polars, append with pyiceberg, 200,000 events a commit. Run as a program.

    python -m shoplake_assets_tests.benchmarks.peers.python_loop FOLDER BROKER TOPIC EVENTS

Belongs here: the loop as somebody would write it, without recovery: the consumer's offsets and the table are not
committed in one. Does not belong here: its measurement.
"""

import sys
import time
from pathlib import Path

import polars as pl
from confluent_kafka import Consumer

from shoplake_assets_tests.benchmarks.peers.table import STRINGS, open_table

_A_COMMIT = 200_000
_A_POLL = 10_000
_PATIENCE_SECONDS = 10.0
_SHAPE = pl.Struct({**dict.fromkeys(STRINGS, pl.String), "price": pl.Float64, "quantity": pl.Int32})


def main(folder: Path, *, broker: str, topic: str, events: int) -> None:
    """Bring so many events into the table."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": folder.name, "auto.offset.reset": "earliest"})
    table = open_table(folder)
    consumer.subscribe([topic])
    taken = 0
    while taken < events:
        values: list[bytes | None] = []
        while len(values) < min(_A_COMMIT, events - taken):
            messages = consumer.consume(_A_POLL, timeout=_PATIENCE_SECONDS)
            if not messages:
                sys.exit(f"no message for {_PATIENCE_SECONDS} s after {taken + len(values)} of {events}")
            if not taken and not values:
                print(f"CONSUMING {time.time()}", flush=True)  # noqa: T201  for who measures
            values += [message.value() for message in messages]
        text = pl.Series("value", values, dtype=pl.Binary).cast(pl.String)
        table.append(text.str.json_decode(_SHAPE).struct.unnest().to_arrow().cast(table.schema().as_arrow()))
        taken += len(values)
    consumer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), broker=sys.argv[2], topic=sys.argv[3], events=int(sys.argv[4]))
