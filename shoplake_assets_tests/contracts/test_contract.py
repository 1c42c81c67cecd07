"""What a contract may say, and that there is one for each table."""

import pandera.pyspark as pa  # noqa: TID253  a contract is a Pandera model
import pyspark.sql.types as T  # noqa: N812, TID253  a contract is written in Spark's types
import pytest

from shoplake_assets import tables
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import Contract, Table, columns_of, describes, table_of
from shoplake_assets.contracts.errors import ContractError
from shoplake_assets.contracts.gold import HourlySales


def test_every_table_has_a_contract_and_every_contract_a_table() -> None:
    assert sorted(CONTRACTS) == sorted(tables.ALL)


def test_every_key_and_every_partitioning_names_columns_of_the_contract() -> None:
    for contract in CONTRACTS.values():
        table, columns = table_of(contract), columns_of(contract)
        assert table.key
        assert set(table.key) <= set(columns)
        assert not table.partitioned_by or table.partitioned_by.rstrip(")").split("(")[1] in columns


def test_every_column_of_a_key_refuses_null() -> None:
    for contract in CONTRACTS.values():
        columns = contract.to_schema().columns
        assert not [name for name in table_of(contract).key if columns[name].nullable]


def test_every_contract_explains_itself_and_each_of_its_columns() -> None:
    for contract in CONTRACTS.values():
        assert contract.__doc__
        assert not [name for name, column in contract.to_schema().columns.items() if not column.description]


def test_a_table_s_own_columns_come_before_those_it_shares_with_others() -> None:
    assert columns_of(HourlySales) == (
        "event_hour",
        "events",
        "buyers",
        "sessions",
        "average_order_value",
        "purchases",
        "units",
        "revenue",
    )


def test_a_key_that_names_no_column_is_refused() -> None:
    with pytest.raises(ContractError, match=r"Orders: key \['order_id'\] of silver.orders names no column"):

        @describes(Table(name="silver.orders", key=("order_id",)))
        class Orders(Contract):
            """A contract whose key is misspelt."""

            id: T.StringType = pa.Field(nullable=False, description="Its id.")


def test_a_check_that_cannot_become_a_row_rule_is_refused_when_the_contract_is_read() -> None:
    with pytest.raises(
        ContractError, match=r"Codes\.code: the check 'unique_values_eq' cannot be turned into a row rule"
    ):

        @describes(Table(name="silver.codes", key=("code",)))
        class Codes(Contract):
            """A contract with a check that is about all rows at once."""

            code: T.StringType = pa.Field(nullable=False, unique_values_eq=["A"], description="A code.")


def test_a_check_of_ones_own_is_refused_when_it_has_no_translation() -> None:
    with pytest.raises(ContractError, match=r"Codes\.code: the check 'even' cannot be turned into a row rule"):

        @describes(Table(name="silver.codes", key=("code",)))
        class Codes(Contract):
            """A contract with a check that only Pandera could run."""

            code: T.IntegerType = pa.Field(nullable=False, description="A code.")

            @pa.check("code")
            @classmethod
            def even(cls, _data: object) -> bool:
                """Whatever it says."""
                return True


def test_a_check_of_the_whole_table_is_refused() -> None:
    with pytest.raises(ContractError, match=r"Codes: the check of the whole table \(sane\) cannot be turned"):

        @describes(Table(name="silver.codes", key=("code",)))
        class Codes(Contract):
            """A contract with a check that is about no column."""

            code: T.IntegerType = pa.Field(nullable=False, description="A code.")

            @pa.dataframe_check
            @classmethod
            def sane(cls, _data: object) -> bool:
                """Whatever it says."""
                return True


def test_the_key_is_what_pandera_takes_for_unique() -> None:
    assert {name: contract.to_schema().unique for name, contract in CONTRACTS.items()} == {
        name: list(table_of(contract).key) for name, contract in CONTRACTS.items()
    }
