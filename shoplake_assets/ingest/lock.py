"""One writer: the lock that an ingest holds on its lake.

Belongs here: taking the lock and saying who has it. The kernel lets go of it when the holder dies, however it dies.
The writer is two processes, Python and the JVM, which can commit for a moment after Python was killed. So the JVM
inherits the lock, which is free once both are gone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.supervision import is_alive

if TYPE_CHECKING:
    from pathlib import Path

    from shoplake_assets.settings import Settings

# A JVM ends when its Python is gone; it is given as long as a batch may take.
_ORPHAN_SECONDS = 30


class _OrphanError(ShoplakeError):
    """Who took the lock is dead, and what it started is not yet."""


@contextmanager
def single_writer(settings: "Settings") -> Iterator[int]:
    """Hold the lake's writer lock; gives its file descriptor, which a child that shall hold it as well must inherit.

    A JVM whose ingest was killed is waited for.

    Raises:
        ShoplakeError: Another ingest holds it; the message says which.
    """
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "ingest.pid"
    descriptor = os.open(folder / "ingest.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, holder, settings)
        holder.write_text(str(os.getpid()))
        yield descriptor
    finally:
        # Not unlocked: that would take it from the JVM, too.
        os.close(descriptor)


@retry(
    retry=retry_if_exception_type(_OrphanError),
    stop=stop_after_delay(_ORPHAN_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)
def _acquire(descriptor: int, holder: "Path", settings: "Settings") -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = holder.read_text() if holder.exists() else ""
        if pid and not is_alive(int(pid)):
            raise _OrphanError(
                f"the Spark of process {pid}, which has ended, still ingests into {settings.home} after "
                f"{_ORPHAN_SECONDS} s. Kill that JVM; 'fuser {holder.with_suffix('.lock')}' names it."
            ) from error
        raise ShoplakeError(
            f"process {pid or 'unknown'} already ingests into {settings.home}. "
            "Stop it first, or set SHOPLAKE_HOME to another lake."
        ) from error
