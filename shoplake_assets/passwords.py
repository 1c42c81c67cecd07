"""Postgres passwords, in the file that all of its clients read.

Belongs here: the password file of a lake. Does not belong here: addresses (`lake.catalog`, `runtime.dagster_home`).

Python's client (libpq), and Java's, take a password from a file of one line for each server, database and user. So no
password is in an address, in Spark's configuration, in `dagster.yaml` or on a command line, and what shows those shows
no secret. The form is described under "The Password File" in Postgres' manual.
"""

import os
import stat
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from pydantic import SecretStr

    from shoplake_assets.settings import Settings

_OWNERS_FOLDER = 0o700
_OWNERS_FILE = 0o600


def password_file(settings: "Settings") -> Path | None:
    """Write the file as the settings want it; None if they have no password, and clients look where they always do."""
    catalog, dagster = settings.catalog, settings.dagster
    wanted = [(catalog.uri, catalog.password), (dagster.storage_uri, dagster.storage_password)]
    text = "".join(_line(uri, password) for uri, password in wanted if uri and password)
    if not text:
        return None
    file = settings.home / "run" / "postgres.passwords"
    # Clients take no file that others could read.
    if file.is_file() and stat.S_IMODE(file.stat().st_mode) == _OWNERS_FILE and file.read_text() == text:
        return file
    file.parent.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)
    # Only its owner may read such a temporary file; several processes of one lake may write theirs at once.
    with NamedTemporaryFile("w", dir=file.parent, prefix=".passwords-", delete=False) as draft:
        draft.write(text)
    os.replace(draft.name, file)  # noqa: PTH105  one step, for whoever reads it now
    return file


def _line(uri: str, password: "SecretStr") -> str:
    url = make_url(uri)
    fields = [url.host or "*", str(url.port or 5432), url.database or "*", url.username or "*"]
    return ":".join(_escape(field) for field in [*fields, password.get_secret_value()]) + "\n"


def _escape(field: str) -> str:
    return field.replace("\\", "\\\\").replace(":", "\\:")
