"""What the processes of runs are forked from."""

import subprocess
import sys

from shoplake_assets.code_server import WARM

_SCRIPT = """
import importlib, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
print([thread.name for thread in threading.enumerate()])
"""


def test_all_that_is_imported_beforehand_is_there_and_leaves_no_thread_that_a_fork_would_lose() -> None:
    # The fork server itself says nothing of a module that it does not find.
    run = subprocess.run([sys.executable, "-c", _SCRIPT, *WARM], capture_output=True, text=True, check=True)  # noqa: S603  our own
    assert run.stdout.strip() == "['MainThread']"
