"""A refresh that is blocked, the ways out of it, and the replay of what was quarantined."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from shoplake_assets.contracts import contract
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.lake.snapshots import ACCEPTANCE, CODE_VERSION
from shoplake_assets.tables import DERIVED, GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID, Fates, Shop, crash_before_publishing, event, hour, purchase

pytestmark = pytest.mark.spark

LONG = "n" * 501
OUTAGE = Acceptance(because="the outage of the first of March")


def metadata(shop: Shop) -> dict[str, list[tuple[int, str]]]:
    """The snapshots of `main` of each table with the files that describe them: these never change, only grow."""
    found = {}
    for name in DERIVED:
        table = shop.lake.table(name)
        ancestors, snapshot = [], table.current_snapshot()
        while snapshot is not None:
            ancestors.append((snapshot.snapshot_id, snapshot.manifest_list))
            snapshot = table.snapshot_by_id(snapshot.parent_snapshot_id) if snapshot.parent_snapshot_id else None
        found[name] = ancestors
    return found


@contextmanager
def names_of_any_length(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tomorrow's contract: a product's name may be as long as it likes."""
    with monkeypatch.context() as patched:
        patched.setattr(SilverEvents.to_schema().columns["product_name"], "checks", [])
        yield


@pytest.fixture
def blocked(shop: Shop) -> Shop:
    """A shop with one purchase in Gold, and then a batch of which a fifth is broken."""
    shop.produce(purchase(event_id="first", price="1.00"))
    shop.refresh()
    shop.produce(
        *(purchase(event_id=f"good {number}", price="1.00") for number in range(80)),
        *(event(event_id=f"bad {number}", event_type="wish", user_id="") for number in range(15)),
        *(b"<html>502</html>\x1b[2J",) * 5,
    )
    return shop


def test_a_batch_of_which_a_fifth_is_broken_leaves_every_table_as_it_was(blocked: Shop) -> None:
    before = metadata(blocked)
    for _ in range(2):  # A retry finds the same.
        with pytest.raises(
            AuditFailedError, match=r"20 of 100 records go to quarantine \(20.0%; the limit is 5%\)"
        ) as no:
            blocked.refresh()
        assert metadata(blocked) == before
    (check,) = [check for check in no.value.checks if not check.passed and check.blocks]
    assert (check.table, check.name, check.branch) == (SILVER_EVENTS, "quarantine_share", no.value.branch)
    assert check.broken == {
        "event_type is none of view_item, add_to_cart, purchase": 15,
        "payload is not a JSON object": 5,
        "user_id is blank": 15,
    }
    assert len(check.examples) == 10
    assert {example["reasons"] for example in check.examples[:2]} == {
        "event_type is none of view_item, add_to_cart, purchase; user_id is blank",
        "payload is not a JSON object",
    }
    assert r"<html>502</html>\x1b[2J" in {example["payload"] for example in check.examples}
    # The rejected refresh can be looked at.
    rows = blocked.lake.spark.table(f"lake.{SILVER_QUARANTINE}.branch_{check.branch}")
    assert rows.count() == 20


def test_what_somebody_accepts_is_published_and_the_snapshot_says_why(blocked: Shop) -> None:
    blocked.refresh(acceptance=OUTAGE)
    assert blocked.fates() == Fates(silver=81, quarantine=20, duplicates=0)
    assert blocked.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {hour("2026-03-01T10"): Decimal(81)}
    accepted = json.loads(blocked.silver_summary()[ACCEPTANCE])
    assert {**accepted, "run": None} == {"because": OUTAGE.because, "odd": 20, "among": 100, "run": None}
    # It was for that refresh only.
    blocked.produce(*(b"rubbish",) * 20)
    with pytest.raises(AuditFailedError, match="20 of 20 records"):
        blocked.refresh_silver()


def test_a_smaller_share_than_there_is_accepts_nothing(blocked: Shop) -> None:
    with pytest.raises(AuditFailedError, match="20 of 100 records"):
        blocked.refresh_silver(acceptance=Acceptance(because="a tenth would be all right", share=0.1))


def test_once_the_producer_is_mended_the_refresh_goes_through_by_itself(blocked: Shop) -> None:
    with pytest.raises(AuditFailedError):
        blocked.refresh_silver()
    blocked.produce(*(event() for _ in range(300)))
    refreshed = blocked.refresh_silver()
    assert refreshed[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 401})
    assert blocked.fates() == Fates(silver=381, quarantine=20, duplicates=0)


def test_once_the_contract_is_mended_the_refresh_goes_through_by_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.produce(event(event_id="early", product_name=LONG), event(event_id="plain"))
    shop.refresh()
    shop.produce(*(event(product_name=LONG) for _ in range(20)))
    with pytest.raises(AuditFailedError, match="20 of 20 records go to quarantine"):
        shop.refresh()
    newer = replace(contract.table_of(SilverEvents), code_version="next")
    tables: dict[contract.ContractType, contract.Table] = {**contract._TABLES, SilverEvents: newer}
    monkeypatch.setattr(contract, "_TABLES", tables)
    with names_of_any_length(monkeypatch):
        shop.refresh()
    # Another version of the code judges all of Bronze anew, what was quarantined before included.
    assert shop.fates() == Fates(silver=22, quarantine=0, duplicates=0)
    assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="events") == {hour("2026-03-01T10"): 22}


