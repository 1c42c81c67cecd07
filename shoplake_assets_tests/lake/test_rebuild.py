"""A rebuild gives what the refreshes gave, row for row, whatever had come and in whichever portions."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, seed
from hypothesis import settings as examples
from hypothesis import strategies as st

from shoplake_assets.contracts import contract
from shoplake_assets.lake.audit import Audit
from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.settings import Settings
from shoplake_assets.tables import DERIVED, GOLD, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests import oracle
from shoplake_assets_tests.building import Fates, Shop
from shoplake_assets_tests.embedded import empty_lake
from shoplake_assets_tests.hostile import CORPUS

pytestmark = pytest.mark.spark

PARTITIONS = 2
ACCEPTANCE = Acceptance(because="test")
NEWEST = datetime(2026, 3, 1, 22, tzinfo=UTC)
# In hours: within the newest, within the windows of the lists and on both sides of their edges, weeks late.
AGES = (0, 0, 0, 1, 23, 24, 167, 168, 719, 720)
# Large ones are tried elsewhere.
MALFORMED = sorted(
    name for name, (payload, fate) in CORPUS.items() if fate == "quarantine" and len(payload or b"") < 1000
)


@dataclass(frozen=True)
class Fresh:
    """An event with an id that no other has."""

    event_type: str
    age: int
    second: int
    shopper: int
    product: int
    cents: int | None
    quantity: int
    session: str | None
    category: str | None


@dataclass(frozen=True)
class Repeat:
    """The bytes of an earlier event."""

    of: int


@dataclass(frozen=True)
class Conflict:
    """The id and the hour of an earlier event, and another shopper, price and, perhaps, second.

    In another hour it would be taken for another event, unless one refresh sees both.
    """

    of: int
    cents: int
    second: int | None


@dataclass(frozen=True)
class Malformed:
    """What can be no event."""

    name: str


Record = Fresh | Repeat | Conflict | Malformed
FIRST = Fresh("purchase", 0, 0, 1, 1, 1000, 1, "s1", "light")


@dataclass(frozen=True)
class Commit:
    """Records that Bronze takes in at once, all of one partition."""

    partition: int
    records: Sequence[Record]


@dataclass(frozen=True)
class Increment:
    """What has come when Silver is refreshed; Gold may wait for the next one."""

    commits: Sequence[Commit]
    gold: bool


_seconds = st.integers(0, 3599)
_cents = st.sampled_from([1, 999, 1000, 1990, 33_333])
_freshes = st.builds(
    Fresh,
    event_type=st.sampled_from(["view_item", "add_to_cart", "purchase", "purchase"]),
    age=st.sampled_from(AGES),
    second=_seconds,
    shopper=st.integers(1, 5),
    product=st.integers(1, 4),
    cents=st.none() | _cents,
    quantity=st.integers(1, 3),
    session=st.sampled_from([None, "s1", "s2", "s3"]),
    category=st.sampled_from([None, "light", "wood"]),
)
_records = st.one_of(
    _freshes,
    _freshes,
    st.builds(Repeat, st.integers(0, 99)),
    st.builds(Conflict, st.integers(0, 99), _cents, st.none() | _seconds),
    st.builds(Malformed, st.sampled_from(MALFORMED)),
)
_commits = st.builds(Commit, st.integers(0, PARTITIONS - 1), st.lists(_records, min_size=4, max_size=20))
_increments = st.builds(Increment, st.lists(_commits, min_size=1, max_size=3), st.booleans())


class Account:
    """What plain Python says of the records, in the order in which they come."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.accepted: dict[str, dict[str, Any]] = {}
        self.malformed: dict[tuple[int, int], bytes | None] = {}
        self.duplicates = 0
        self.conflicts = 0
        self._offsets: Counter[int] = Counter()

    def take(self, record: Record, *, partition: int) -> bytes | None:
        """Account for the record and give its payload."""
        place = (partition, self._offsets[partition])
        self._offsets[partition] += 1
        if isinstance(record, Malformed):
            self.malformed[place] = CORPUS[record.name][0]
            return self.malformed[place]
        event = self._event(record)
        self.sent.append(event)
        if (first := self.accepted.get(event["event_id"])) is None:
            self.accepted[event["event_id"]] = {**event, "partition": place[0], "offset": place[1]}
        else:
            self.duplicates += 1
            self.conflicts += any(first[name] != value for name, value in event.items())
        return as_payload(event)

    def _event(self, record: Fresh | Repeat | Conflict) -> dict[str, Any]:
        if isinstance(record, Fresh):
            return as_event(record, number=len(self.sent))
        if not self.sent:
            return as_event(FIRST, number=0)
        earlier = self.sent[record.of % len(self.sent)]
        if isinstance(record, Repeat):
            return earlier
        time = earlier["event_time"]
        if record.second is not None:
            time = time.replace(minute=record.second // 60, second=record.second % 60)
        return {**earlier, "event_time": time, "user_id": "another", **as_price(record.cents)}


def as_event(event: Fresh, *, number: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number:04}",
        "event_time": NEWEST - timedelta(hours=event.age) + timedelta(seconds=event.second),
        "event_type": event.event_type,
        "user_id": f"u{event.shopper}",
        "session_id": event.session,
        "product_id": f"p{event.product}",
        "product_name": f"Product {event.product} at {event.cents}",
        "category": event.category,
        "quantity": event.quantity,
        **as_price(event.cents),
    }


