"""Ports that are taken, and ports that are found."""

import json
import os
import socket
from collections.abc import Iterator

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.ports import check_ports, choose_free_ports, is_free, lake_ports
from shoplake_assets.settings import Settings


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def with_kafka_port(settings: Settings, port: int) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"port": port})})


def test_a_taken_port_names_the_process_the_setting_and_the_way_out(
    settings: Settings, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(ShoplakeError) as caught:
        check_ports(with_kafka_port(settings, port))
    assert str(caught.value).startswith(f"port {port} is taken by process {os.getpid()} (")
    assert str(caught.value).endswith(
        "). Stop it, or set SHOPLAKE_KAFKA__PORT; 'shoplake up --ports auto' finds free ones."
    )


def test_a_port_that_two_settings_share_is_named_with_both(settings: Settings) -> None:
    with pytest.raises(ShoplakeError, match="set twice, by SHOPLAKE_KAFKA__PORT and SHOPLAKE_DASHBOARD__PORT"):
        check_ports(with_kafka_port(settings, settings.dashboard.port))


def test_auto_replaces_only_what_is_taken_and_keeps_it_for_the_next_start(
    settings: Settings, listener: socket.socket
) -> None:
    taken = listener.getsockname()[1]
    settings.settings_file.write_text(json.dumps({"currency": "EUR", "kafka": {"topic": "mine"}}))
    changed = choose_free_ports(with_kafka_port(settings, taken))
    again = Settings(home=settings.home)
    assert changed == {"kafka": {"port": again.kafka.port}}
    assert again.kafka.port != taken
    assert again.dashboard.port == settings.dashboard.port
    assert (again.currency, again.kafka.topic) == ("EUR", "mine")
    check_ports(again)


def test_ports_of_services_that_exist_elsewhere_are_not_needed(settings: Settings) -> None:
    outside = settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"bootstrap": "kafka:9092"}),
            "spark": settings.spark.model_copy(update={"remote": "sc://spark:15002"}),
        }
    )
    assert {port.section for port in lake_ports(outside)} == {"ingest", "dagster", "dashboard"}


def test_a_port_is_free_again_once_its_listener_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
