"""What the columns of derived tables are computed from: complete, and true to contracts and graph."""

import pytest

from shoplake_assets.assets.specification import key_of, table_column_lineage
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of
from shoplake_assets.contracts.lineage import column_lineage
from shoplake_assets.definitions import build_definitions
from shoplake_assets.settings import Settings
from shoplake_assets.tables import (
    BRONZE_EVENTS,
    DERIVED,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)


def _sources(table: str, column: str) -> list[str]:
    return [f"{source}.{name}" for source, name in column_lineage(table)[column]]


@pytest.mark.parametrize("table", DERIVED)
def test_every_column_of_a_derived_table_is_there_and_no_other(table: str) -> None:
    assert sorted(column_lineage(table)) == sorted(columns_of(CONTRACTS[table]))


@pytest.mark.parametrize("table", DERIVED)
def test_every_column_is_computed_from_columns_that_exist_in_a_table_below(table: str) -> None:
    graph = build_definitions(Settings.model_construct()).resolve_asset_graph()
    below = {".".join(key.path) for key in graph.get(key_of(table)).parent_keys}
    for sources in column_lineage(table).values():
        assert len(set(sources)) == len(sources)
        for source, name in sources:
            assert source in below
            assert name in columns_of(CONTRACTS[source])


def test_no_column_is_computed_from_itself() -> None:
    assert not [
        (table, column)
        for table in DERIVED
        for column, sources in column_lineage(table).items()
        if (table, column) in sources
    ]


def test_only_the_time_of_quarantine_comes_from_no_column() -> None:
    unmade = [(table, column) for table in DERIVED for column, sources in column_lineage(table).items() if not sources]
    assert unmade == [(SILVER_QUARANTINE, "quarantined_at")]


def test_what_is_in_silver_comes_from_the_payload_and_where_it_came_from_out_of_the_record() -> None:
    coordinates = ("topic_id", "partition", "offset", "kafka_timestamp")
    for column in column_lineage(SILVER_EVENTS):
        source = column if column in coordinates else "payload"
        assert _sources(SILVER_EVENTS, column) == [f"{BRONZE_EVENTS}.{source}"]


def test_figures_name_everything_that_they_are_computed_from() -> None:
    assert _sources(GOLD_HOURLY_SALES, "revenue") == [
        "silver.events.event_type",
        "silver.events.price",
        "silver.events.quantity",
    ]
    assert _sources(GOLD_PRODUCT_HOURLY, "product_name") == [
        "silver.events.product_name",
        "silver.events.event_time",
        "silver.events.event_id",
    ]
    assert _sources(GOLD_TOP_PRODUCTS, "rank") == ["gold.product_hourly.revenue", "gold.product_hourly.product_id"]
    assert _sources(GOLD_TOP_PRODUCTS, "window") == ["gold.product_hourly.event_hour"]


def test_dagster_is_told_the_same() -> None:
    told = table_column_lineage(GOLD_TOP_PRODUCTS).deps_by_column
    assert list(told) == list(column_lineage(GOLD_TOP_PRODUCTS))
    assert {(dep.asset_key.to_user_string(), dep.column_name) for dep in told["product_name"]} == {
        ("gold/product_hourly", "product_name"),
        ("gold/product_hourly", "event_hour"),
        ("gold/product_hourly", "category"),
    }
