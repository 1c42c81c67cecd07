"""A product that runs as its user starts it: by the `shoplake` command, in a home of its own, on free ports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog, load_catalog


@dataclass(frozen=True)
class Product:
    """The `shoplake` command for one home."""

    home: Path

    def run(self, *arguments: str, check: bool = True, timeout: float = 400) -> "subprocess.CompletedProcess[str]":
        """Run a command for so many seconds at most, give what it said, and fail with its own words if it fails."""
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "shoplake_assets.cli.main", *arguments],
            env={**os.environ, "SHOPLAKE_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"shoplake {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command with `--json` and give its document."""
        document: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return document

    def read(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        rows: list[dict[str, Any]] = self.catalog.load_table(table).scan().to_arrow().to_pylist()
        return rows

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, opened with nothing but what `status --json` tells."""
        told = self.json("status")["catalog"]
        return load_catalog(told["name"], **told["properties"])

    def numbers(self) -> dict[str, list[str]]:
        """All rows of Silver and Gold as text, in an order that does not depend on files."""
        tables = [name for name in self.json("status")["tables"] if not name.startswith("bronze.")]
        return {name: sorted(str(row) for row in self.read(name)) for name in tables}


@contextmanager
def started(home: Path) -> Iterator[Product]:
    """A started product without generator; stopped at the end, whatever a test did to it."""
    product = Product(home)
    product.run("up", "-d", "--no-generator", "--ports", "auto")
    try:
        yield product
    finally:
        product.run("down")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product for the tests of a module."""
    with started(tmp_path_factory.mktemp("product") / "home") as product:
        yield product
