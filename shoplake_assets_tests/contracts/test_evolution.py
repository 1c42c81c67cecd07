"""What a live table may become when its contract changes, written out."""

from typing import Annotated

import pandera.pyspark as pa  # noqa: TID253  a contract is a Pandera model
import pyspark.sql.types as T  # noqa: N812, TID253  a contract is written in Spark's types
import pytest
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.types import DecimalType, LongType, StringType

from shoplake_assets.contracts.contract import Contract, ContractType, Table, describes
from shoplake_assets.contracts.evolution import (
    AddColumn,
    Change,
    DescribeColumn,
    Evolution,
    IncompatibleContractError,
    PlaceColumn,
    RelaxColumn,
    WidenColumn,
    evolution,
)
from shoplake_assets.contracts.iceberg import iceberg_schema, partition_spec, properties

HEADER = T.StructType([T.StructField("key", T.StringType()), T.StructField("value", T.BinaryType())])
OTHER_HEADER = T.StructType([T.StructField("key", T.StringType()), T.StructField("value", T.StringType())])
ORDERS = Table(name="gold.orders", key=("order_id",), partitioned_by="days(ordered_at)")


@describes(ORDERS)
class Orders(Contract):
    """Orders."""

    order_id: T.StringType = pa.Field(nullable=False, description="Its id.")
    ordered_at: T.TimestampType = pa.Field(nullable=False, description="When it was placed, UTC.")
    units: T.IntegerType = pa.Field(nullable=False, description="Units.")
    amount: Annotated[T.DecimalType, 12, 2] = pa.Field(nullable=False, description="Amount.")
    note: T.StringType = pa.Field(nullable=True, description="A note.")
    headers: Annotated[T.ArrayType, HEADER, True] = pa.Field(nullable=True, description="Headers.")


def _evolved(contract: ContractType, *, properties_now: dict[str, str] | None = None) -> Evolution:
    """What a table of `Orders`, with ids as Iceberg gives them, needs to be as `contract` says."""
    return evolution(
        contract,
        schema=assign_fresh_schema_ids(iceberg_schema(Orders)),
        spec=partition_spec(Orders),
        kept_properties=properties(contract) if properties_now is None else properties_now,
    )


def _changes(contract: ContractType) -> tuple[Change, ...]:
    return _evolved(contract).changes


def _refusal(contract: ContractType) -> str:
    with pytest.raises(IncompatibleContractError) as refused:
        _evolved(contract)
    return str(refused.value)


def _without(*names: str) -> Schema:
    return Schema(*(field for field in iceberg_schema(Orders).fields if field.name not in names))


def test_a_table_that_is_as_its_contract_says_needs_nothing_though_its_nested_ids_differ() -> None:
    kept = {key: value for key, value in properties(Orders).items() if key != "format-version"}
    assert not _evolved(Orders, properties_now=kept)


def test_a_new_column_that_may_be_null_is_added_where_the_contract_has_it() -> None:
    @describes(ORDERS)
    class WithCoupon(Orders):
        """Orders with a column of their own, which comes before those they inherit."""

        coupon: T.StringType = pa.Field(nullable=True, description="The coupon.")

    assert _changes(WithCoupon) == (
        AddColumn("coupon", StringType(), "The coupon."),
        PlaceColumn("coupon", after="order_id"),
    )


def test_a_new_column_that_comes_last_is_only_added() -> None:
    added = evolution(
        Orders, schema=_without("headers"), spec=partition_spec(Orders), kept_properties=properties(Orders)
    )
    assert [type(change) for change in added.changes] == [AddColumn]


def test_columns_in_another_order_are_placed_and_the_first_of_them_before_all_others() -> None:
    @describes(Table(name="gold.orders", key=("note", "order_id"), partitioned_by="days(ordered_at)"))
    class ByNote(Orders):
        """Orders with another key, which comes first in the table."""

    assert _changes(ByNote) == (PlaceColumn("note", after=None),)


def test_a_type_may_become_one_that_holds_all_its_values() -> None:
    @describes(ORDERS)
    class Wider(Orders):
        """Orders that may be larger."""

        units: T.LongType = pa.Field(nullable=False, description="Units.")  # type: ignore[assignment]
        amount: Annotated[T.DecimalType, 24, 2] = pa.Field(nullable=False, description="Amount.")

    assert {change for change in _changes(Wider) if not isinstance(change, PlaceColumn)} == {
        WidenColumn("units", LongType()),
        WidenColumn("amount", DecimalType(24, 2)),
    }


def test_a_column_may_become_nullable_and_its_description_another() -> None:
    @describes(ORDERS)
    class Looser(Orders):
        """Orders that may come without a time."""

        ordered_at: T.TimestampType = pa.Field(nullable=True, description="When it was placed, if known, UTC.")

    assert _changes(Looser) == (
        RelaxColumn("ordered_at"),
        DescribeColumn("ordered_at", "When it was placed, if known, UTC."),
    )


def test_properties_that_are_missing_or_differ_are_set_and_others_left_alone() -> None:
    kept = {**properties(Orders), "comment": "Sales.", "somebody.s.own": "yes"}
    del kept["write.distribution-mode"]
    assert _evolved(Orders, properties_now=kept) == Evolution(
        (), {"comment": "Orders.", "write.distribution-mode": "none"}
    )


