"""Making the lake's tables."""

from pathlib import Path

from shoplake_assets.contracts.bronze import BronzeEvents
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS


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
