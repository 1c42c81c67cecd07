"""The service of the S3 store, run as another server that speaks S3: versitygw, or moto's where that is not installed.

Belongs here: finding and running one. Does not belong here: buckets, which whoever needs them makes.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from shoplake_assets.runtime.internal import internal_client

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
"""What `go install` is given."""


def versitygw() -> str | None:
    """The program, on the path or where `go install` leaves it."""
    go = os.environ.get("GOPATH", "~/go").split(os.pathsep)[0]
    folders = (os.environ.get("GOBIN", ""), str(Path(go).expanduser() / "bin"))
    return shutil.which("versitygw", path=os.pathsep.join((os.environ["PATH"], *filter(None, folders))))


def command(folder: Path, *, port: int, region: str) -> list[str]:
    """The server in the foreground. Its keys are in `environment`."""
    program = versitygw()
    if program is None:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    objects, notes = folder / "objects", folder / "notes"
    objects.mkdir()
    notes.mkdir()
    # Notes beside the objects: not every file system takes them as attributes of the files.
    address = ("--port", f"127.0.0.1:{port}", "--region", region, "--quiet")
    return [program, *address, "posix", "--sidecar", str(notes), str(objects)]


def environment(*, key: str, secret: str) -> dict[str, str]:
    """What the server must know of its one client."""
    return {"ROOT_ACCESS_KEY": key, "ROOT_SECRET_KEY": secret}


def answers(port: int) -> Callable[[], bool]:
    """Ask the server whether it answers, if only that it does not know who asks."""

    def ask() -> bool:
        try:
            with internal_client(timeout=5) as client:
                return client.get(f"http://127.0.0.1:{port}/").status_code < httpx.codes.INTERNAL_SERVER_ERROR
        except httpx.HTTPError:
            return False

    return ask
