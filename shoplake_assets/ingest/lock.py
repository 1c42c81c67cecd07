"""One writer: the lock that an ingest holds on its lake.

Belongs here: taking the lock and saying who has it. The kernel lets go of it when the holder dies, however it dies.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings


@contextmanager
def single_writer(settings: "Settings") -> Iterator[None]:
    """Hold the lake's writer lock.

    Raises:
        ShoplakeError: Another ingest holds it; the message says which.
    """
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "ingest.pid"
    lock = FileLock(folder / "ingest.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        pid = holder.read_text() if holder.exists() else "unknown"
        raise ShoplakeError(
            f"process {pid} already ingests into {settings.home}. Stop it first, or set SHOPLAKE_HOME to another lake."
        ) from error
    try:
        holder.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()
