"""What the tests of the runtime share: a lake of their own, with ports of its own."""

from pathlib import Path

import pytest

from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A lake in a fresh folder, whose name has what file formats trip over."""
    home = tmp_path / "home of 100% \u00e9"
    home.mkdir()
    lake = Settings(home=home, runtime={"cache": tmp_path / "cache"})
    choose_free_ports(lake)
    return Settings(home=home, runtime={"cache": tmp_path / "cache"})
