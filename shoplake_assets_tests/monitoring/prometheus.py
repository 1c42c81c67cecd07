"""A real Prometheus, as Debian packages it.

Belongs here: finding and running it. Does not belong here: what it is asked.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.sections import LOOPBACK
from shoplake_assets_tests.monitoring.watching import PROMETHEUS, read_yaml
from shoplake_assets_tests.waiting import wait_until

# More often than in earnest, so that a test need not wait for it.
_SECONDS = 3
_LISTENS = re.compile(r'msg="Listening on" address=(\S+)')


def program(name: str) -> str:
    """Where a program of Prometheus is; the test fails where it is not."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed; 'apt-get install prometheus' brings it", pytrace=False)
    return found


def promtool(*arguments: str) -> str:
    """Run `promtool`, and fail with its own words if it is not content."""
    done = subprocess.run(  # noqa: S603  what the tests say
        [program("promtool"), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False, timeout=120
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus.

    Attributes:
        address: Where it answers, as `host:port`.
    """

    address: str

    def is_ready(self) -> bool:
        """Whether it answers questions; for a moment after it has begun to listen, it does not."""
        with internal_client(timeout=30) as client:
            return client.get(f"http://{self.address}/-/ready").is_success

    def ask(self, path: str) -> Any:
        """The data of an answer of its API."""
        with internal_client(timeout=30) as client:
            return client.get(f"http://{self.address}/api/v1/{path}").raise_for_status().json()["data"]


@contextmanager
def watching(targets: Mapping[str, str], *, folder: Path) -> Iterator[Prometheus]:
    """Let a Prometheus with the repository's configuration watch a lake, and be asked at a port of its own choice.

    Args:
        targets: `host:port` of each job.
        folder: Where it may write.
    """
    configuration = folder / "prometheus.yaml"
    configuration.write_text(yaml.safe_dump(_configuration(targets)))
    log = folder / "prometheus.log"
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={LOOPBACK}:0",
    ]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:  # noqa: S603  above
        try:
            wait_until(lambda: process.poll() is not None or bool(_LISTENS.search(log.read_text())), what="it listens")
            found = _LISTENS.search(log.read_text())
            assert found, log.read_text()
            prometheus = Prometheus(found[1])
            wait_until(prometheus.is_ready, what="it is ready")
            yield prometheus
        finally:
            process.terminate()


def _configuration(targets: Mapping[str, str]) -> dict[str, Any]:
    """That of the repository, with other targets."""
    document: dict[str, Any] = read_yaml(PROMETHEUS / "prometheus.yaml")
    document["global"] = dict.fromkeys(document["global"], f"{_SECONDS}s")
    document["rule_files"] = [str(PROMETHEUS / file) for file in document["rule_files"]]
    for job in document["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    return document
