"""The configuration of supervisord for a lake.

Belongs here: the text of `<home>/run/supervisord.conf` and the place of its socket. Does not belong here: starting it
and talking to it (`supervision`).
"""

import hashlib
import os
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.home import logs_folder, run_folder

if TYPE_CHECKING:
    from shoplake_assets.runtime.processes import ProcessSpec
    from shoplake_assets.settings import Settings

# The kernel takes 108 bytes for the path of a socket; supervisord binds `<path>.<pid>` first and then renames it.
LONGEST_SOCKET_PATH = 90
# A process that lives so long has started; one that dies sooner is tried again, each time a second later, for good:
# supervisord would otherwise leave an ingest dead for the whole night after a disk that was full for half a minute.
START_SECONDS = 10
START_RETRIES = 1_000_000


def configuration_file(settings: "Settings") -> Path:
    """The file that supervisord reads."""
    return run_folder(settings) / "supervisord.conf"


def pid_file(settings: "Settings") -> Path:
    """Where supervisord writes its process id."""
    return run_folder(settings) / "supervisord.pid"


def supervisor_log(settings: "Settings") -> Path:
    """The log of supervisord itself, begun anew at each start of the lake."""
    return logs_folder(settings) / "supervisord.log"


def process_log(settings: "Settings", name: str) -> Path:
    """The log of one process."""
    return logs_folder(settings) / f"{name}.log"


def socket_path(settings: "Settings") -> Path:
    """Where supervisord listens: in the home or, where that path is too long, in a private temporary folder."""
    path = run_folder(settings) / "supervisor.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    key = hashlib.sha256(os.fsencode(settings.home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"shoplake-{os.getuid()}" / f"{key}.sock"


def prepare_socket_folder(settings: "Settings") -> None:
    """Make the socket's folder, for this user only.

    Raises:
        ShoplakeError: Somebody else owns the folder.
    """
    folder = socket_path(settings).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ShoplakeError(f"{folder} belongs to another user. Remove it, or set SHOPLAKE_HOME to a shorter path.")


def configuration(settings: "Settings", specs: Sequence["ProcessSpec"]) -> str:
    """The whole configuration."""
    socket = socket_path(settings)
    sections: dict[str, Mapping[str, object]] = {
        "unix_http_server": {"file": socket, "chmod": "0600"},
        "supervisord": {
            "logfile": supervisor_log(settings),
            "logfile_maxbytes": f"{settings.maintenance.log_mb}MB",
            "logfile_backups": settings.maintenance.log_backups,
            "pidfile": pid_file(settings),
            "loglevel": "info",
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisorctl": {"serverurl": f"unix://{socket}"},
    }
    sections |= {f"program:{spec.name}": _program(settings, spec) for spec in specs}
    # supervisord stops group after group, the one with the highest number first.
    for stage in sorted({spec.stage for spec in specs}):
        names = ",".join(spec.name for spec in specs if spec.stage == stage)
        sections[f"group:stage-{stage}"] = {"programs": names, "priority": stage}
    return "".join(_section(name, values) for name, values in sections.items())


def _program(settings: "Settings", spec: "ProcessSpec") -> Mapping[str, object]:
    return {
        "command": shlex.join(spec.command),
        "environment": ",".join(f"{name}={_quote(value)}" for name, value in spec.environment.items()),
        "autostart": "true",
        "autorestart": "true",
        "startsecs": START_SECONDS,
        "startretries": START_RETRIES,
        "stopsignal": "TERM",
        "stopwaitsecs": spec.stop_seconds,
        # Only the process itself is asked to stop: it stops its children when it has no more need of them.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        # Relative to the home, where supervisord is started: it expands this value twice, so that `%` cannot be meant.
        "stdout_logfile": process_log(settings, spec.name).relative_to(settings.home),
        "stdout_logfile_maxbytes": f"{settings.maintenance.log_mb}MB",
        "stdout_logfile_backups": settings.maintenance.log_backups,
    }


def _section(name: str, values: Mapping[str, object]) -> str:
    """One section; `%` begins an expansion in supervisord's files and is doubled to mean itself."""
    lines = [f"{key} = {str(value).replace('%', '%%')}\n" for key, value in values.items()]
    for line in lines:
        if comment := re.search(r"\s[;#]|\n.", line):
            raise ShoplakeError(
                f"the supervisor cannot be given {line.strip()!r}: it takes {comment[0]!r} for the end. Keep "
                "SHOPLAKE_HOME and the installation in folders without that."
            )
    return f"[{name}]\n{''.join(lines)}\n"


def _quote(value: str) -> str:
    """Quote a value of an environment; supervisord knows no way to write a quotation mark within one."""
    if '"' in value:
        raise ShoplakeError(
            f"{value} has a quotation mark. Keep SHOPLAKE_HOME and the installation in folders without."
        )
    return f'"{value}"'
