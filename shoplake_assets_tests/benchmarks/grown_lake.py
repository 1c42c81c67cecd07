"""A lake that has grown for weeks, made by Spark in minutes: Bronze as the stream would have left it.

Belongs here: the events of such a lake, any range of them, and their way to Gold by the real refreshes. Does not belong
here: what is measured on it.

Event number n arrives at a steady rate, so that a lake of twenty times the events has twenty times the hours, and what
is new touches as many rows of it as in a small one. One of a hundred comes late, by up to a day.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gold import FACTS, refresh_gold
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.lake.session import close_session, shared_session
from shoplake_assets.lake.silver import refresh_silver
from shoplake_assets.tables import BRONZE_EVENTS, CATALOG, GOLD
from shoplake_assets_tests.building import TOPIC_ID
from shoplake_assets_tests.embedded import broker_and_spark, empty_lake

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

PER_HOUR = 20_000
"""Events in an hour."""
PARTITIONS = 2
PARTS = ("Silver", "Gold: hourly facts", "Gold: days and lists")
_A_COMMIT = 1_000_000
_START = "2026-01-01T00:00:00Z"
_EVENTS = """
    SELECT
        'shop-events' AS topic, '{topic}' AS topic_id, CAST({partition} AS INT) AS partition, id AS offset,
        arrived AS kafka_timestamp, CAST(user_id AS BINARY) AS key,
        CAST(to_json(struct(
            event_id, event_type, date_format(happened, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'") AS event_time, user_id,
            concat('s', hash % 5000, '-', number div 5000) AS session_id, concat('p', product) AS product_id,
            concat('Product ', product) AS product_name, concat('category ', product % 12) AS category,
            CAST(1 + product * 7 % 300 + 0.99 AS DECIMAL(12, 2)) AS price, CAST(1 + hash % 3 AS INT) AS quantity
        )) AS BINARY) AS payload,
        CAST(NULL AS ARRAY<STRUCT<key: STRING, value: BINARY>>) AS headers,
        arrived AS ingested_at
    FROM (
        SELECT *, concat('u', hash % 5000) AS user_id, hash div 5000 % 500 AS product,
            concat_ws('-', substr(md5, 1, 8), substr(md5, 9, 4), substr(md5, 13, 4), substr(md5, 17, 4),
                substr(md5, 21)) AS event_id,
            CASE WHEN hash % 10 < 7 THEN 'view_item' WHEN hash % 10 < 9 THEN 'add_to_cart' ELSE 'purchase' END
                AS event_type,
            CASE WHEN number % 100 = 7 THEN timestamp_micros(unix_micros(arrived) - 3600000000 * (1 + hash % 23))
                ELSE arrived END AS happened
        FROM (
            SELECT id, number, pmod(xxhash64(number), 1000000000) AS hash, md5(CAST(number AS STRING)) AS md5,
                timestamp_micros(unix_micros(TIMESTAMP '{start}') + number * {step}) AS arrived
            FROM (SELECT id, id * {partitions} + {partition} AS number FROM range({first}, {end}, 1, 1))
        )
    )
"""


def commit(lake: Lake, *, first: int, count: int) -> None:
    """Commit the events from number `first` to Bronze in one snapshot; both numbers are multiples of PARTITIONS."""
    parts = " UNION ALL ".join(
        _EVENTS.format(
            topic=TOPIC_ID,
            partition=partition,
            partitions=PARTITIONS,
            start=_START,
            step=3_600_000_000 // PER_HOUR,
            first=first // PARTITIONS,
            end=(first + count) // PARTITIONS,
        )
        for partition in range(PARTITIONS)
    )
    lake.spark.sql(parts).writeTo(f"{CATALOG}.{BRONZE_EVENTS}").append()


@dataclass
class Grown:
    """A lake, and how many events it has."""

    settings: "Settings"
    lake: Lake
    events: int = 0

    def grow(self, *, to: int) -> None:
        """Let it have so many events, in Bronze, Silver and Gold."""
        while self.events < to:
            self.add(min(_A_COMMIT, to - self.events))
            self.refresh()

    def add(self, count: int) -> None:
        """Commit so many new events to Bronze."""
        commit(self.lake, first=self.events, count=count)
        self.events += count

    def refresh(self) -> dict[str, float]:
        """Refresh all tables.

        Returns:
            The seconds of Silver, of Gold's hourly facts, and of what is made from these.

        Raises:
            AuditFailedError: An audit failed.
        """
        run, facts = f"e{self.events}", {gold.name for gold in FACTS}
        ends = [time.monotonic()]
        refresh_silver(self.lake, run=run)
        ends += [time.monotonic()] * 2
        with closing(refresh_gold(self.lake, tables=GOLD, run=run)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, AuditFailedError):
                    raise outcome
                if outcome[0].table in facts:
                    ends[2] = time.monotonic()
        ends.append(time.monotonic())
        return {part: round(end - start, 2) for part, (start, end) in zip(PARTS, pairwise(ends), strict=True)}


@contextmanager
def opened(settings: "Settings") -> Iterator[Grown]:
    """An empty lake on a broker and a Spark that run."""
    empty_lake(settings)
    session = shared_session(settings.spark_remote)
    try:
        yield Grown(settings, Lake(open_catalog(settings), session))
    finally:
        close_session(session)


@contextmanager
def grown_lake(folder: Path, *, events: int) -> Iterator[Grown]:
    """A lake of so many events, with a broker and a Spark of its own."""
    with broker_and_spark(folder) as settings, opened(settings) as grown:
        grown.grow(to=events)
        yield grown
