"""A lake that an earlier release has made is opened, verified and refreshed by this one.

The lakes are kept as their releases left them: Gold behind Silver, Silver behind Bronze because its refresh is blocked,
gaps with and without somebody's note. Kafka is not kept; what it held is written down beside the lake.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.ingest.checkpoint import first_offsets
from shoplake_assets.lake.branches import audit_branches
from shoplake_assets.lake.catalog import open_catalog, spark_catalog_conf
from shoplake_assets.lake.gaps import read_gaps
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.lake.position import KafkaRange, Position
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.lake.session import open_session
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.lake.verify.quick import verify_quickly
from shoplake_assets.runtime.dagster_home import dagster_folder, make_storage, prepare_dagster
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets.tables import BRONZE_EVENTS, BRONZE_GAPS, DERIVED, SILVER_EVENTS
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.lake.verifying import full, unproven, wrong
from shoplake_assets_tests.upgrade.kept import ARCHIVES, HOME, Kept, as_text, at_its_place, unpack

BECAUSE = "the producer of that day is known"


@pytest.fixture(params=ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.zst"))
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """A kept lake, in its place, and what was written down of it."""
    with at_its_place(tmp_path):
        yield unpack(request.param, tmp_path)


@pytest.fixture
def old(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the kept lake, as this release reads them."""
    monkeypatch.setenv("SHOPLAKE_HOME", str(HOME))
    return load_settings()


@contextmanager
def opened(old: Settings, stack: Settings) -> Iterator[Shop]:
    """The kept lake, with a session that sees its catalog on the Spark of all tests."""
    with open_session(stack) as spark:
        for key, value in spark_catalog_conf(old).items():
            if key.startswith("spark.sql.catalog."):
                spark.conf.set(key, value)
        yield Shop(Lake(open_catalog(old), spark))


def kafka_of(kept: Kept) -> KafkaRange:
    """What Kafka held when the lake was made."""
    begin, end = (
        Position.of_topic(kept.topic_id, {int(partition): offset for partition, offset in kept.kafka[name].items()})
        for name in ("begin", "end")
    )
    return KafkaRange(begin=begin, end=end)


def expect_rows(shop: Shop, expected: Mapping[str, list[dict[str, Any]]]) -> None:
    """Every table of Silver and Gold holds these rows; columns that it has gained since are left out."""
    assert set(expected) >= {SILVER_EVENTS}
    assert set(expected) <= set(DERIVED)
    for table, rows in expected.items():
        assert as_text(shop.read(table), columns=rows[0]) == rows, table


def test_there_is_a_lake_of_the_first_release() -> None:
    assert [archive.name for archive in ARCHIVES][:1] == ["lake-0.1.0.tar.zst"]


def test_a_setting_that_was_renamed_is_told_with_its_name_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "SHOPLAKE_EXPORTS__S3_ENDPOINT is SHOPLAKE_S3__ENDPOINT now"
    (tmp_path / "settings.json").write_text('{"exports": {"s3_endpoint": "http://127.0.0.1:9000"}}')
    with pytest.raises(ShoplakeError, match=told):
        load_settings(home=tmp_path)
    monkeypatch.setenv("SHOPLAKE_EXPORTS__S3_ENDPOINT", "http://127.0.0.1:9000")
    with pytest.raises(ShoplakeError, match=told):
        load_settings()


def test_the_home_of_an_earlier_release_is_read(kept: Kept, old: Settings) -> None:
    told = old.model_dump()
    assert {section: {name: told[section][name] for name in kept.settings[section]} for section in kept.settings} == (
        kept.settings
    )
    assert first_offsets(old, kept.topic_id) == {int(number): first for number, first in kept.first_offsets.items()}
    catalog = open_catalog(old)
    gaps = read_gaps(catalog.load_table(BRONZE_GAPS))
    assert [
        {"partition": gap.partition, "first": gap.first, "last": gap.last, "because": gap.because} for gap in gaps
    ] == kept.gaps
    assert {gap.topic_id for gap in gaps} == {kept.topic_id}
    found = verify_quickly(catalog, kafka=lambda: None)
    assert (wrong(found), found.holds) == ({}, True)
    assert "Kafka does not answer" in unproven(found)[BRONZE_EVENTS, "kafka"]


def test_dagsters_storage_of_an_earlier_release_is_taken_over(old: Settings) -> None:
    prepare_dagster(old)
    make_storage(dagster_folder(old))


@pytest.mark.spark
def test_a_lake_of_an_earlier_release_is_verified_and_refreshed_row_for_row(
    kept: Kept, old: Settings, stack: Settings
) -> None:
    prepare_lake(old)
    with opened(old, stack) as shop:
        assert len(shop.read(BRONZE_EVENTS)) == kept.bronze
        expect_rows(shop, kept.published)
        found = full(shop, kafka=kafka_of(kept))
        assert (wrong(found), unproven(found), found.holds) == ({}, {}, True)

        assert len(audit_branches(shop.lake.table(SILVER_EVENTS))) == 1
        with pytest.raises(AuditFailedError, match="60 of 680 records go to quarantine"):
            shop.refresh_silver()
        shop.refresh(acceptance=Acceptance(because=BECAUSE))
        expect_rows(shop, kept.refreshed)
        found = full(shop, kafka=kafka_of(kept))
        assert (wrong(found), unproven(found), found.holds) == ({}, {}, True)
