"""Spark's UI and its metrics: one port for each driver, on loopback, and nothing that can be done there."""

import re
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.runtime.jars import Jars
from shoplake_assets.runtime.java import Java
from shoplake_assets.runtime.processes import urls
from shoplake_assets.runtime.spark import connect_command, ingest_conf
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings

NO_JARS = Jars(spark=(), kafka=())


def connect_conf(settings: Settings) -> dict[str, str]:
    command = connect_command(settings, Java(home=Path("/java"), version=21, source="system"), NO_JARS)
    pairs = (value.partition("=") for option, value in pairwise(command) if option == "--conf")
    return {key: value for key, _, value in pairs}


def test_each_driver_has_a_ui_on_a_port_of_its_own_that_it_keeps_to(settings: Settings) -> None:
    connect, ingest = connect_conf(settings), ingest_conf(settings, NO_JARS)
    assert connect["spark.ui.port"] == str(settings.spark.ui_port)
    assert ingest["spark.ui.port"] == str(settings.ingest.spark_ui_port)
    for conf in (connect, ingest):
        assert conf["spark.ui.enabled"] == "true"
        assert conf["spark.ui.killEnabled"] == "false"
        assert conf["spark.port.maxRetries"] == "0"


def test_the_ui_of_a_spark_that_exists_elsewhere_is_not_ours_to_show(settings: Settings) -> None:
    outside = settings.model_copy(
        update={"spark": settings.spark.model_copy(update={"remote": "sc://spark.example:15002"})}
    )
    assert urls(settings)["spark-ui"] == f"http://127.0.0.1:{settings.spark.ui_port}"
    assert "spark-ui" not in urls(outside)
    assert urls(outside)["ingest-ui"] == f"http://127.0.0.1:{settings.ingest.spark_ui_port}"


@pytest.mark.spark
def test_prometheus_can_read_a_running_spark_under_names_that_no_start_changes(stack: Settings) -> None:
    with internal_client(timeout=60) as client:
        answer = client.get(f"http://{LOOPBACK}:{stack.spark.ui_port}/metrics/prometheus/")
    values = dict(re.findall(r'^(\w+)\{type="\w+"\} (\S+)$', answer.text, re.MULTILINE))
    used, most = (float(values[f"metrics_shoplake_driver_jvm_heap_{what}_Value"]) for what in ("used", "max"))
    assert 0 < used < most <= stack.spark.memory_mb * 2**20
    assert len(values) == len(answer.text.splitlines())
    assert all(name.startswith("metrics_shoplake_driver_") for name in values)


@pytest.mark.spark
def test_the_ui_of_spark_listens_on_loopback_only(stack: Settings) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == stack.spark.ui_port
    }
    addresses = [ip_address(address) for address in listening]
    # Java listens on a socket for both families.
    plain = {str(ip.ipv4_mapped if isinstance(ip, IPv6Address) and ip.ipv4_mapped else ip) for ip in addresses}
    assert plain == {LOOPBACK}
