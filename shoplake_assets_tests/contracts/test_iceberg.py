"""The Iceberg tables that contracts describe, written out."""

import pandera.pyspark as pa  # noqa: TID253  a contract is a Pandera model
import pyspark.sql.types as T  # noqa: N812, TID253  a contract is written in Spark's types
import pytest

from shoplake_assets.contracts.bronze import BronzeEvents
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import Contract, ContractType, Table, describes
from shoplake_assets.contracts.errors import ContractError
from shoplake_assets.contracts.gold import HourlySales, TopProducts
from shoplake_assets.contracts.iceberg import iceberg_schema, partition_spec, properties
from shoplake_assets.contracts.silver import SilverEvents


def _shape(contract: ContractType) -> list[str]:
    return [
        f"{field.name} {field.field_type}{'' if field.optional else ' !'}" for field in iceberg_schema(contract).fields
    ]


def test_bronze_keeps_the_record_as_it_came() -> None:
    assert [line for line in _shape(BronzeEvents) if not line.startswith("headers")] == [
        "topic_id string !",
        "partition int !",
        "offset long !",
        "topic string !",
        "kafka_timestamp timestamptz !",
        "key binary",
        "payload binary",
        "ingested_at timestamptz !",
    ]
    schema = iceberg_schema(BronzeEvents)
    assert [str(schema.find_type(f"headers.element.{name}")) for name in ("key", "value")] == ["string", "binary"]


def test_silver_types_money_as_decimal_and_time_as_utc() -> None:
    assert _shape(SilverEvents) == [
        "event_id string !",
        "event_time timestamptz !",
        "event_type string !",
        "user_id string !",
        "session_id string",
        "product_id string !",
        "product_name string",
        "category string",
        "price decimal(12, 2) !",
        "quantity int !",
        "price_defaulted boolean !",
        "topic_id string !",
        "partition int !",
        "offset long !",
        "kafka_timestamp timestamptz !",
    ]


def test_gold_keeps_revenue_exact() -> None:
    assert _shape(HourlySales) == [
        "event_hour timestamptz !",
        "events long !",
        "buyers long !",
        "sessions long !",
        "average_order_value decimal(24, 2)",
        "purchases long !",
        "units long !",
        "revenue decimal(24, 2) !",
    ]
    assert _shape(TopProducts) == [
        "window string !",
        "rank int !",
        "product_id string !",
        "product_name string",
        "category string !",
        "purchases long !",
        "units long !",
        "revenue decimal(24, 2) !",
    ]


def test_each_table_is_partitioned_as_its_readers_and_writers_need_it() -> None:
    described = {
        name: [f"{field.name}: {field.transform}" for field in partition_spec(contract).fields]
        for name, contract in CONTRACTS.items()
    }
    assert described == {
        "bronze.events": ["kafka_timestamp_hour: hour"],
        "bronze.gaps": [],
        "silver.events": ["event_time_hour: hour"],
        "silver.quarantine": ["kafka_timestamp_day: day"],
        "gold.hourly_sales": ["event_hour_month: month"],
        "gold.hourly_funnel": ["event_hour_month: month"],
        "gold.product_hourly": ["event_hour_day: day"],
        "gold.user_hourly": ["event_hour_day: day"],
        "gold.category_sales": ["event_date_month: month"],
        "gold.top_products": [],
        "gold.top_users": [],
    }


def test_bounds_of_keys_are_kept_whole_and_those_of_bytes_not_at_all() -> None:
    prefix = "write.metadata.metrics.column."
    metrics = {name: mode for name, mode in properties(BronzeEvents).items() if name.startswith(prefix)}
    assert metrics == {
        f"{prefix}topic_id": "full",
        f"{prefix}partition": "full",
        f"{prefix}offset": "full",
        f"{prefix}key": "none",
        f"{prefix}payload": "none",
    }


def test_a_type_that_has_no_translation_is_refused() -> None:
    @describes(Table(name="gold.odd", key=("weight",)))
    class Odd(Contract):
        """A contract with a column of a type that no table has yet."""

        weight: T.DoubleType = pa.Field(nullable=True, description="A weight.")

    with pytest.raises(ContractError, match="no Iceberg type for Spark's double"):
        iceberg_schema(Odd)
