"""Dagster's code server, with runs that begin warm.

    python -m shoplake_assets.code_server grpc --port 4266 ...        takes what `dagster api` takes

Belongs here: how the process of a run is made. Does not belong here: serving the code, which is Dagster's own.

Dagster begins each run in a new interpreter, which spends seconds on imports before its first step. Here it is forked
from a process that has imported all and done nothing, so has neither threads nor connections that a fork would break.
"""

import multiprocessing
from multiprocessing import forkserver
from typing import Any

from dagster._cli.api import api_cli
from dagster._grpc import server

WARM = (
    "shoplake_assets.definitions",
    "shoplake_assets.lake.gold",
    "shoplake_assets.lake.lake",
    "shoplake_assets.lake.silver",
    "dagster._cli.api",
    "dagster._core.storage.sqlite_storage",
    "pandera.backends.pyspark.container",
    "pyiceberg.catalog.sql",
    "pyiceberg.io.pyarrow",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.window",
)
"""What a run of a refresh imports, what it imports late among it; a name that is wrong would only make runs slower."""


class WarmServer(server.DagsterApiServer):
    """Dagster's server, whose runs are forked from a process that has imported what they need."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(WARM))
        self._mp_ctx = context  # type: ignore[assignment]
        forkserver.ensure_running()


if __name__ == "__main__":
    server.DagsterApiServer = WarmServer  # type: ignore[misc]
    api_cli(prog_name="shoplake-code-server")
