"""The broker's configuration."""

from pathlib import Path

from shoplake_assets.runtime.broker import server_properties
from shoplake_assets.settings import Settings


def test_the_broker_listens_on_the_loopback_interface_only_and_makes_no_topics_by_itself(tmp_path: Path) -> None:
    properties = server_properties(Settings(home=tmp_path, kafka={"port": 1111, "controller_port": 2222}))
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1111"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:2222"
    assert properties["auto.create.topics.enable"] == "false"
    assert properties["log.dirs"] == str(tmp_path / "kafka" / "data")
