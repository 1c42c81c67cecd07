"""The commands that containers, pods and systemd units are made of: one process of a lake at a time.

Belongs here: `prepare`, `run`, `ready`. Does not belong here: starting all of them on one machine (`lifecycle`).
"""

import os
import time
from typing import Annotated

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings

app = typer.Typer()

_POLL_SECONDS = 0.5

Name = Annotated[
    str,
    typer.Argument(
        help="kafka, spark (the Connect server), ingest, code-server, webserver, daemon, dashboard or generator."
    ),
]


@app.command()
def prepare(
    *, timeout: Annotated[float, typer.Option(min=1, help="Seconds for which each service is waited for.")] = 120.0
) -> None:
    """Make the topic, the buckets, the tables and Dagster's storage, where they are absent.

    Runs once before the processes that are started one by one; `up` does it by itself. Safe to repeat.
    """
    from shoplake_assets.events.topic import wait_for_topic
    from shoplake_assets.lake.tables import prepare_lake
    from shoplake_assets.runtime import home
    from shoplake_assets.runtime.dagster_home import dagster_folder, make_storage, prepare_dagster
    from shoplake_assets.runtime.outside import prepare_outside

    settings = load_settings()
    home.create_home(settings)
    prepare_outside(settings, seconds=timeout)
    prepare_dagster(settings)
    make_storage(dagster_folder(settings))
    made = prepare_lake(settings)
    topic = wait_for_topic(settings, seconds=timeout)
    typer.echo(f"{len(made)} tables made; topic {settings.kafka.topic} has {len(topic.partitions)} partitions.")


@app.command()
def run(name: Name) -> None:
    """Run one process of the lake in the foreground, in the place of this one."""
    from shoplake_assets.runtime import home
    from shoplake_assets.runtime.preparation import prepare_process
    from shoplake_assets.runtime.spark import without_spark

    settings = load_settings()
    home.create_home(settings)
    spec = prepare_process(settings, name)
    environment = without_spark(os.environ) | dict(spec.environment)
    os.chdir(settings.home)
    os.execvpe(spec.command[0], spec.command, environment)  # noqa: S606  signals shall reach the process itself


@app.command()
def ready(
    name: Name,
    *,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for it; 0 asks once.")] = 0.0,
) -> None:
    """Ask a process whether it serves: ends with 0 if it does, with 1 if not. For health checks."""
    from shoplake_assets.runtime.probes import lately, probes

    known = probes(load_settings())
    if name not in known:
        raise ShoplakeError(f"{name!r} cannot be asked. Name one of {', '.join(known)}.")
    deadline = time.monotonic() + timeout
    while not known[name](lately()):
        if time.monotonic() >= deadline:
            raise ShoplakeError(f"{name} is not ready.")
        time.sleep(_POLL_SECONDS)
    typer.echo(f"{name} is ready.")
