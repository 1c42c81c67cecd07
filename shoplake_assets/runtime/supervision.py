"""Keeping the processes of a lake running, by supervisord.

Belongs here: starting it, stopping it, asking it. Does not belong here: which processes (`processes`), its
configuration (`supervisor_conf`), whether a process is ready (`probes`). supervisord is in a session of its own, so
that it outlives the terminal; whoever knows the home can talk to it through its socket.
"""

import os
import re
import subprocess
import sys
import time
import xmlrpc.client
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime import probes as probing
from shoplake_assets.runtime.spark import without_spark
from shoplake_assets.runtime.supervisor_conf import (
    configuration,
    configuration_file,
    pid_file,
    prepare_socket_folder,
    process_log,
    socket_path,
    supervisor_log,
)

if TYPE_CHECKING:
    from shoplake_assets.runtime.processes import ProcessSpec
    from shoplake_assets.settings import Settings

State = Literal["running", "starting", "backoff", "stopping", "stopped", "exited", "fatal", "unknown"]

STATES: Mapping[str, State] = {
    "RUNNING": "running",
    "STARTING": "starting",
    "BACKOFF": "backoff",
    "STOPPING": "stopping",
    "STOPPED": "stopped",
    "EXITED": "exited",
    "FATAL": "fatal",
    "UNKNOWN": "unknown",
}
ANSWER_SECONDS = 20
# More than all processes together may take, stage after stage.
STOP_SECONDS = 200
ORPHAN_SECONDS = 30
POLL_SECONDS = 0.1
# Starts that fail one after the other; a process of a new lake that has come so far is broken and not slow.
FAILED_STARTS = 5


@dataclass(frozen=True)
class ProcessState:
    """How a process is.

    Attributes:
        pid: Its process id, None if there is none.
        state: `running` once it is ready to serve; supervisord's word otherwise.
        since: When it was started, or stopped if it is not alive; ISO 8601, UTC. None if it never was.
        restarts: How often it was started again since the lake was.
    """

    pid: int | None
    state: State
    since: str | None
    restarts: int

    @property
    def fails_to_start(self) -> bool:
        """Whether it has ended over and over since the lake was started, and waits for its next chance.

        Of use while a lake starts. Later on, restarts may as well be those after faults that are long over.
        """
        return self.state == "backoff" and self.restarts >= FAILED_STARTS


