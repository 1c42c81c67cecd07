"""The processes of a running product, by the part they play.

Belongs here: finding and signalling them. Does not belong here: what a fault is.
"""

import signal
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from shoplake_assets.runtime.supervision import process_states

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

INGEST_JVM, REFRESH = "ingest JVM", "refresh"

_GONE_SECONDS = 10


def find(settings: "Settings", role: str) -> list[psutil.Process]:
    """The living processes of a role: one for what the supervisor keeps, any number of runs."""
    if role == INGEST_JVM:
        return [child for child in _below(settings, "ingest") if child.name() == "java"]
    if role == REFRESH:
        return [child for child in _below(settings, "code-server") if _runs(child)]
    pid = process_states(settings, probes={})[role].pid
    return [psutil.Process(pid)] if pid is not None and psutil.pid_exists(pid) else []


def supervisor_of(role: str) -> str | None:
    """Which of the supervisor's processes is replaced when the role dies; None for a run."""
    return {INGEST_JVM: "ingest", REFRESH: None}.get(role, role)


def kill(processes: list[psutil.Process]) -> None:
    """`kill -9`, and wait until they are gone."""
    for process in processes:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=_GONE_SECONDS)


def _below(settings: "Settings", role: str) -> list[psutil.Process]:
    return [child for process in find(settings, role) for child in _children(process)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        children: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return children


def _runs(process: psutil.Process) -> bool:
    """Whether a process below the code server executes a run: it is forked from the server that keeps runs warm."""
    try:
        return _is_forkserver(process.parent()) and _is_forkserver(process)
    except psutil.NoSuchProcess:
        return False


def _is_forkserver(process: psutil.Process | None) -> bool:
    # What is forked keeps the command of what it was forked from.
    return process is not None and "multiprocessing.forkserver" in " ".join(process.cmdline())
