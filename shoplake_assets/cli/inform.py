"""`shoplake connect` and `shoplake settings`: what a user needs to read the lake and to change it.

Belongs here: texts that are ready to paste. Does not belong here: anything that connects.
"""

import json
from typing import Annotated

import typer

from shoplake_assets.described import describe_settings
from shoplake_assets.settings import load_settings

app = typer.Typer()


@app.command()
def connect() -> None:
    """Print how to read the lake from pyiceberg, DuckDB, Polars and Spark, ready to paste."""
    from shoplake_assets.cli.snippets import snippets

    for tool, text in snippets(load_settings()).items():
        typer.secho(f"# {tool}", bold=True)
        typer.echo(text)


@app.command()
def settings(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")] = False
) -> None:
    """Show every setting: its variable, its value now, what it is for."""
    rows = describe_settings(load_settings())
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    for row in rows:
        changed = row.value != row.default
        typer.secho(f"{row.variable}={row.value}", bold=changed)
        typer.echo(f"    {row.description}" + (f" Default: {row.default or 'empty'}." if changed else ""))
