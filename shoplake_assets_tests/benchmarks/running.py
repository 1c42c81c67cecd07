"""A lake of its own for a benchmark, and what every report says of the machine.

Belongs here: what several benchmarks share. Does not belong here: any measurement.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from shoplake_assets.runtime.jars import ICEBERG_VERSION, KAFKA_VERSION
from shoplake_assets.settings import PREFIX, Settings

_PACKAGES = ("dagster", "pyspark", "pyiceberg", "confluent-kafka")


@contextmanager
def running_lake(**given: object) -> Iterator[Settings]:
    """A lake in a folder that is removed afterwards, on free ports, started and stopped as a user does.

    Args:
        given: Settings, by their names behind the prefix: `GENERATOR__RATE=200`.
    """
    with tempfile.TemporaryDirectory(prefix="shoplake-bench-") as folder:
        home = Path(folder) / "home"
        own = {f"{PREFIX}{name}": str(value) for name, value in {"HOME": home, **given}.items()}
        shoplake = [sys.executable, "-m", "shoplake_assets.cli.main"]
        subprocess.run([*shoplake, "up", "-d", "--ports", "auto"], env={**os.environ, **own}, check=True)  # noqa: S603  our own
        try:
            yield Settings(home=home)
        finally:
            subprocess.run([*shoplake, "down"], env={**os.environ, **own}, check=True)  # noqa: S603  our own


def about(**versions: str) -> dict[str, Any]:
    """The machine, the day and the versions; those of what else took part are given."""
    return {
        "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} on {platform.machine()}",
        "measured_on": datetime.now(UTC).date().isoformat(),
        "load_before": os.getloadavg()[0],
        "versions": {
            "python": platform.python_version(),
            "iceberg": ICEBERG_VERSION,
            "kafka": KAFKA_VERSION,
            **{package: version(package) for package in _PACKAGES},
            **versions,
        },
    }
