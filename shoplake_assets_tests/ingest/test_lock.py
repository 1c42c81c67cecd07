"""One writer: who holds the lock, and who inherits it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.settings import Settings
from shoplake_assets_tests.waiting import wait_until

# Takes the lock, hands it to a child that ends with its own input, tells the child's process id, and is killed.
_HOLDER = """
import os, signal, subprocess, sys
from pathlib import Path
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.settings import Settings

with single_writer(Settings(home=Path(sys.argv[1]))) as lock:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=(lock,))
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
_WAITER = """
import sys
from pathlib import Path
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.settings import Settings

print("asks", flush=True)
with single_writer(Settings(home=Path(sys.argv[1]))):
    print("has it", flush=True)
"""


def test_one_writer_holds_a_lake_and_lets_go_of_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    refused = pytest.raises(ShoplakeError, match=f"process {os.getpid()} already ingests")
    with single_writer(settings), single_writer(Settings(home=tmp_path / "other")), refused, single_writer(settings):
        pass
    with single_writer(settings):
        pass


def test_what_a_killed_ingest_has_started_still_holds_the_lake_and_is_waited_for(tmp_path: Path) -> None:
    home = str(tmp_path / "lake")
    with subprocess.Popen(  # noqa: S603  the program is written above
        [sys.executable, "-c", _HOLDER, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        orphan = int(holder.stdout.readline())
        assert holder.wait(timeout=30) == -9
        with subprocess.Popen(  # noqa: S603  the program is written above
            [sys.executable, "-c", _WAITER, home], stdout=subprocess.PIPE, text=True
        ) as waiter:
            assert waiter.stdout is not None
            assert waiter.stdout.readline() == "asks\n"
            lock = tmp_path / "lake" / "run" / "ingest.lock"
            wait_until(lambda: _has_open(waiter.pid, lock), what="the second ingest asks for the lock")
            assert _has_open(orphan, lock)
            assert waiter.poll() is None
            holder.stdin.close()  # the orphan's input ends, as that of a JVM does
            assert waiter.stdout.readline() == "has it\n"
            assert waiter.wait(timeout=30) == 0


def _has_open(pid: int, path: Path) -> bool:
    return any(os.path.realpath(link) == str(path) for link in Path(f"/proc/{pid}/fd").iterdir())
