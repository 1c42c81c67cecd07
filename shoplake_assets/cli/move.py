"""`shoplake move`: the lake of this home to S3 and Postgres.

Belongs here: options and output. Does not belong here: any step (`moving`, `lake.move`).
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console

    from shoplake_assets.lake.move.moving import Extent

app = typer.Typer()


@app.command()
def move(
    *,
    catalog: Annotated[
        str,
        typer.Option(
            help="Where the tables will be listed: `postgresql://user@host:port/database`. Its password comes from "
            "SHOPLAKE_CATALOG__PASSWORD, a secret file or `~/.pgpass`."
        ),
    ],
    warehouse: Annotated[
        str, typer.Option(help="Where their files will be: `s3://bucket/prefix`. Keys come by AWS's own ways.")
    ],
    s3_endpoint: Annotated[
        str | None, typer.Option(help="Address of the store, unless it is AWS or is set already.")
    ] = None,
    s3_region: Annotated[str | None, typer.Option(help="Region of the bucket.")] = None,
    s3_path_style: Annotated[
        bool | None,
        typer.Option("--s3-path-style/--s3-host-style", help="Whether the bucket is a part of the path."),
    ] = None,
) -> None:
    """Move the lake of this home to S3 and Postgres, with its whole history, and verify it before and after.

    The lake must be down. The old files stay as they are. Interrupted, the lake stays where it was, and the same
    command goes on; 'up' uses the new place once all is proven.
    """
    from rich.console import Console

    from shoplake_assets.cli.moving import is_there, move_lake, target_settings

    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    settings = load_settings()
    chosen = {"endpoint": s3_endpoint, "region": s3_region, "path_style": s3_path_style}
    target = target_settings(
        settings,
        catalog={"uri": catalog, "warehouse": warehouse},
        s3={name: value for name, value in chosen.items() if value is not None},
    )
    if is_there(settings, target):
        typer.echo(f"The lake in {settings.home} is at {catalog} and {warehouse} already.")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    extent = move_lake(settings, target, _Watcher(console))
    console.print(
        f"'shoplake up' uses the new place from now on; it needs the password and the keys as this command did. Once "
        f"you have seen that all is well, the old files can go: {settings.home / 'warehouse'} and "
        f"{settings.home / 'catalog.db'}*.",
        markup=False,
    )
    typer.echo(
        f"The lake is at {catalog} and {warehouse} now: {extent.tables} tables, {extent.files:,} files, "
        f"{extent.size / 1e6:,.1f} MB, verified before and after ({time.monotonic() - began:.0f} s)."
    )


class _Watcher:
    """Shows a person how it goes."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def say(self, line: str) -> None:
        """Show a line about a step that is done."""
        self._console.print(line, markup=False)

    @contextmanager
    def copying(self, extent: "Extent") -> Iterator[Callable[[int], None]]:
        """Show a bar while files are copied."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns: Any = (TextColumn("Copying"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, disable=not self._console.is_terminal, transient=True) as bar:
            task = bar.add_task("", total=extent.size)
            yield lambda size: bar.advance(task, size)
        self.say(f"Copied: {extent.tables} tables, {extent.files:,} files, {extent.size / 1e6:,.1f} MB.")


def _interrupt(_number: int, _frame: "FrameType | None") -> None:
    """Take a request to end like Ctrl-C."""
    raise KeyboardInterrupt
