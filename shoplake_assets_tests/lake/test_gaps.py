"""The rows of `bronze.gaps`, in a real table."""

from dataclasses import replace
from datetime import UTC, datetime

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import Gap, acknowledge_gaps, read_gaps, record_gaps
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_GAPS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = Gap(topic_id="T", partition=0, first=10, last=19, found_at=NOW)
SECOND = Gap(topic_id="T", partition=1, first=0, last=0, found_at=NOW)


def recorded(settings: Settings) -> list[Gap]:
    return read_gaps(open_catalog(settings).load_table(BRONZE_GAPS))


def test_a_gap_is_recorded_once_however_often_it_is_found(own_lake: Settings) -> None:
    catalog = open_catalog(own_lake)
    assert recorded(own_lake) == []
    record_gaps(catalog, [SECOND, FIRST])
    record_gaps(catalog, [FIRST])
    assert recorded(own_lake) == [FIRST, SECOND]
    assert (FIRST.events, SECOND.events) == (10, 1)


def test_a_gap_that_grew_is_open_again(own_lake: Settings) -> None:
    catalog = open_catalog(own_lake)
    record_gaps(catalog, [FIRST, SECOND])
    acknowledge_gaps(catalog, [FIRST], because="the disk was full for a day", at=NOW)
    noted = replace(FIRST, acknowledged_at=NOW, because="the disk was full for a day")
    assert recorded(own_lake) == [noted, SECOND]
    record_gaps(catalog, [FIRST])
    assert recorded(own_lake) == [noted, SECOND]
    grown = replace(FIRST, last=25)
    record_gaps(catalog, [grown])
    assert recorded(own_lake) == [grown, SECOND]
    acknowledge_gaps(catalog, [FIRST], because="too late", at=NOW)
    assert recorded(own_lake) == [grown, SECOND]


def test_a_gap_takes_the_place_of_those_within_it_after_a_rollback(own_lake: Settings) -> None:
    catalog = open_catalog(own_lake)
    beside = replace(FIRST, topic_id="another")
    record_gaps(catalog, [FIRST, SECOND, beside, replace(FIRST, first=30, last=39)])
    acknowledge_gaps(catalog, [FIRST], because="a long weekend", at=NOW)
    wider = replace(FIRST, first=5, last=29)
    record_gaps(catalog, [wider])
    assert recorded(own_lake) == [wider, replace(FIRST, first=30, last=39), SECOND, beside]
    assert sum(gap.events for gap in recorded(own_lake)) == 25 + 10 + 1 + 10
