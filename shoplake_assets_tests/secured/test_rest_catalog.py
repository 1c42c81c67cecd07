"""A lake whose catalog is an Iceberg REST service that demands a token, and what becomes of the token."""

import os
import subprocess
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.session import close_session
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.lake.verify.quick import verify_quickly
from shoplake_assets.runtime import home
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.runtime.preparation import prepare_process
from shoplake_assets.runtime.probes import probes
from shoplake_assets.runtime.spark import without_spark
from shoplake_assets.settings import load_settings
from shoplake_assets.tables import GOLD_HOURLY_SALES, SILVER_EVENTS
from shoplake_assets_tests.building import Fates, Shop, purchase
from shoplake_assets_tests.secured import looking
from shoplake_assets_tests.secured.rest import rest_catalog
from shoplake_assets_tests.waiting import wait_until

pytestmark = pytest.mark.spark

TOKEN = "unmistakeable-token"  # noqa: S105  what the gate demands


def test_a_lake_in_a_rest_catalog_is_filled_refreshed_and_verified_and_its_token_is_nowhere_to_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.sql import SparkSession

    connect, interface = free_ports(2)
    monkeypatch.setenv("SHOPLAKE_CATALOG__TOKEN", TOKEN)
    monkeypatch.setenv("SHOPLAKE_SPARK__CONNECT_PORT", str(connect))
    monkeypatch.setenv("SHOPLAKE_SPARK__UI_PORT", str(interface))
    with rest_catalog(load_settings(), tmp_path / "rest", token=TOKEN) as gate:
        monkeypatch.setenv("SHOPLAKE_CATALOG__URI", gate.url)
        settings = load_settings()
        home.create_home(settings)
        spec = prepare_process(settings, "spark")
        log = tmp_path / "spark.log"
        environment = without_spark(os.environ) | dict(spec.environment)
        with (
            log.open("wb") as output,
            subprocess.Popen(spec.command, env=environment, stdout=output, stderr=output) as process,  # noqa: S603  ours
        ):
            try:
                prepare_lake(settings)
                assert gate.agents == {"PyIceberg"}
                wait_until(lambda: probes(settings)["spark"](0.0), what="Spark answers")
                session = SparkSession.builder.remote(settings.spark_remote).create()
                try:
                    shop = Shop(Lake(open_catalog(settings), session))
                    shop.produce(purchase(event_id="a", at="2026-03-01T10:00:00Z"), b"bad")
                    shop.produce(purchase(event_id="b", at="2026-03-01T10:30:00Z"))
                    shop.refresh()
                    assert shop.fates() == Fates(silver=2, quarantine=1)
                    assert [row["purchases"] for row in shop.read(GOLD_HOURLY_SALES)] == [2]
                    assert set(shop.lake.table(SILVER_EVENTS).refs()) == {"main"}
                    assert len(gate.agents) == 2
                    assert gate.refused == 0
                    shown = [*looking.spark_pages(f"http://127.0.0.1:{interface}"), *looking.command_lines()]
                    seen = [str(row) for row in session.sql("SET").collect()]
                finally:
                    close_session(session)
                verified = verify_quickly(open_catalog(settings), kafka=lambda: None)
                assert verified.holds, verified.proofs
                # Spark reads it from this file, which is its owner's alone.
                told = settings.home / "spark" / "conf" / "spark-defaults.conf"
                assert (told.parent.stat().st_mode & 0o777, TOKEN in told.read_text()) == (0o700, True)
                left = looking.files(tmp_path, but=[told])
                content = [*shown, *left, ("SET", "\n".join(seen))]
                assert looking.places_with(TOKEN, content) == []
            finally:
                process.terminate()


def test_a_rest_catalog_that_refuses_or_is_not_there_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rest_catalog(load_settings(), tmp_path / "rest", token=TOKEN) as gate:
        monkeypatch.setenv("SHOPLAKE_CATALOG__URI", gate.url)
        monkeypatch.setenv("SHOPLAKE_CATALOG__TOKEN", "unmistakeably-wrong")
        with pytest.raises(ShoplakeError, match=r"NotAuthorizedException: no\. See SHOPLAKE_CATALOG__URI") as refused:
            open_catalog(load_settings())
    assert "unmistakeably" not in str(refused.value)
    with pytest.raises(ShoplakeError, match=f"the catalog at {gate.url} says: .* See SHOPLAKE_CATALOG__URI and"):
        open_catalog(load_settings())
