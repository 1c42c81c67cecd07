"""Rehearse the cluster on this machine, and leave nothing running.

    python -m shoplake_assets_tests.cluster

Belongs here: the command. Does not belong here: what it does (`cluster`, `rehearsal`).
"""

import signal
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shoplake_assets_tests.cluster.cluster import started
from shoplake_assets_tests.cluster.rehearsal import rehearse

console = Console(highlight=False, soft_wrap=True)

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Start the cluster, do nothing with it, and stop it after Ctrl-C.")
    ] = False,
) -> None:
    """Start all services of docker/compose.yaml as processes of this machine, and see events through them to Gold.

    A worker of Spark and a broker of Kafka are killed on the way.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="shoplake-cluster-") as folder:
        Path(folder).chmod(0o755)  # Postgres may run as another user
        with started(Path(folder), say=console.print) as cluster:
            if keep:
                console.print(f"All is in {folder}. Ctrl-C stops it.")
                with suppress(KeyboardInterrupt):
                    threading.Event().wait()
                return
            rehearsed = rehearse(cluster, say=console.print)
        if rehearsed.leaks:
            raise typer.Exit(code=1)


if __name__ == "__main__":
    app()