def as_price(cents: int | None) -> dict[str, Any]:
    return {"price": Decimal(cents or 0) / 100, "price_defaulted": cents is None}


def as_payload(event: Mapping[str, Any]) -> bytes:
    written = {name: value for name, value in event.items() if name != "price_defaulted"}
    price = None if event["price_defaulted"] else str(event["price"])
    return json.dumps({**written, "event_time": event["event_time"].isoformat(), "price": price}).encode()


def contents(shop: Shop) -> dict[str, Any]:
    """All that the tables hold, but for when a record was quarantined."""
    held: dict[str, Any] = {table: shop.read(table) for table in DERIVED}
    for row in held[SILVER_QUARANTINE]:
        del row["quarantined_at"]
    return {**held, "fates": shop.fates(), "conflicts": shop.conflicts()}


def expect_what_plain_python_says(held: Mapping[str, Any], account: Account) -> None:
    accepted = list(account.accepted.values())
    of_kafka = ("topic_id", "kafka_timestamp")
    events = [{name: row[name] for name in row if name not in of_kafka} for row in held[SILVER_EVENTS]]
    assert events == accepted
    quarantined = {(row["partition"], row["offset"]): row["payload"] for row in held[SILVER_QUARANTINE]}
    assert quarantined == account.malformed
    assert held["fates"] == Fates(len(accepted), len(account.malformed), account.duplicates)
    assert held["conflicts"] == account.conflicts
    expected = oracle.gold(accepted) if accepted else {table: [] for table in GOLD}
    for table in GOLD:
        assert held[table] == expected[table], table


def another_version(patched: pytest.MonkeyPatch) -> None:
    """Let Silver and Gold be of another version than what has built them."""
    built = {SILVER_EVENTS, *GOLD}
    tables = {
        model: replace(table, code_version="next") if table.name in built else table
        for model, table in contract._TABLES.items()
    }
    patched.setattr(contract, "_TABLES", tables)


def watch_readers(shop: Shop, patched: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Look at all tables right before one is published: which are not what they were, and were not published?"""
    before, publish = shop.snapshot_ids(), Audit.publish
    moved: dict[str, set[str]] = {}

    def look_and_publish(audit: Audit) -> None:
        now, published = shop.snapshot_ids(), set(moved)
        moved[audit.table] = {table for table in now if now[table] != before[table]} - published
        publish(audit)

    patched.setattr(Audit, "publish", look_and_publish)
    return moved


def rebuilt_as_refreshed(shop: Shop, increments: Sequence[Increment]) -> Account:
    account, last = Account(), increments[-1]
    for increment in increments:
        for commit in increment.commits:
            partition = commit.partition
            shop.produce(*(account.take(record, partition=partition) for record in commit.records), partition=partition)
        refresh = shop.refresh if increment.gold or increment is last else shop.refresh_silver
        refresh(acceptance=ACCEPTANCE)
    before = contents(shop)
    expect_what_plain_python_says(before, account)
    with pytest.MonkeyPatch.context() as patched:
        another_version(patched)
        moved = watch_readers(shop, patched)
        shop.refresh(acceptance=ACCEPTANCE)
        assert moved == {table: set() for table in DERIVED}
        assert not any(refresh.changed for refresh in shop.refresh().values())
    after = contents(shop)
    for table, held in before.items():
        assert after[table] == held, table
    return account


def test_a_rebuild_gives_what_the_refreshes_gave(shop: Shop, settings: Settings) -> None:
    seen: Counter[str] = Counter()

    @seed(7)
    @examples(max_examples=4, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(st.lists(_increments, min_size=2, max_size=4))
    def holds(increments: list[Increment]) -> None:
        empty_lake(settings)
        account = rebuilt_as_refreshed(Shop(shop.lake), increments)
        seen.update(duplicates=account.duplicates, conflicts=account.conflicts, malformed=len(account.malformed))
        seen.update(accepted=len(account.accepted), waited=sum(not increment.gold for increment in increments[:-1]))

    holds()
    # Otherwise the examples have become tame, and prove little.
    assert min(seen[name] for name in ("accepted", "duplicates", "conflicts", "malformed", "waited")) > 0, seen
