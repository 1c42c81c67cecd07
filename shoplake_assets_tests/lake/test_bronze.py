"""How far Bronze reaches, from its metadata and, where that does not tell, from its rows."""

from datetime import datetime

import pytest

from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.snapshots import live_files
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.building import TOPIC_ID, Shop, event

pytestmark = pytest.mark.spark


def test_files_that_mix_kafka_partitions_are_read_row_by_row(shop: Shop) -> None:
    newest = "2026-06-01T00:40:00+00:00"
    for partition, count in ((0, 2), (1, 5)):
        shop.produce(*(event(event_id=f"{partition}{one}") for one in range(count)), partition=partition)
    shop.produce(event(event_id="z"), partition=1, kafka_time=newest)
    options = "map('rewrite-all', 'true')"
    shop.lake.spark.sql(
        f"CALL lake.system.rewrite_data_files(table => '{BRONZE_EVENTS}', options => {options})"
    ).collect()
    bronze = shop.lake.table(BRONZE_EVENTS)
    current = bronze.current_snapshot()
    assert current is not None
    assert [file.record_count for file in live_files(bronze, current)] == [8]
    assert bronze_reach(bronze, known=Reach()) == Reach(
        snapshot_id=current.snapshot_id,
        position=Position.of_topic(TOPIC_ID, {0: 2, 1: 6}),
        newest=datetime.fromisoformat(newest),
    )
