"""Making the lake's tables, and bringing those that exist up to their contracts."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import pandera.pyspark as pa  # noqa: TID253  a contract is a Pandera model
import pyspark.sql.types as T  # noqa: N812, TID253  a contract is written in Spark's types
import pytest
from pyarrow import Table as Rows  # type: ignore[import-untyped]
from pyiceberg.types import DecimalType, StringType

from shoplake_assets.contracts.bronze import BronzeEvents
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of, describes, table_of
from shoplake_assets.contracts.evolution import IncompatibleContractError
from shoplake_assets.contracts.gold import CategorySales, TopUsers
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import conform_table, prepare_lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import (
    ALL,
    BRONZE_EVENTS,
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_SALES,
    GOLD_TOP_USERS,
    SILVER_EVENTS,
)

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

ROW = {"window": "24h", "rank": 1, "user_id": "u1", "purchases": 1, "units": 2, "revenue": Decimal("9.99")}


@describes(table_of(TopUsers))
class WithCountry(TopUsers):
    """The hundred shoppers with the most revenue in each window, and where they live."""

    country: T.StringType = pa.Field(nullable=True, description="Where the shopper lives.")


@describes(table_of(CategorySales))
class Unrelated(CategorySales):
    """Sales of each category on each day, in cents."""

    revenue: T.LongType = pa.Field(nullable=False, description="Revenue in cents.")  # type: ignore[assignment]


@pytest.fixture
def top_users(own_lake: Settings) -> "Table":
    """The live `gold.top_users`, with one row."""
    table = open_catalog(own_lake).load_table(GOLD_TOP_USERS)
    table.append(Rows.from_pylist([ROW], schema=table.schema().as_arrow()))
    return table


def _locations(settings: Settings) -> dict[str, str]:
    catalog = open_catalog(settings)
    return {name: catalog.load_table(name).metadata_location for name in ALL if catalog.table_exists(name)}


def test_a_lake_is_made_whole_and_then_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake of 100% \u00e9")
    assert prepare_lake(settings) == list(ALL)
    catalog = open_catalog(settings)
    made = {name: catalog.load_table(name).metadata_location for name in ALL}
    assert prepare_lake(settings) == []
    assert {name: catalog.load_table(name).metadata_location for name in ALL} == made


def test_what_is_missing_is_made_and_the_rest_is_kept(own_lake: Settings) -> None:
    open_catalog(own_lake).drop_table(GOLD_HOURLY_SALES)
    assert prepare_lake(own_lake) == [GOLD_HOURLY_SALES]


def test_tables_are_as_their_contracts_say(own_lake: Settings) -> None:
    catalog = open_catalog(own_lake)
    for name in ALL:
        assert tuple(field.name for field in catalog.load_table(name).schema().fields) == columns_of(CONTRACTS[name])
    bronze = catalog.load_table(BRONZE_EVENTS)
    assert bronze.properties["comment"] == BronzeEvents.__doc__
    assert bronze.schema().find_field("payload").doc == "Value of the record, byte for byte."


def test_derived_tables_have_a_first_snapshot_because_a_branch_needs_an_ancestor(own_lake: Settings) -> None:
    catalog = open_catalog(own_lake)
    assert catalog.load_table(BRONZE_EVENTS).current_snapshot() is None
    assert catalog.load_table(SILVER_EVENTS).current_snapshot() is not None


def test_a_new_column_reaches_the_live_table_in_its_place_and_is_null_in_old_rows(
    own_lake: Settings, top_users: "Table", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, WithCountry)
    told = conform_table(open_catalog(own_lake), GOLD_TOP_USERS)
    live = top_users.refresh()
    assert told.metadata_location == live.metadata_location
    assert [field.name for field in live.schema().fields] == [
        "window",
        "rank",
        "country",
        "user_id",
        "purchases",
        "units",
        "revenue",
    ]
    country = live.schema().find_field("country")
    assert (country.field_type, country.required, country.doc) == (StringType(), False, "Where the shopper lives.")
    assert live.properties["comment"] == WithCountry.__doc__
    assert live.scan().to_arrow().to_pylist() == [{**ROW, "country": None}]


def test_a_table_is_changed_in_one_commit_and_then_left_alone(
    own_lake: Settings, top_users: "Table", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, WithCountry)
    before = _locations(own_lake)
    assert prepare_lake(own_lake) == []
    after = _locations(own_lake)
    assert {name for name in ALL if after[name] != before[name]} == {GOLD_TOP_USERS}
    assert top_users.refresh().metadata.metadata_log[-1].metadata_file == before[GOLD_TOP_USERS]
    assert prepare_lake(own_lake) == []
    assert _locations(own_lake) == after


def test_a_wider_decimal_keeps_the_old_values(
    own_lake: Settings, top_users: "Table", monkeypatch: pytest.MonkeyPatch
) -> None:
    @describes(table_of(TopUsers))
    class Wider(TopUsers):
        """The hundred shoppers with the most revenue in each window."""

        revenue: Annotated[T.DecimalType, 30, 2] = pa.Field(nullable=False, description="Much revenue.")

    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, Wider)
    prepare_lake(own_lake)
    revenue = top_users.refresh().schema().find_field("revenue")
    assert (revenue.field_type, revenue.required, revenue.doc) == (DecimalType(30, 2), True, "Much revenue.")
    assert top_users.scan().to_arrow()["revenue"].to_pylist() == [Decimal("9.99")]


def test_a_column_that_need_not_be_filled_any_more_may_be_null(
    own_lake: Settings, top_users: "Table", monkeypatch: pytest.MonkeyPatch
) -> None:
    @describes(table_of(TopUsers))
    class Anonymous(TopUsers):
        """The hundred shoppers with the most revenue in each window."""

        user_id: T.StringType = pa.Field(nullable=True, description="The shopper.")

    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, Anonymous)
    prepare_lake(own_lake)
    top_users.refresh()
    top_users.append(Rows.from_pylist([{**ROW, "user_id": None}], schema=top_users.schema().as_arrow()))
    assert top_users.scan().to_arrow()["user_id"].to_pylist() == [None, "u1"]


def test_a_property_that_was_changed_by_hand_comes_back_and_one_that_no_contract_names_stays(
    own_lake: Settings, top_users: "Table"
) -> None:
    with top_users.transaction() as by_hand:
        by_hand.set_properties({"comment": "Users.", "write.distribution-mode": "hash", "somebody.s.own": "yes"})
    prepare_lake(own_lake)
    live = top_users.refresh()
    assert live.properties["comment"] == TopUsers.__doc__
    assert live.properties["write.distribution-mode"] == "none"
    assert live.properties["somebody.s.own"] == "yes"


def test_columns_that_were_described_and_placed_by_hand_are_again_as_the_contract_has_them(
    own_lake: Settings, top_users: "Table"
) -> None:
    with top_users.update_schema() as by_hand:
        by_hand.update_column("rank", doc="Rank.")
        by_hand.move_first("revenue")
    prepare_lake(own_lake)
    live = top_users.refresh().schema()
    assert live.find_field("rank").doc == "1 for most revenue; ties break by id."
    assert tuple(field.name for field in live.fields) == columns_of(TopUsers)


def test_a_contract_that_is_refused_changes_no_table_and_makes_none(
    own_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_catalog(own_lake).drop_table(GOLD_HOURLY_SALES)
    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, WithCountry)
    monkeypatch.setitem(CONTRACTS, GOLD_CATEGORY_SALES, Unrelated)
    before = _locations(own_lake)
    with pytest.raises(IncompatibleContractError) as refused:
        prepare_lake(own_lake)
    assert str(refused.value) == (
        "gold.category_sales cannot follow its contract and stays as it is: revenue is decimal(24, 2) in the table and "
        "long in the contract (keep the type; a column of another name can have the new one)."
    )
    assert _locations(own_lake) == before


def test_a_column_that_no_contract_has_is_never_dropped(own_lake: Settings, top_users: "Table") -> None:
    with top_users.update_schema() as by_hand:
        by_hand.add_column("remark", StringType())
    with pytest.raises(IncompatibleContractError) as refused:
        conform_table(open_catalog(own_lake), GOLD_TOP_USERS)
    assert str(refused.value) == (
        "gold.top_users cannot follow its contract and stays as it is: remark (string) is in the table and not in the "
        "contract (give it back; as a nullable column it may stay empty)."
    )


class _OvertakenOnce:
    """A catalog in which somebody else changes a table between our look and our commit."""

    def __init__(self, catalog: "Catalog") -> None:
        self._catalog = catalog
        self.looks = 0

    def load_table(self, name: str) -> "Table":
        """The table as it was before the other changed it, the first time."""
        table = self._catalog.load_table(name)
        self.looks += 1
        if self.looks == 1:
            conform_table(self._catalog, name)
        return table


def test_a_table_that_another_process_brings_up_at_the_same_moment_is_looked_at_again(
    own_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTRACTS, GOLD_TOP_USERS, WithCountry)
    overtaken = _OvertakenOnce(open_catalog(own_lake))
    table = conform_table(cast("Catalog", overtaken), GOLD_TOP_USERS)
    assert overtaken.looks == 2
    assert tuple(field.name for field in table.schema().fields) == columns_of(WithCountry)