def test_a_replay_moves_what_passes_now_and_nothing_else_and_nothing_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.produce(
        purchase(event_id="plain", price="1.00"),
        purchase(event_id="long", price="2.00", product_name=LONG, at="2026-03-01T08:00:00Z"),
        b"rubbish",
        purchase(event_id="twice", price="4.00", product_name=LONG),
        purchase(event_id="twice", price="8.00", product_name=LONG),
        purchase(event_id="plain", price="16.00", product_name=LONG),
        event(event_id="hopeless", user_id="", product_name=LONG),
    )
    shop.refresh()
    assert shop.fates() == Fates(silver=1, quarantine=6, duplicates=0)
    set_aside = {row["offset"]: row["quarantined_at"] for row in shop.read(SILVER_QUARANTINE)}
    position = shop.refresh()[SILVER_EVENTS].position
    with names_of_any_length(monkeypatch):
        replayed = shop.replay()
        assert replayed[SILVER_EVENTS].position == position
        assert shop.fates() == Fates(silver=3, quarantine=2, duplicates=2)
        assert shop.conflicts() == 2
        assert shop.column(SILVER_EVENTS, key="event_id", value="price") == {
            "plain": Decimal("1.00"),
            "long": Decimal("2.00"),
            "twice": Decimal("4.00"),
        }
        assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue") == {
            hour("2026-03-01T08"): Decimal("2.00"),
            hour("2026-03-01T10"): Decimal("5.00"),
        }
        # What stays says why by today's contract, and since when it has been there.
        assert shop.reasons() == [["payload is not a JSON object"], ["user_id is blank"]]
        stayed = {row["offset"]: row["quarantined_at"] for row in shop.read(SILVER_QUARANTINE)}
        assert stayed == {offset: set_aside[offset] for offset in (2, 6)}
        shop.replay()
        assert shop.fates() == Fates(silver=3, quarantine=2, duplicates=2)
    shop.produce(event(event_id="next"), b"more rubbish")
    shop.refresh()
    assert shop.fates() == Fates(silver=4, quarantine=3, duplicates=2)


def test_a_replay_does_not_hide_that_silver_was_built_by_another_version(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.produce(event(event_id="plain"), event(event_id="long", product_name=LONG))
    shop.refresh_silver()
    newer = replace(contract.table_of(SilverEvents), code_version="next")
    tables: dict[contract.ContractType, contract.Table] = {**contract._TABLES, SilverEvents: newer}
    monkeypatch.setattr(contract, "_TABLES", tables)
    shop.replay()
    assert shop.silver_summary()[CODE_VERSION] == "2"
    shop.refresh_silver()
    assert shop.silver_summary()[CODE_VERSION] == "next"
    assert shop.fates() == Fates(silver=1, quarantine=1, duplicates=0)


def test_a_crash_in_the_middle_of_a_replay_is_mended_by_the_next_refresh(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.produce(
        purchase(event_id="plain"),
        purchase(event_id="long", product_name=LONG),
        purchase(event_id="plain", product_name=LONG),
        b"rubbish",
    )
    shop.refresh()
    shop.produce(event(event_id="waiting"), b"waiting too")
    with names_of_any_length(monkeypatch):
        with crash_before_publishing(SILVER_QUARANTINE):
            shop.replay()
        assert (len(shop.read(SILVER_EVENTS)), len(shop.read(SILVER_QUARANTINE))) == (2, 3)
        # However often the replay is begun again.
        with crash_before_publishing(SILVER_QUARANTINE):
            shop.refresh()
        shop.refresh()
        assert shop.fates() == Fates(silver=2, quarantine=1, duplicates=1)
        shop.refresh()
        assert shop.fates() == Fates(silver=3, quarantine=2, duplicates=1)
    assert shop.conflicts() == 1
    assert shop.column(GOLD_HOURLY_SALES, key="event_hour", value="purchases") == {hour("2026-03-01T10"): 2}


def test_a_crash_after_the_quarantine_was_published_leaves_nothing_of_it_to_a_better_contract(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.produce(event(event_id="plain"), event(event_id="long", product_name=LONG))
    with crash_before_publishing(SILVER_EVENTS):
        shop.refresh_silver()
    assert len(shop.read(SILVER_QUARANTINE)) == 1
    with names_of_any_length(monkeypatch):
        shop.refresh_silver()
    assert shop.fates() == Fates(silver=2, quarantine=0, duplicates=0)


def test_repeats_with_other_content_are_counted_and_warn(shop: Shop) -> None:
    shop.produce(purchase(event_id="a", price="1.00"), purchase(event_id="a", price="1.00"))
    shop.refresh_silver()
    assert shop.conflicts() == 0
    shop.produce(
        purchase(event_id="a", price="1.00"),
        purchase(event_id="a", price="2.00"),
        purchase(event_id="b", price="3.00"),
        purchase(event_id="b", price="4.00", at="2026-03-01T11:00:00Z"),
        purchase(event_id="b", price="3.00"),
    )
    shop.refresh_silver()
    assert shop.fates() == Fates(silver=2, quarantine=0, duplicates=5)
    assert shop.conflicts() == 2
