"""How many tasks a table is read by."""

from datetime import timedelta

import pyarrow as pa  # type: ignore[import-untyped]
import pyspark.sql.functions as F  # noqa: N812, TID253  needs a session
import pytest

from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.lake.conftest import FIRST_TIME

pytestmark = pytest.mark.spark

_FILES = 200


def test_many_small_files_are_read_by_few_tasks(shop: Shop, settings: Settings) -> None:
    table = shop.lake.table(BRONZE_EVENTS)
    row = {"topic": "shop-events", "topic_id": "one", "partition": 0, "ingested_at": FIRST_TIME}
    hours = [
        {**row, "offset": number, "kafka_timestamp": FIRST_TIME + timedelta(hours=number)} for number in range(_FILES)
    ]
    table.append(pa.Table.from_pylist(hours, schema=table.schema().as_arrow()))
    assert table.inspect.files().num_rows == _FILES

    rows = shop.lake.rows_of(shop.lake.table(BRONZE_EVENTS))
    assert rows.count() == _FILES
    assert rows.select(F.spark_partition_id()).distinct().count() <= 2 * settings.spark.cores