def start(settings: "Settings", specs: Sequence["ProcessSpec"]) -> None:
    """Start supervisord with these processes. Processes that an earlier, killed supervisord left are stopped first.

    Raises:
        ShoplakeError: The lake is running already, or supervisord does not start.
    """
    if is_up(settings):
        raise ShoplakeError(f"the lake in {settings.home} is already up. 'shoplake down' stops it.")
    _stop_orphans(settings)
    prepare_socket_folder(settings)
    socket_path(settings).unlink(missing_ok=True)
    supervisor_log(settings).unlink(missing_ok=True)
    configuration_file(settings).write_text(configuration(settings, specs))
    # supervisord leaves this session by itself; what it says before then is why it cannot.
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration_file(settings))]
    started = subprocess.run(  # noqa: S603 - supervisord of this Python, with the file written above
        command,
        cwd=settings.home,
        env=without_spark(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ANSWER_SECONDS,
        check=False,
    )
    deadline = time.monotonic() + ANSWER_SECONDS
    while _call(settings, "getPID") is None:
        if started.returncode != 0 or time.monotonic() > deadline:
            words = (started.stderr or started.stdout).strip().splitlines() or _lines(supervisor_log(settings))[-1:]
            raise ShoplakeError(f"the supervisor does not start; it says: {words[0] if words else 'nothing'}")
        time.sleep(POLL_SECONDS)


def stop(settings: "Settings") -> bool:
    """Stop all processes and supervisord, and wait until they are gone.

    Returns:
        Whether anything was running.

    Raises:
        ShoplakeError: They do not stop.
    """
    pid = _supervisor_pid(settings)
    if pid is None:
        return _stop_orphans(settings)
    _call(settings, "shutdown")
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(pid):
        if time.monotonic() > deadline:
            log = supervisor_log(settings)
            raise ShoplakeError(f"the supervisor (process {pid}) has not stopped within {STOP_SECONDS} s. See {log}.")
        time.sleep(POLL_SECONDS)
    # A run outlives a code server that was killed, and supervisord knows nothing of it.
    _stop_orphans(settings)
    return True


def is_up(settings: "Settings") -> bool:
    """Whether a supervisor of this lake is there, be it one that is about to stop."""
    return _supervisor_pid(settings) is not None


def process_states(
    settings: "Settings", *, probes: Mapping[str, probing.Probe] | None = None
) -> dict[str, ProcessState]:
    """Tell how each process is; empty if the lake is down.

    Of processes that are elsewhere only their probes tell: whether they are ready, and not since when.

    Args:
        settings: Names the lake.
        probes: How to ask a process whether it is ready, by name; None means those of `probes.probes`. A process
            without one is ready as long as it stays alive.
    """
    asked = probing.probes(settings) if probes is None else probes
    if settings.elsewhere:
        return _states_elsewhere(asked)
    infos = _call(settings, "getAllProcessInfo")
    if infos is None:
        return {}
    spawns = _spawns(supervisor_log(settings))
    with ThreadPoolExecutor(max_workers=max(1, len(infos))) as pool:
        states = list(pool.map(lambda info: _state(info, asked.get(info["name"])), infos))
    return {
        info["name"]: ProcessState(
            pid=info["pid"] or None,
            state=state,
            since=_since(info),
            restarts=max(0, spawns[info["name"]] - 1),
        )
        for info, state in zip(infos, states, strict=True)
    }


def _states_elsewhere(probes: Mapping[str, probing.Probe]) -> dict[str, ProcessState]:
    with ThreadPoolExecutor(max_workers=max(1, len(probes))) as pool:
        ready = list(pool.map(lambda probe: probe(probing.lately()), probes.values()))
    return {
        name: ProcessState(pid=None, state="running" if answers else "unknown", since=None, restarts=0)
        for name, answers in zip(probes, ready, strict=True)
    }


def log_tail(settings: "Settings", name: str, *, lines: int = 15) -> list[str]:
    """The last lines that a process has logged."""
    return _lines(process_log(settings, name))[-lines:]


def _state(info: Mapping[str, Any], probe: probing.Probe | None) -> State:
    state = STATES[info["statename"]]
    if probe is None or state not in ("running", "starting"):
        return state
    return "running" if probe(float(info["start"])) else "starting"


def _since(info: Mapping[str, Any]) -> str | None:
    moment = info["start"] if info["pid"] else info["stop"] or info["start"]
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment else None


def _spawns(log: Path) -> Counter[str]:
    """How often each process was started, as supervisord logs it."""
    spawned = (re.search(r"INFO spawned: '([^']+)' with pid", line) for line in _lines(log))
    return Counter(match[1] for match in spawned if match)


def _supervisor_pid(settings: "Settings") -> int | None:
    """The supervisor as its own file names it: while it stops, it answers no more and yet must not be doubted."""
    try:
        pid = int(pid_file(settings).read_text())
        ours = str(configuration_file(settings)) in psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if ours and is_alive(pid) else None


def _call(settings: "Settings", method: str) -> Any:
    """Ask supervisord; None if there is none or it is about to go."""
    from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

    socket = socket_path(settings)
    if not socket.exists():
        return None
    transport = SupervisorTransport(serverurl=f"unix://{socket}")
    try:
        return getattr(xmlrpc.client.ServerProxy("http://localhost", transport=transport).supervisor, method)()
    except (OSError, HTTPException, xmlrpc.client.Error):
        return None
    finally:
        transport.close()


def _stop_orphans(settings: "Settings") -> bool:
    """Stop what a supervisord of this lake has left behind; it marks its children with the address of its socket."""
    orphans = list(_orphans(f"unix://{socket_path(settings)}"))
    for process in orphans:
        _ignoring_gone(process.terminate)
    _, alive = psutil.wait_procs(orphans, timeout=ORPHAN_SECONDS)
    for process in alive:
        _ignoring_gone(process.kill)
    psutil.wait_procs(alive, timeout=ORPHAN_SECONDS)
    return bool(orphans)


def _orphans(address: str) -> Iterable[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("SUPERVISOR_SERVER_URL") == address:
                yield process
        except psutil.Error:
            continue


def _ignoring_gone(act: Any) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return


def is_alive(pid: int) -> bool:
    """Whether a process is there and not merely waiting for its parent to notice that it has ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.is_file() else []
