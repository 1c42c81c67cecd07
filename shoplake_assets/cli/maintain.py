"""`shoplake maintain`: what the scheduled job does, now, and without Dagster.

Belongs here: options and output. Does not belong here: the work (`lake.maintenance`, `runtime.dagster_history`).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from shoplake_assets.lake.maintenance.lake import Failed
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

    settings = load_settings()
    maintained, failed = _maintain(settings)
    history = _forget_history(settings)
    if as_json:
        typer.echo(json.dumps({"tables": {done.table: _document(done) for done in maintained}, "history": history}))
    else:
        Console(highlight=False).print(_table(maintained))
        typer.echo(f"Dagster: {history}.")
    for failure in failed:
        typer.echo(f"shoplake: {failure.says}", err=True)
    if failed:
        raise typer.Exit(1)


def _maintain(settings: "Settings") -> "tuple[list[Maintained], list[Failed]]":
    """Maintain each table; gives those that were, and those that could not be."""
    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.session import open_session

    with open_session(settings) as spark:
        from shoplake_assets.lake.lake import Lake
        from shoplake_assets.lake.maintenance.lake import Failed, maintain_lake

        outcomes = list(maintain_lake(Lake(open_catalog(settings), spark), settings.maintenance))
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    return [outcome for outcome in outcomes if not isinstance(outcome, Failed)], failed


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
