"""The command `shoplake`.

Belongs here: putting the commands together, and how a failure is shown. Does not belong here: any command. Modules of
commands load fast; what a command needs is imported when it runs.
"""

import errno
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from shoplake_assets.cli import (
    doctor,
    feed,
    gaps,
    inform,
    lifecycle,
    maintain,
    move,
    observe,
    process,
    quarantine,
    verify,
)
from shoplake_assets.errors import ShoplakeError

# What the person can do about what the system says.
REMEDIES = {
    errno.ENOSPC: "the disk is full. Free some space and run the command again",
    errno.EDQUOT: "the disk quota is used up. Free some space and run the command again",
    errno.EACCES: "permission denied. Make it yours, or name another",
    errno.EPERM: "permission denied. Make it yours, or name another",
    errno.EROFS: "the file system is read-only. Name a folder elsewhere",
    errno.ENOENT: "there is no such file or folder. Correct the name",
    errno.EISDIR: "it is a folder. Name a file",
    errno.ENOTDIR: "a part of the path is a file. Name another",
    errno.EMFILE: "too many open files. Raise the limit with 'ulimit -n 4096'",
}


class ExplainingGroup(TyperGroup):
    """Commands whose ordinary failures end in one line, not in a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; show a failure that a person can mend as its explanation and leave with 1."""
        try:
            return super().invoke(ctx)
        except (ShoplakeError, OSError) as error:
            if ctx.params["traceback"] or isinstance(error, BrokenPipeError):
                raise
            typer.echo(f"shoplake: {explain(error)}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="shoplake",
    cls=ExplainingGroup,
    help="A real-time e-commerce lakehouse on this machine: Kafka, Spark, Iceberg and Dagster, started by one command.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    *,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Show the stack trace of a failure instead of the line that explains it."),
    ] = False,
) -> None:
    """Take the options of all commands; `ExplainingGroup` acts on them."""


for module in (lifecycle, observe, verify, maintain, quarantine, gaps, feed, inform, doctor, process, move):
    app.add_typer(module.app)


def explain(error: ShoplakeError | OSError) -> str:
    """Say in one line what failed and what to do; a `ShoplakeError` does so itself."""
    if isinstance(error, ShoplakeError):
        return str(error)
    what = REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return f"{error.filename}: {what}." if error.filename else f"{what}."


def run() -> None:
    """Run the command line: 0 if it did what was asked, 1 if not, 2 if it was called wrongly, 130 on Ctrl-C."""
    app()


if __name__ == "__main__":
    run()
