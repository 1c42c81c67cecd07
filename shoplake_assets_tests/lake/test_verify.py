"""`verify` on a real lake: what is good holds, and each kind of damage is found and named."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.settings import Settings
from shoplake_assets.tables import (
    BRONZE_EVENTS,
    BRONZE_GAPS,
    GOLD,
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)
from shoplake_assets_tests.building import TOPIC_ID, Shop, event, hour
from shoplake_assets_tests.embedded import empty_lake
from shoplake_assets_tests.lake.verifying import (
    KAFKA,
    alter,
    delete,
    double,
    fill,
    full,
    insert,
    proof_of,
    quick,
    roll_back,
    undone,
    unproven,
    wrong,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

HERE = f"topic_id = '{TOPIC_ID}' AND partition = 0"


@pytest.fixture(scope="module")
def eventful(stack: Settings, spark: "SparkSession") -> Shop:
    """A lake that has been through a lot, made once; tests leave it as they found it."""
    empty_lake(stack)
    shop = Shop(Lake(open_catalog(stack), spark))
    fill(shop)
    return shop


@pytest.fixture
def lake(eventful: Shop) -> Iterator[Shop]:
    with undone(eventful):
        yield eventful


def place(offset: int, partition: int = 0) -> str:
    return f"partition {partition}, offset {offset} of topic {TOPIC_ID}"


def test_a_good_lake_holds_with_gaps_repeats_late_and_broken_records_and_a_topic_that_is_gone(lake: Shop) -> None:
    found = full(lake)
    assert (wrong(found), unproven(found), found.holds) == ({}, {}, True)
    says = {(proof.table, proof.name): proof.says for proof in found.proofs}
    assert says[BRONZE_EVENTS, "offsets"] == (
        "21 records in 3 partitions: each offset once, none missing, but for 6 offsets in 2 recorded gaps, "
        "of which nobody has taken note of 2"
    )
    assert says[BRONZE_EVENTS, "kafka"] == (
        "Bronze agrees with what Kafka holds, 2 events of it not in Bronze yet; "
        "1 earlier topic is no longer there to compare with"
    )
    assert says[SILVER_EVENTS, "duplicates"] == (
        "21 Bronze records = 17 Silver + 2 quarantine + 2 duplicates, each of an event that is there"
    )
    assert quick(lake).holds
    assert wrong(quick(lake)) == {}
    assert proof_of(quick(lake), SILVER_EVENTS, "fates").says == (
        "21 Bronze records = 17 Silver + 2 quarantine + 2 duplicates, by their numbers"
    )


def test_a_bronze_record_that_is_deleted_is_missed(lake: Shop) -> None:
    delete(lake, BRONZE_EVENTS, f"{HERE} AND offset = 14")
    found = wrong(full(lake))
    assert found[BRONZE_EVENTS, "offsets"] == (
        "1 offset missing",
        f"partition 0 of topic {TOPIC_ID}: offset 14 missing",
    )
    assert found[SILVER_EVENTS, "places"] == (f"{place(14)} is in Silver and not in Bronze",)
    assert set(found) == {(BRONZE_EVENTS, "offsets"), (SILVER_EVENTS, "places")}
    assert set(wrong(quick(lake))) == {(BRONZE_EVENTS, "offsets"), (SILVER_EVENTS, "fates")}


def test_a_bronze_record_that_is_doubled_is_found(lake: Shop) -> None:
    double(lake, BRONZE_EVENTS, f"{HERE} AND offset = 14")
    found = wrong(full(lake))
    assert found == {(BRONZE_EVENTS, "offsets"): ("1 record too many", f"{place(14)} is there 2 times")}
    assert set(wrong(quick(lake))) == {(BRONZE_EVENTS, "offsets"), (SILVER_EVENTS, "fates")}


def test_one_missing_and_another_doubled_hide_from_metadata_and_not_from_rows(lake: Shop) -> None:
    alter(lake, BRONZE_EVENTS, f"{HERE} AND offset = 14", {"offset": 15})
    assert wrong(quick(lake)) == {}
    found = wrong(full(lake))
    assert found[BRONZE_EVENTS, "offsets"] == (
        "1 record too many",
        f"{place(15)} is there 2 times",
        "1 offset missing",
        f"partition 0 of topic {TOPIC_ID}: offset 14 missing",
    )


def test_a_gap_that_is_not_recorded_is_a_fault_and_so_is_one_whose_records_are_there(lake: Shop) -> None:
    delete(lake, BRONZE_GAPS, "first_offset = 8")
    alter(lake, BRONZE_GAPS, "first_offset = 0", {"first_offset": 3, "last_offset": 3})
    expected = (
        "3 offsets missing",
        f"partition 0 of topic {TOPIC_ID}: offsets 8 to 10 missing",
        f"1 record is there that bronze.gaps calls lost, such as {place(3)}",
    )
    assert wrong(full(lake)) == {(BRONZE_EVENTS, "offsets"): expected}


def test_a_silver_row_that_is_altered_is_found_with_what_its_record_says(lake: Shop) -> None:
    alter(lake, SILVER_EVENTS, "event_id = 'e11'", {"price": Decimal("50.00")})
    found = full(lake)
    assert wrong(found) == {
        (SILVER_EVENTS, "contents"): (f"event e11 ({place(11)}): price 50.00, its record says 5.00",)
    }
    assert proof_of(found, SILVER_EVENTS, "contents").says == (
        f"1 row differs from its Bronze record: event e11 ({place(11)}): price 50.00, its record says 5.00"
    )


def test_a_silver_row_that_is_deleted_is_lost(lake: Shop) -> None:
    delete(lake, SILVER_EVENTS, "event_id = 'e11'")
    assert wrong(full(lake)) == {
        (SILVER_EVENTS, "duplicates"): (
            f"{place(11)} is in neither Silver nor the quarantine, and Silver has no event e11: it is lost",
            "Silver has counted 2 duplicates, and 3 records are in neither",
        )
    }
    assert set(wrong(quick(lake))) == {(SILVER_EVENTS, "fates")}


def test_a_silver_row_that_is_doubled_is_found(lake: Shop) -> None:
    double(lake, SILVER_EVENTS, "event_id = 'e11'")
    found = wrong(full(lake))
    assert found == {
        (SILVER_EVENTS, "places"): (f"{place(11)} is in Silver more than once",),
        (SILVER_EVENTS, "event_id"): ("event e11 is there 2 times, at 2026-03-09 08:00:00.000",),
    }


def test_silver_must_keep_the_first_of_the_records_that_repeat_an_event(lake: Shop) -> None:
    alter(lake, SILVER_EVENTS, "event_id = 'e3'", {"offset": 6})
    found = wrong(full(lake))
    assert found == {(SILVER_EVENTS, "duplicates"): (f"{place(3)} came before the row of event e3 that Silver kept",)}


def test_an_event_id_at_two_times_is_found_at_any_distance(lake: Shop) -> None:
    lake.produce(event(event_id="e3", at="2026-03-20T10:00:00Z"))
    lake.refresh()
    found = full(lake, kafka=KAFKA)
    assert wrong(found) == {
        (SILVER_EVENTS, "event_id"): (
            "event e3 is there 2 times, at 2026-03-01 10:00:00.000 and 2026-03-20 10:00:00.000; "  # noqa: ISC004
            "both count: mend the producer, which must send one event_id with one time only",
        )
    }
    lake.next_offsets[0] -= 1


def test_a_quarantined_record_that_is_deleted_altered_or_in_silver_too_is_found(lake: Shop) -> None:
    delete(lake, SILVER_QUARANTINE, "offset = 13")
    alter(lake, SILVER_QUARANTINE, "offset = 5", {"payload": b"mended"})
    (row,) = (row for row in lake.read(SILVER_EVENTS) if row["event_id"] == "e11")
    insert(
        lake,
        SILVER_QUARANTINE,
        {**row, "key": b"u1", "payload": b"?", "reasons": ["none"], "quarantined_at": row["event_time"]},
    )
    found = wrong(full(lake))
    assert found == {
        (SILVER_EVENTS, "places"): (f"{place(11)} is in Silver and in the quarantine",),
        (SILVER_EVENTS, "duplicates"): (
            f"{place(13)} is in neither Silver nor the quarantine, and Silver has no event None: it is lost",
            "Silver has counted 2 duplicates, and 3 records are in neither",
        ),
        (SILVER_QUARANTINE, "contents"): (
            f"{place(5)}: payload not as in Bronze",
            f"{place(11)}: payload not as in Bronze",
        ),
    }


def test_one_number_in_each_gold_table_is_found_with_what_silver_says(lake: Shop) -> None:
    def more(column: str) -> Any:
        return lambda row: row.update({column: row[column] + 1})

    ten = "event_hour = '2026-03-01T10:00:00+00:00'"
    alter(lake, GOLD_HOURLY_SALES, ten, more("revenue"))
    alter(lake, GOLD_HOURLY_FUNNEL, ten, more("viewed"))
    alter(lake, GOLD_PRODUCT_HOURLY, f"{ten} AND product_id = 'p2'", more("carts"))
    alter(lake, GOLD_USER_HOURLY, f"{ten} AND user_id = 'u2'", more("units"))
    alter(lake, GOLD_CATEGORY_SALES, "event_date = '2026-03-01' AND category = 'light'", more("purchases"))
    alter(lake, GOLD_TOP_PRODUCTS, "window = 'all' AND rank = 2", {"product_name": "Lampe"})
    alter(lake, GOLD_TOP_USERS, "window = 'all' AND rank = 1", {"user_id": "u9"})
    found = wrong(full(lake))
    assert {table: list(says) for (table, _), says in found.items()} == {
        GOLD_HOURLY_SALES: ["event_hour 2026-03-01 10:00:00: revenue 40.98, Silver says 39.98"],
        GOLD_HOURLY_FUNNEL: ["event_hour 2026-03-01 10:00:00: viewed 2, Silver says 1"],
        GOLD_PRODUCT_HOURLY: ["event_hour 2026-03-01 10:00:00, product_id p2, category light: carts 1, Silver says 0"],
        GOLD_USER_HOURLY: ["event_hour 2026-03-01 10:00:00, user_id u2: units 2, Silver says 1"],
        GOLD_CATEGORY_SALES: ["event_date 2026-03-01, category light: purchases 3, Silver says 2"],
        GOLD_TOP_PRODUCTS: ["window all, rank 2: product_name Lampe, Silver says Lamp"],
        GOLD_TOP_USERS: ["window all, rank 1: user_id u9, Silver says u1"],
    }


def test_a_gold_row_that_is_missing_doubled_or_made_up_is_found(lake: Shop) -> None:
    delete(lake, GOLD_USER_HOURLY, "user_id = 'u2'")
    double(lake, GOLD_HOURLY_SALES, "event_hour = '2026-03-09T09:00:00+00:00'")
    (row,) = (row for row in lake.read(GOLD_HOURLY_FUNNEL) if row["event_hour"] == hour("2026-03-09T09"))
    insert(lake, GOLD_HOURLY_FUNNEL, {**row, "event_hour": hour("2026-03-10T09")})
    assert {table: list(says) for (table, _), says in wrong(full(lake)).items()} == {
        GOLD_USER_HOURLY: ["event_hour 2026-03-01 10:00:00, user_id u2: the row is missing"],
        GOLD_HOURLY_SALES: ["event_hour 2026-03-09 09:00:00: a row too many"],
        GOLD_HOURLY_FUNNEL: ["event_hour 2026-03-10 09:00:00: a row too many"],
    }


def test_a_bronze_that_was_rolled_back_is_told_of_in_words(lake: Shop) -> None:
    roll_back(lake, BRONZE_EVENTS, lake.lake.table(BRONZE_EVENTS).history()[2].snapshot_id)
    found = full(lake)
    says = tuple(
        f"bronze.events was rolled back: silver.events reflects partition {partition} of topic {TOPIC_ID} up to offset "
        f"{reflected}, and bronze.events ends at {there}; the ingest fills Bronze up again from Kafka, as far as Kafka "
        "still holds it"
        for partition, reflected, there in ((0, 19, 7), (1, 4, 1))
    )
    assert wrong(found) == {(SILVER_EVENTS, "order"): says}
    assert unproven(found) == {(SILVER_EVENTS, "duplicates"): "Bronze does not reach to Silver's position"}
    assert wrong(quick(lake))[SILVER_EVENTS, "order"] == says


def test_a_silver_that_was_rolled_back_is_told_of_in_words(lake: Shop) -> None:
    first = lake.lake.table(SILVER_EVENTS).current_snapshot()
    assert first is not None
    assert first.parent_snapshot_id is not None
    roll_back(lake, SILVER_EVENTS, first.parent_snapshot_id)
    found = full(lake)
    assert {table for table, _ in wrong(found)} == {
        GOLD_HOURLY_SALES,
        GOLD_HOURLY_FUNNEL,
        GOLD_PRODUCT_HOURLY,
        GOLD_USER_HOURLY,
    }
    assert wrong(found)[GOLD_USER_HOURLY, "order"][0] == (
        f"silver.events was rolled back: gold.user_hourly reflects partition 0 of topic {TOPIC_ID} up to offset 19, "
        "and silver.events ends at 7; the next refresh makes up for it"
    )
    assert proof_of(found, SILVER_QUARANTINE, "order").says == (
        "15 events ahead of Silver, which the next refresh makes up for"
    )


@pytest.mark.parametrize(
    ("kafka", "says"),
    [
        (
            KafkaRange(begin=KAFKA.begin, end=Position.of_topic(TOPIC_ID, {0: 19, 1: 5})),
            f"partition 0 of topic {TOPIC_ID}: Bronze reaches to offset 19, and Kafka ends at 18",
        ),
        (None, "Kafka does not answer, so Bronze is not compared with it"),
    ],
)
def test_what_kafka_says_counts(lake: Shop, kafka: KafkaRange | None, says: str) -> None:
    found = full(lake, kafka=kafka)
    assert proof_of(found, BRONZE_EVENTS, "kafka").says == says
    assert not found.holds
    assert quick(lake, kafka=kafka).holds == (kafka is None)


def test_records_that_kafka_has_and_bronze_never_read_are_missing(lake: Shop) -> None:
    delete(lake, BRONZE_GAPS, "first_offset = 0")
    begin = Position.of_topic(TOPIC_ID, {0: 1, 1: 0})
    assert wrong(quick(lake, kafka=KafkaRange(begin=begin, end=KAFKA.end))) == {
        (BRONZE_EVENTS, "kafka"): (
            f"partition 0 of topic {TOPIC_ID}: offsets 1 to 2 are in Kafka and not in Bronze, which begins at 3",
        )
    }


def test_compaction_changes_no_row_and_verify_knows_it(lake: Shop, spark: "SparkSession") -> None:
    for table in (BRONZE_EVENTS, SILVER_EVENTS, GOLD_PRODUCT_HOURLY):
        options = "map('rewrite-all', 'true')"
        spark.sql(f"CALL lake.system.rewrite_data_files(table => '{table}', options => {options})").collect()
    found = full(lake)
    assert (wrong(found), unproven(found)) == ({}, {})
    assert wrong(quick(lake)) == {}
    assert unproven(quick(lake))[BRONZE_EVENTS, "offsets"].endswith("so only rows tell which offsets are there")


def test_an_empty_lake_holds(shop: Shop) -> None:
    found = full(shop, kafka=KafkaRange(begin=Position(), end=Position()))
    assert found.holds
    assert proof_of(found, BRONZE_EVENTS, "offsets").says == "Bronze is empty"
    assert {proof.table for proof in found.proofs} >= {*GOLD, SILVER_EVENTS}
