"""What is said when the JVM of the ingest dies, or only a call fails.

A JVM that dies in the middle of an answer cannot be made to order, so a process stands in for it here, and py4j's words
are those that were seen; `test_recovery` kills the real one.
"""

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from py4j.protocol import Py4JError, Py4JNetworkError  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.ingest import driver
from shoplake_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN_OFF = Py4JError("An error occurred while calling o124.isActive")


@pytest.fixture
def jvm(monkeypatch: pytest.MonkeyPatch) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that lives until it is killed, in the place of the JVM."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        monkeypatch.setattr(driver, "_NOTICE_SECONDS", 0.1)
        monkeypatch.setattr(driver, "_launch", lambda *_args, **_options: driver.Driver(Mock(), process))
        yield process
        process.kill()


@pytest.mark.parametrize("error", [BROKEN_OFF, Py4JNetworkError("Answer from Java side is empty"), ConnectionError()])
def test_a_jvm_that_was_killed_is_told_however_py4j_notices(
    jvm: "subprocess.Popen[bytes]", error: Exception, tmp_path: Path
) -> None:
    jvm.kill()
    with (
        pytest.raises(ShoplakeError, match=rf"process {jvm.pid}\) was ended by signal 9"),
        driver.spark_driver(Settings(home=tmp_path), inherits=0),
    ):
        raise error


def test_a_jvm_that_lives_and_is_silent_is_told(jvm: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    with (
        pytest.raises(ShoplakeError, match=rf"process {jvm.pid}\) does not answer any more"),
        driver.spark_driver(Settings(home=tmp_path), inherits=0),
    ):
        raise Py4JNetworkError("Answer from Java side is empty")


@pytest.mark.usefixtures("jvm")
def test_an_error_of_a_jvm_that_lives_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(Py4JError) as raised, driver.spark_driver(Settings(home=tmp_path), inherits=0):
        raise BROKEN_OFF
    assert raised.value is BROKEN_OFF


def test_a_port_of_the_ui_that_is_taken_is_told_before_a_jvm_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings(home=tmp_path, ingest={"spark_ui_port": port})
        with (
            pytest.raises(ShoplakeError, match=rf"port {port} is taken by .* set SHOPLAKE_INGEST__SPARK_UI_PORT"),
            driver.spark_driver(settings, inherits=0),
        ):
            raise AssertionError("started")
