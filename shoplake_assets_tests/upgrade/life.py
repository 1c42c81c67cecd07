"""What happens to a lake before it is kept, and an account of it that owes nothing to the code under test.

Belongs here: events, where Kafka put them, what is lost, and which rows must be where. Does not belong here: starting
anything (`make`), or the archive (`kept`).
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from shoplake_assets.events.broker import client_options
from shoplake_assets.events.topic import describe_topic, end_offsets
from shoplake_assets.lake.gaps import acknowledge_gaps, read_gaps
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.tables import BRONZE_GAPS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests import oracle
from shoplake_assets_tests.ingest.running import drained
from shoplake_assets_tests.shoppers import as_payloads, random_events
from shoplake_assets_tests.upgrade.kept import as_text

if TYPE_CHECKING:
    from confluent_kafka import Message

    from shoplake_assets.settings import Settings
    from shoplake_assets_tests.building import Shop

BECAUSE = "the shop was closed for a test"
PARTITIONS = 2
_PATIENCE_SECONDS = 900.0  # it is made once, on whatever machine
_BROKEN = (b"broken", b"{}", b"\xff\xfe", b'{"event_id": "half', b'["no", "object"]', None)


@dataclass(frozen=True)
class Sent:
    """A record, where Kafka put it, and the event that it holds; None if it is broken."""

    partition: int
    offset: int
    payload: bytes | None
    event: dict[str, Any] | None


@dataclass
class Account:
    """What was sent and not lost, in the order in which it comes into Bronze.

    Attributes:
        in_gold: What the release has brought into Silver and Gold.
        in_silver: What it has brought into Silver, and not into Gold yet.
        waiting: What it has in Bronze alone.
        gaps: `partition`, `first`, `last` and `because` of what Kafka lost.
        topic_id: Kafka's id of the topic.
    """

    topic_id: str

    in_gold: list[Sent] = field(default_factory=list)
    in_silver: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)


def live(settings: "Settings", shop: "Shop") -> Account:
    """Give an empty lake a past: refreshes, repeats, late and broken records, gaps, and a refresh that is blocked."""
    dice = random.Random(11)  # noqa: S311  reproducible, not secret
    events = random_events(seed=10, count=2_000)
    account = Account(describe_topic(settings).id)

    account.in_gold += _send(settings, [*events[:700], *dice.sample(events[:700], 40)], broken=6)
    drained(settings, seconds=_PATIENCE_SECONDS)
    shop.refresh()

    account.gaps.append({**_lose(settings, events[700:710], partition=0), "because": BECAUSE})
    account.in_silver += _send(settings, [*events[720:1400], *dice.sample(events[:700], 60)], broken=12)
    drained(settings, seconds=_PATIENCE_SECONDS)
    catalog = shop.lake.catalog
    found = read_gaps(catalog.load_table(BRONZE_GAPS))
    acknowledge_gaps(catalog, found, because=BECAUSE, at=datetime.now(UTC))
    shop.refresh_silver()

    account.gaps.append({**_lose(settings, events[710:720], partition=1), "because": None})
    account.waiting += _send(settings, [*events[1400:1800], *dice.sample(events[:700], 20)], broken=0)
    drained(settings, seconds=_PATIENCE_SECONDS)
    account.waiting += _send(settings, events[1800:], broken=60)
    drained(settings, seconds=_PATIENCE_SECONDS)
    with pytest.raises(AuditFailedError, match="records go to quarantine"):
        shop.refresh_silver()
    return account


def published(account: Account) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table as the release leaves them."""
    gold, silver = (rows(sent, account.topic_id) for sent in (account.in_gold, [*account.in_gold, *account.in_silver]))
    return gold | {table: silver[table] for table in (SILVER_EVENTS, SILVER_QUARANTINE)}


def refreshed(account: Account) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table once nothing waits any more."""
    return rows([*account.in_gold, *account.in_silver, *account.waiting], account.topic_id)


def rows(sent: Iterable[Sent], topic_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of Silver, the quarantine and Gold that these records must have become."""
    places = [{**vars(record), "topic_id": topic_id} for record in sent]
    good = [
        {
            **place["event"],
            "price_defaulted": False,
            **{name: place[name] for name in ("topic_id", "partition", "offset")},
        }
        for place in places
        if place["event"] is not None
    ]
    bad = [
        {name: place[name] for name in ("topic_id", "partition", "offset", "payload")}
        for place in places
        if place["event"] is None
    ]
    tables: dict[str, Any] = {SILVER_EVENTS: oracle.unique(good), SILVER_QUARANTINE: bad, **oracle.gold(good)}
    return {table: as_text(held) for table, held in tables.items()}


def _send(settings: "Settings", events: Sequence[dict[str, Any]], *, broken: int) -> list[Sent]:
    """Send the events, those of a shopper to one partition, and so many broken records among them."""
    whole = list(zip(events, as_payloads(events), strict=True))
    records: list[tuple[dict[str, Any] | None, bytes | None]] = [*whole]
    for number in range(broken):
        records.insert(7 * number, (None, _BROKEN[number % len(_BROKEN)]))
    sent: list[Sent] = []
    producer = Producer({**client_options(settings), "enable.idempotence": True})
    for number, (event, payload) in enumerate(records):
        partition = (int(event["user_id"][1:]) if event else number) % PARTITIONS

        def note(
            error: object, message: "Message", payload: bytes | None = payload, event: dict[str, Any] | None = event
        ) -> None:
            assert error is None, error
            at, offset = message.partition(), message.offset()
            assert at is not None
            assert offset is not None
            sent.append(Sent(at, offset, payload, event))

        producer.produce(settings.kafka.topic, payload, key=b"u", partition=partition, on_delivery=note)
    assert producer.flush(60) == 0
    assert len(sent) == len(records)
    return sorted(sent, key=lambda record: (record.partition, record.offset))


def _lose(settings: "Settings", events: Sequence[dict[str, Any]], *, partition: int) -> dict[str, int]:
    """Send events to a partition and let Kafka forget all that it has of it; give the offsets that nobody has read."""
    first = end_offsets(settings)[partition]
    producer = Producer(client_options(settings))
    for payload in as_payloads(events):
        producer.produce(settings.kafka.topic, payload, key=b"u", partition=partition)
    assert producer.flush(60) == 0
    end = end_offsets(settings)[partition]
    assert end == first + len(events)
    admin = AdminClient({**client_options(settings)})  # which must outlive its answers
    for future in admin.delete_records([TopicPartition(settings.kafka.topic, partition, end)]).values():
        future.result(timeout=30)
    return {"partition": partition, "first": first, "last": end - 1}
