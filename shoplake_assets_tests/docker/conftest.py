"""The settings of a pod.

Belongs here: what a container's environment and its mounted secrets make of the settings. Does not belong here: what
has to be true of them.
"""

import os
from pathlib import Path

import pytest

from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.docker.kustomize import named


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a pod: those of the ConfigMap, and secrets in files as Kubernetes mounts them."""
    for name in [name for name in os.environ if name.startswith("SHOPLAKE_")]:
        monkeypatch.delenv(name)
    for name, value in named("base", "ConfigMap", "shoplake")["data"].items():
        monkeypatch.setenv(name, value)
    mounted = tmp_path / "..2026_11_28"
    mounted.mkdir()
    (tmp_path / "..data").symlink_to(mounted)
    for secret in ("shoplake_kafka__password", "shoplake_catalog__password"):
        (mounted / secret).write_text("from-a-file")
        (tmp_path / secret).symlink_to(f"..data/{secret}")
    return load_settings(secrets=tmp_path)
