"""CSV exports: their form, and that a reader never sees half of one."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer

from shoplake_assets.assets.destination import Bucket, Folder, destination
from shoplake_assets.assets.exports import csv_of
from shoplake_assets.settings import load_settings

ROWS = pa.Table.from_pylist(
    [
        {
            "event_hour": datetime(2026, 3, 1, 10, tzinfo=UTC),
            "event_date": date(2026, 3, 1),
            "category": 'he said "hi", twice',
            "revenue": Decimal("10.10"),
            "average_order_value": None,
        }
    ],
    schema=pa.schema(
        [
            ("event_hour", pa.timestamp("us", tz="UTC")),
            ("event_date", pa.date32()),
            ("category", pa.string()),
            ("revenue", pa.decimal128(24, 2)),
            ("average_order_value", pa.decimal128(24, 2)),
        ]
    ),
)
TEXT = (
    "event_hour,event_date,category,revenue,average_order_value\r\n"
    '2026-03-01T10:00:00Z,2026-03-01,"he said ""hi"", twice",10.10,\r\n'
)


def test_a_file_has_exact_money_and_utc_times(tmp_path: Path) -> None:
    uri = Folder(tmp_path / "exports").write("gold_hourly_sales.csv", csv_of(ROWS), content_type="text/csv")
    file = tmp_path / "exports" / "gold_hourly_sales.csv"
    assert uri == file.as_uri()
    assert file.read_bytes().decode() == TEXT
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("x.csv", TEXT, content_type="text/csv")
    with pytest.raises(UnicodeEncodeError):
        folder.write("x.csv", "half a character: \ud800", content_type="text/csv")
    assert (tmp_path / "x.csv").read_bytes().decode() == TEXT
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.csv"]


def test_the_same_bytes_go_to_a_real_s3_api(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
            monkeypatch.setenv(f"AWS_{name}", value)
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="lake")
        settings = load_settings(exports={"destination": "s3://lake/daily/"}, s3={"endpoint": endpoint})
        place = destination(settings)
        assert place == Bucket("lake", "daily", settings.s3)
        stored_at = place.write("gold_top_users.csv", csv_of(ROWS), content_type="text/csv")
        assert stored_at == "s3://lake/daily/gold_top_users.csv"
        stored = client.get_object(Bucket="lake", Key="daily/gold_top_users.csv")
        assert (stored["Body"].read().decode(), stored["ContentType"]) == (TEXT, "text/csv")
    finally:
        server.stop()
