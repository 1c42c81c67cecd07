"""The image's recipe, and the one program in it that is not of the package."""

import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from shoplake_assets_tests.docker.composing import DOCKER, ROOT

RECIPE = (DOCKER / "Dockerfile").read_text()
SPARK_READY = runpy.run_path(str(DOCKER / "spark_ready.py"))
# What a master of Spark 4.1 answers, shortened to what is asked for.
STATE = (
    b'{"url": "spark://m:7077", "status": "ALIVE", "workers": ['
    b'{"host": "one", "port": 7078, "state": "ALIVE"}, {"host": "two", "port": 7079, "state": "DEAD"}]}'
)


@pytest.mark.skipif(
    platform.machine() != "x86_64" and "CI" not in os.environ, reason="hadolint's wheel is for x86-64 only"
)
def test_hadolint_is_content() -> None:
    found = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert found, "hadolint is not installed; the extra 'test' brings it"
    done = subprocess.run([found, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603  found above
    assert (done.returncode, done.stdout) == (0, "")


def test_every_base_is_pinned_and_the_last_stage_is_nobody_of_importance() -> None:
    assert re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE) == ["python:3.12.13-slim-trixie", "base", "base"]
    last = RECIPE[RECIPE.rindex("\nFROM ") :]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10000:10000"]
    assert "pip install" not in last


def test_the_jars_of_the_lock_are_in_the_image_where_its_processes_look_for_them() -> None:
    assert "SHOPLAKE_RUNTIME__CACHE=/opt/shoplake/cache python -m shoplake_assets.runtime.jars fetch" in RECIPE
    assert RECIPE.count("SHOPLAKE_RUNTIME__CACHE=/opt/shoplake/cache") == 2


def test_what_is_copied_from_here_exists_and_is_let_into_the_build() -> None:
    let_in = {line.removeprefix("!") for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()}
    copies = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", RECIPE, re.MULTILINE)
    sources = {source for copy in copies for source in copy.split()}
    assert sources == {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "shoplake_assets",
        "docker/spark_ready.py",
    }
    assert sources <= let_in
    assert all((ROOT / source).exists() for source in sources)


@pytest.fixture(scope="module")
def master() -> Iterator[str]:
    """A server that answers as a master does."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/json/" else 404)
            self.end_headers()
            self.wfile.write(STATE if self.path == "/json/" else b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("worker", "ready"),
    [((), True), (("one", "7078"), True), (("two", "7079"), False), (("one", "7079"), False), (("new", "1"), False)],
)
def test_spark_is_ready_if_its_master_says_so(master: str, worker: tuple[str, ...], *, ready: bool) -> None:
    assert SPARK_READY["main"](master, *worker) is ready


def test_a_master_in_recovery_is_not_ready() -> None:
    assert SPARK_READY["is_ready"]({"status": "RECOVERING", "workers": []}, None) is False


def test_a_master_that_does_not_answer_is_not_ready() -> None:
    assert SPARK_READY["main"]("http://127.0.0.1:1") is False
