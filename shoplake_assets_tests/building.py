"""Builders: events with what a test is about, and a shop that puts them into a real lake.

Belongs here: making input and reading output. Does not belong here: expectations, which tests write out themselves.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from shoplake_assets.lake.audit import Audit
from shoplake_assets.lake.gold import refresh_gold
from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.lake.refresh import AuditFailedError, Refresh
from shoplake_assets.lake.silver import refresh_silver, replay_quarantine
from shoplake_assets.lake.snapshots import TOTAL_CONFLICTS, TOTAL_DUPLICATES, reflecting, summary_of
from shoplake_assets.tables import ALL, BRONZE_EVENTS, GOLD, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake

KAFKA_TIME = "2026-06-01T00:00:00Z"
"""When Kafka took the records, unless a test says otherwise: later than the events of any test."""
TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"

_ids = count(1)
_runs = count(1)


def event(
    event_type: str = "view_item", *, at: str = "2026-03-01T10:00:00Z", event_id: str | None = None, **fields: Any
) -> bytes:
    """An event as JSON: valid, and as plain as can be, but for what the test names."""
    whole = {
        "event_id": event_id or f"e{next(_ids)}",
        "event_type": event_type,
        "event_time": at,
        "user_id": "u1",
        "session_id": "s1",
        "product_id": "p1",
        "product_name": "Lamp",
        "category": "light",
        "price": 10,
        "quantity": 1,
    }
    return json.dumps({**whole, **fields}).encode()


def purchase(**fields: Any) -> bytes:
    """A purchase."""
    return event("purchase", **fields)


@dataclass(frozen=True)
class Fates:
    """Where Bronze's records ended."""

    silver: int = 0
    quarantine: int = 0
    duplicates: int = 0


@dataclass
class Shop:
    """A lake whose Bronze is filled by hand, as the stream would: one file for each partition, offsets contiguous."""

    lake: "Lake"
    next_offsets: dict[int, int] = field(default_factory=dict)

    def produce(
        self,
        *payloads: bytes | None,
        partition: int = 0,
        kafka_time: str = KAFKA_TIME,
        topic: str = TOPIC_ID,
        ingested_at: datetime | None = None,
    ) -> None:
        """Commit the payloads to Bronze in one snapshot; the ingest's clock says now, unless it is given."""
        first = self.next_offsets.get(partition, 0)
        self.next_offsets[partition] = first + len(payloads)
        moment = datetime.fromisoformat(kafka_time)
        rows = [
            {
                "topic": "shop-events",
                "topic_id": topic,
                "partition": partition,
                "offset": first + number,
                "kafka_timestamp": moment,
                "key": b"u1",
                "payload": payload,
                "headers": None,
                "ingested_at": ingested_at or datetime.now(UTC),
            }
            for number, payload in enumerate(payloads)
        ]
        table = self.lake.table(BRONZE_EVENTS)
        table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))

    def refresh(self, *, acceptance: Acceptance | None = None, at_most: int | None = None) -> dict[str, Refresh]:
        """Refresh Silver and Gold and give what happened to each table.

        Raises:
            AuditFailedError: An audit failed.
        """
        run = f"t{next(_runs)}"
        refreshed = self.refresh_silver(run=run, acceptance=acceptance, at_most=at_most)
        refreshed.update(self._refresh_gold(run))
        return refreshed

    def replay(self) -> dict[str, Refresh]:
        """Replay the quarantine, refresh Gold, and give what happened to each table.

        Raises:
            AuditFailedError: An audit failed.
        """
        run = f"t{next(_runs)}"
        replayed, _ = replay_quarantine(self.lake, run=run)
        return {refresh.table: refresh for refresh in replayed} | self._refresh_gold(run)

    def _refresh_gold(self, run: str) -> dict[str, Refresh]:
        refreshed = {}
        with closing(refresh_gold(self.lake, tables=GOLD, run=run)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, AuditFailedError):
                    raise outcome
                refreshed[outcome[0].table] = outcome[0]
        return refreshed

    def refresh_silver(
        self, *, run: str | None = None, acceptance: Acceptance | None = None, at_most: int | None = None
    ) -> dict[str, Refresh]:
        """Refresh Silver and the quarantine alone, for tests that look no further.

        Raises:
            AuditFailedError: The audit failed.
        """
        run = run or f"t{next(_runs)}"
        silver, _ = refresh_silver(self.lake, run=run, acceptance=acceptance, at_most=at_most)
        return {refresh.table: refresh for refresh in silver}

    def read(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, read by pyiceberg, sorted by the table's key."""
        from shoplake_assets.contracts.catalogue import CONTRACTS
        from shoplake_assets.contracts.contract import table_of

        rows: list[dict[str, Any]] = self.lake.table(table).scan().to_arrow().to_pylist()
        return sorted(rows, key=lambda row: tuple(row[name] for name in table_of(CONTRACTS[table]).key))

    def column(self, table: str, *, key: str, value: str) -> Mapping[Any, Any]:
        """One column of a table by another, for short expectations."""
        return {row[key]: row[value] for row in self.read(table)}

    def snapshot_ids(self) -> dict[str, int | None]:
        """The current snapshot of every table."""
        return {name: self.lake.table(name).metadata.current_snapshot_id for name in ALL}

    def fates(self) -> Fates:
        """Where the records ended: rows of Silver and of the quarantine, and the repeats that Silver has counted."""
        repeats = int(self.silver_summary().get(TOTAL_DUPLICATES, 0))
        return Fates(len(self.read(SILVER_EVENTS)), len(self.read(SILVER_QUARANTINE)), repeats)

    def conflicts(self) -> int:
        """Repeats with other content than the event they repeat, as Silver has counted them."""
        return int(self.silver_summary().get(TOTAL_CONFLICTS, 0))

    def silver_summary(self) -> dict[str, str]:
        """The summary of the snapshot that Silver reflects."""
        return summary_of(reflecting(self.lake.table(SILVER_EVENTS)))

    def reasons(self) -> list[list[str]]:
        """The reasons of the quarantined records, in the order of their offsets."""
        rows = sorted(self.read(SILVER_QUARANTINE), key=lambda row: (row["partition"], row["offset"]))
        return [row["reasons"] for row in rows]


@contextmanager
def crash_before_publishing(table: str) -> Iterator[None]:
    """What is done in it dies where the table would be published."""
    publish = Audit.publish

    def crash(audit: Audit) -> None:
        if audit.table == table:
            raise KeyboardInterrupt
        publish(audit)

    with patch.object(Audit, "publish", crash), pytest.raises(KeyboardInterrupt):
        yield


def hour(text: str) -> datetime:
    """`2026-03-01T10` as a UTC moment."""
    return datetime.fromisoformat(f"{text}:00:00+00:00")