def test_a_type_that_could_lose_values_is_refused_with_what_to_do() -> None:
    @describes(ORDERS)
    class Retyped(Orders):
        """Orders with units as text."""

        units: T.StringType = pa.Field(nullable=False, description="Units.")  # type: ignore[assignment]

    assert _refusal(Retyped) == (
        "gold.orders cannot follow its contract and stays as it is: units is int in the table and string in the "
        "contract (keep the type; a column of another name can have the new one)."
    )


@pytest.mark.parametrize("decimal", [(10, 2), (12, 4), (14, 4), (12, 0)])
def test_a_decimal_of_another_scale_or_of_fewer_digits_is_refused(decimal: tuple[int, int]) -> None:
    precision, scale = decimal

    @describes(ORDERS)
    class Rescaled(Orders):
        """Orders with other amounts."""

        amount: Annotated[T.DecimalType, precision, scale] = pa.Field(nullable=False, description="Amount.")

    told = f"amount is decimal(12, 2) in the table and decimal({precision}, {scale}) in the contract"
    assert told in _refusal(Rescaled)


def test_text_that_shall_become_bytes_is_refused_though_the_library_would_take_it() -> None:
    @describes(ORDERS)
    class Bytes(Orders):
        """Orders with notes in bytes."""

        note: T.BinaryType = pa.Field(nullable=True, description="A note.")  # type: ignore[assignment]

    assert "note is string in the table and binary in the contract" in _refusal(Bytes)


def test_another_type_within_a_nested_column_is_refused_and_shown_without_ids() -> None:
    @describes(ORDERS)
    class Headers(Orders):
        """Orders with headers of another kind."""

        headers: Annotated[T.ArrayType, OTHER_HEADER, False] = pa.Field(nullable=True, description="Headers.")

    assert (
        "headers is list<struct<key: string, value: binary>> in the table and "
        "list<required struct<key: string, value: string>> in the contract"
    ) in _refusal(Headers)


def test_a_column_that_may_be_null_cannot_become_required() -> None:
    @describes(ORDERS)
    class Noted(Orders):
        """Orders that always have a note."""

        note: T.StringType = pa.Field(nullable=False, description="A note.")

    assert _refusal(Noted) == (
        "gold.orders cannot follow its contract and stays as it is: note may be null in the table and not in the "
        "contract (make it nullable again)."
    )


def test_a_new_column_cannot_be_required() -> None:
    @describes(ORDERS)
    class WithCoupon(Orders):
        """Orders that always have a coupon."""

        coupon: T.StringType = pa.Field(nullable=False, description="The coupon.")

    assert _refusal(WithCoupon) == (
        "gold.orders cannot follow its contract and stays as it is: coupon (string) is new and required (make it "
        "nullable: rows that exist have no value for it)."
    )


def test_a_column_cannot_go() -> None:
    @describes(Table(name="gold.orders", key=("order_id",), partitioned_by="days(ordered_at)"))
    class Bare(Contract):
        """Orders of which little is known."""

        order_id: T.StringType = pa.Field(nullable=False, description="Its id.")
        ordered_at: T.TimestampType = pa.Field(nullable=False, description="When it was placed, UTC.")
        units: T.IntegerType = pa.Field(nullable=False, description="Units.")
        amount: Annotated[T.DecimalType, 12, 2] = pa.Field(nullable=False, description="Amount.")
        headers: Annotated[T.ArrayType, HEADER, True] = pa.Field(nullable=True, description="Headers.")

    assert _refusal(Bare) == (
        "gold.orders cannot follow its contract and stays as it is: note (string) is in the table and not in the "
        "contract (give it back; as a nullable column it may stay empty)."
    )


@pytest.mark.parametrize(
    ("partitioned_by", "shown"),
    [("hours(ordered_at)", "hour(ordered_at)"), ("days(shipped_at)", "day(shipped_at)"), ("", "nothing")],
)
def test_another_partitioning_is_refused(partitioned_by: str, shown: str) -> None:
    @describes(Table(name="gold.orders", key=("order_id",), partitioned_by=partitioned_by))
    class Repartitioned(Orders):
        """Orders that are laid out differently."""

        shipped_at: T.TimestampType = pa.Field(nullable=True, description="When it was shipped, UTC.")

    assert _refusal(Repartitioned) == (
        "gold.orders cannot follow its contract and stays as it is: it is partitioned by day(ordered_at) and in the "
        f"contract by {shown} (keep that; a table of another name can have the new one)."
    )


def test_a_table_s_faults_are_told_at_once_but_not_more_of_them_than_one_can_read() -> None:
    @describes(Table(name="gold.orders", key=("id",)))
    class Other(Contract):
        """Something else under the same name."""

        id: T.StringType = pa.Field(nullable=False, description="Its id.")
        note: T.StringType = pa.Field(nullable=False, description="A note.")

    told = _refusal(Other)
    assert told.startswith("gold.orders cannot follow its contract and stays as it is: id (string) is new and required")
    assert "; note may be null in the table and not in the contract" in told
    assert told.count("is in the table and not in the contract") == 2
    assert told.endswith("; and 4 more.")
