"""How Shoplake's clients are set up."""

from pathlib import Path

from shoplake_assets.events.broker import client_options
from shoplake_assets.settings import Settings


def test_a_machine_without_a_network_can_resolve_its_own_broker(tmp_path: Path) -> None:
    """Any single address family makes the resolver ignore the loopback while no other interface is up."""
    assert "broker.address.family" not in client_options(Settings(home=tmp_path))
