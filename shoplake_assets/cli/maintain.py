"""`shoplake maintain`: what the scheduled job does, now, and without Dagster.

Belongs here: options and output. Does not belong here: the work (`lake.maintenance`, `runtime.dagster_history`).
"""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings
from shoplake_assets.tables import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.maintenance.table import Maintained
    from shoplake_assets.settings import Settings

app = typer.Typer()


@app.command()
def maintain(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")] = False
) -> None:
    """Put small files together and let old snapshots, branches, orphans and runs go. Changes no row.

    Goes on beside the stream and refreshes; how much is kept is set by `SHOPLAKE_MAINTENANCE__...`.
    """
    from rich.console import Console

    from shoplake_assets.lake.maintenance.table import maintain_table

    settings = load_settings()
    with _open_lake(settings) as lake:
        maintained = [maintain_table(lake, name, limits=settings.maintenance) for name in ALL]
    history = _forget_history(settings)
    if as_json:
        typer.echo(json.dumps({"tables": {done.table: _document(done) for done in maintained}, "history": history}))
    else:
        Console(highlight=False).print(_table(maintained))
        typer.echo(f"Dagster: {history}.")


@contextmanager
def _open_lake(settings: "Settings") -> "Iterator[Lake]":
    """The lake with a session of the Connect server.

    Raises:
        ShoplakeError: The server does not run.
    """
    from shoplake_assets.runtime.supervision import process_states

    spark = process_states(settings).get("spark")
    if settings.spark.remote is None and (spark is None or spark.state != "running"):
        raise ShoplakeError("Spark does not run, and maintenance works with it. 'shoplake up' starts it.")
    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.session import open_session

    with open_session(settings) as session:
        from shoplake_assets.lake.lake import Lake

        yield Lake(open_catalog(settings), session)


def _forget_history(settings: "Settings") -> str:
    from dagster import DagsterInstance

    from shoplake_assets.runtime.dagster_history import forget_history
    from shoplake_assets.runtime.dagster_home import dagster_folder

    before = datetime.now(UTC) - timedelta(hours=settings.maintenance.history_hours)
    with DagsterInstance.from_config(str(dagster_folder(settings))) as instance:
        return str(forget_history(instance, before=before))


def _document(done: "Maintained") -> dict[str, Any]:
    return {"did": list(done.did), "before": done.before.as_dict(), "after": done.after.as_dict()}


def _table(maintained: "Sequence[Maintained]") -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("table", "files", "MB", "snapshots", "metadata files", "what was done"):
        table.add_column(heading, justify="left" if heading in ("table", "what was done") else "right")
    for done in maintained:
        before, after = done.before, done.after
        table.add_row(
            done.table,
            f"{before.files:,} → {after.files:,}",
            f"{before.bytes / 1e6:,.1f} → {after.bytes / 1e6:,.1f}",
            f"{before.snapshots:,} → {after.snapshots:,}",
            f"{before.metadata_files:,} → {after.metadata_files:,}",
            done.says,
        )
    return table
