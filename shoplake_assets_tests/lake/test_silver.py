"""Silver and the quarantine: no record lost, none doubled, whatever happens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from shoplake_assets.contracts import contract
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.layers import read_layers
from shoplake_assets.lake.position import Position
from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID, Fates, Shop, crash_before_publishing, event, purchase
from shoplake_assets_tests.transforms.records import bronze_records

pytestmark = pytest.mark.spark


def test_the_first_by_kafka_position_stays_and_every_other_is_counted(shop: Shop) -> None:
    shop.produce(event(event_id="a", user_id="first"), event(event_id="a", user_id="second"), event(event_id="b"))
    shop.produce(event(event_id="a", user_id="third"), event(event_id="c", user_id="right"), partition=1)
    shop.produce(event(event_id="d"), b"rubbish", b"rubbish", event(event_id="b", user_id="late"), partition=2)
    shop.refresh()
    assert shop.column(SILVER_EVENTS, key="event_id", value="user_id") == {
        "a": "first",
        "b": "u1",
        "c": "right",
        "d": "u1",
    }
    assert shop.fates() == Fates(silver=4, quarantine=2, duplicates=3)

    # Repeats and rejects alone add no row to Silver, and still move its position on.
    shop.produce(event(event_id="c", user_id="wrong"), None)
    refreshed = shop.refresh()
    assert refreshed[SILVER_EVENTS].changed
    assert refreshed[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 5, 1: 2, 2: 4})
    assert shop.fates() == Fates(silver=4, quarantine=3, duplicates=4)
    assert shop.column(SILVER_EVENTS, key="event_id", value="user_id")["c"] == "right"
    assert shop.reasons() == [
        ["payload is missing"],
        ["payload is not a JSON object"],
        ["payload is not a JSON object"],
    ]
    layers = read_layers(shop.lake.catalog)
    assert {name for name, layer in layers.items() if layer.position != layers[BRONZE_EVENTS].position} == set()


def test_a_long_way_behind_is_worked_off_in_steps_of_which_a_crash_undoes_only_the_last(shop: Shop) -> None:
    shop.produce(event(event_id="a", user_id="first"), event(event_id="b"))
    shop.produce(event(event_id="c"), partition=1)
    shop.produce(*(event(event_id=f"d{number}") for number in range(9)), event(event_id="a", user_id="late"))
    shop.produce(b"rubbish", event(event_id="e"), partition=1)
    first = shop.refresh(at_most=4)
    assert first[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 2, 1: 1})
    assert shop.fates() == Fates(silver=3)

    # A commit of the stream is larger than a step may be, and is not divided.
    with crash_before_publishing(SILVER_EVENTS):
        shop.refresh(at_most=4)
    assert shop.fates().silver == 3
    second = shop.refresh(at_most=4)
    assert second[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 12, 1: 1})
    assert shop.fates() == Fates(silver=12, duplicates=1)

    third = shop.refresh(at_most=4)
    assert third[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 12, 1: 3})
    assert shop.fates() == Fates(silver=13, quarantine=1, duplicates=1)
    assert shop.column(SILVER_EVENTS, key="event_id", value="user_id")["a"] == "first"
    assert not any(refresh.changed for refresh in shop.refresh(at_most=4).values())


def test_a_clock_that_was_set_back_makes_no_later_record_the_first(shop: Shop) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    shop.produce(event(event_id="a", user_id="first"), ingested_at=noon)
    shop.produce(event(event_id="a", user_id="second"), ingested_at=noon - timedelta(hours=1))
    shop.refresh()
    assert shop.column(SILVER_EVENTS, key="event_id", value="user_id") == {"a": "first"}


def test_a_crash_between_quarantine_and_silver_loses_and_doubles_nothing(shop: Shop) -> None:
    shop.produce(event(event_id="a"), b"bad 1")
    with crash_before_publishing(SILVER_EVENTS):
        shop.refresh_silver()
    assert (len(shop.read(SILVER_EVENTS)), len(shop.read(SILVER_QUARANTINE))) == (0, 1)
    shop.produce(event(event_id="a"), b"bad 2")
    shop.refresh_silver()
    assert shop.fates() == Fates(silver=1, quarantine=2, duplicates=1)
    assert [row["payload"] for row in shop.read(SILVER_QUARANTINE)] == [b"bad 1", b"bad 2"]


def test_another_version_of_the_code_rebuilds_to_the_same_rows(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.produce(purchase(event_id="a"), purchase(event_id="a"), b"bad", event(event_id="b", at="2026-04-01T10:00:00Z"))
    shop.refresh()
    silver, gold = shop.read(SILVER_EVENTS), shop.read(GOLD_HOURLY_SALES)
    newer = replace(contract.table_of(SilverEvents), code_version="next")
    tables: dict[contract.ContractType, contract.Table] = {**contract._TABLES, SilverEvents: newer}
    monkeypatch.setattr(contract, "_TABLES", tables)
    shop.produce(purchase(event_id="c", at="2026-04-01T10:00:00Z"))
    shop.refresh()
    assert [row for row in shop.read(SILVER_EVENTS) if row["event_id"] != "c"] == silver
    assert shop.read(GOLD_HOURLY_SALES)[0] == gold[0]
    assert len(shop.read(SILVER_QUARANTINE)) == 1
    assert not shop.refresh_silver()[SILVER_EVENTS].changed


def test_a_commit_of_maintenance_does_not_make_silver_forget_where_it_is(shop: Shop) -> None:
    shop.produce(event(event_id="a"), b"bad")
    shop.refresh_silver()
    for table in (SILVER_EVENTS, SILVER_QUARANTINE):
        shop.lake.table(table).append(shop.lake.table(table).schema().as_arrow().empty_table())
    assert not shop.refresh_silver()[SILVER_EVENTS].changed
    shop.produce(event(event_id="b"), b"bad too")
    assert shop.refresh_silver()[SILVER_EVENTS].position == Position.of_topic(TOPIC_ID, {0: 4})
    assert shop.fates() == Fates(silver=2, quarantine=2, duplicates=0)


def test_an_id_that_comes_again_with_another_time_is_no_second_row_where_both_hours_are_touched(shop: Shop) -> None:
    shop.produce(event(event_id="a", at="2026-03-01T10:10:00Z"))
    shop.refresh_silver()
    again = event(event_id="a", at="2026-03-01T12:10:00Z")
    shop.produce(event(event_id="b", at="2026-03-01T10:20:00Z"), again, event(event_id="c", at="2026-03-01T12:20:00Z"))
    shop.refresh_silver()
    hours = {row["event_id"]: row["event_time"].hour for row in shop.read(SILVER_EVENTS)}
    assert hours == {"a": 10, "b": 10, "c": 12}
    assert shop.fates() == Fates(silver=3, quarantine=0, duplicates=1)
    assert shop.conflicts() == 1


_IDS = st.sampled_from(["a", "b", "aa", "ab", "e\u0301", "\u00e9", " a", "a "])


@seed(4)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_IDS, min_size=1, max_size=12), st.sets(_IDS, max_size=4))
def test_whole_ids_decide_which_event_is_a_repeat(spark: object, ids: list[str], known: set[str]) -> None:
    from shoplake_assets.transforms.silver import conform, mark_repeats, repeats, shared_hashes, silver_rows

    held = silver_rows(conform(bronze_records(spark, [event(event_id=name) for name in known])))  # type: ignore[arg-type]
    records = bronze_records(spark, [event(event_id=name) for name in ids])  # type: ignore[arg-type]
    conformed = conform(records)
    repeated = repeats(conformed, shared=shared_hashes(conformed, known=held), known=held)
    rows = mark_repeats(conformed, repeated).select("offset", "event_id", "fate").collect()
    found = {row["offset"]: (row["event_id"], row["fate"]) for row in rows}
    expected = {
        offset: (name, "repeated" if name in known or name in ids[:offset] else "accepted")
        for offset, name in enumerate(ids)
    }
    assert found == expected
    assert len(rows) == len(ids)
