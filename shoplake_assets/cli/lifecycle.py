"""The commands that start, stop and wipe a lake.

Belongs here: `up`, `down`, `reset`, and what their user sees. Does not belong here: how it is done (`runtime`).
"""

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from rich.console import Console, RenderableType

    from shoplake_assets.runtime.processes import ProcessSpec
    from shoplake_assets.runtime.supervision import ProcessState
    from shoplake_assets.settings import Settings

app = typer.Typer()

POLL_SECONDS = 0.5
WATCH_SECONDS = 1.0
COLOURS = {"running": "green", "starting": "yellow", "backoff": "red", "fatal": "red"}
SERVES = {
    "kafka": "Kafka",
    "spark": "Spark Connect",
    "spark-ui": "Spark UI",
    "ingest": "Ingest status",
    "ingest-ui": "Ingest Spark UI",
    "webserver": "Dagster UI",
    "dashboard": "Dashboard",
}


@app.command()
def up(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Come back once everything runs; otherwise Ctrl-C stops the lake.")
    ] = False,
    no_generator: Annotated[bool, typer.Option("--no-generator", help="Start without synthetic shoppers.")] = False,
    ports: Annotated[
        Literal["fixed", "auto"],
        typer.Option(help="'auto' finds a free port for each that is taken and keeps it in the home's settings.json."),
    ] = "fixed",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds within which everything must be ready.")] = 180.0,
) -> None:
    """Start everything: broker, Spark, ingest, Dagster, dashboard, and synthetic shoppers."""
    from filelock import FileLock, Timeout
    from rich.console import Console

    from shoplake_assets.runtime import home, supervision
    from shoplake_assets.settings import load_settings

    settings = load_settings()
    console = Console(highlight=False, soft_wrap=True)
    home.create_home(settings)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with FileLock(home.run_folder(settings) / "up.filelock", timeout=0):
            if supervision.is_up(settings):
                console.print(f"The lake in {settings.home} is already up.")
                _print_places(settings, console)
                return
            settings = _start(
                settings, console, generator=not no_generator, auto_ports=ports == "auto", timeout=timeout
            )
    except Timeout as error:
        raise ShoplakeError(f"another command starts or moves the lake in {settings.home}. Wait for it.") from error
    _print_places(settings, console)
    if detach:
        console.print("Next: 'shoplake status' shows the layers, 'shoplake down' stops everything.")
        return
    console.print("Next: 'shoplake status' in another terminal shows the layers. Ctrl-C stops everything.")
    _stay(settings, console)


@app.command()
def down() -> None:
    """Stop everything, and wait until it is stopped. The data stays; 'up' continues where it was."""
    from shoplake_assets.runtime import supervision
    from shoplake_assets.settings import load_settings

    settings = load_settings()
    stopped = supervision.stop(settings)
    typer.echo(f"The lake in {settings.home} is stopped." if stopped else f"Nothing runs in {settings.home}.")


@app.command()
def reset(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop everything and wipe the local lake: events, tables, runs, logs. Settings and downloaded jars stay."""
    from shoplake_assets.runtime import home, supervision
    from shoplake_assets.settings import load_settings

    settings = load_settings()
    if not settings.home.exists():
        typer.echo(f"There is no lake in {settings.home}.")
        return
    home.check_is_home(settings)
    if not yes:
        if not sys.stdin.isatty():
            raise ShoplakeError(f"'reset' wipes {settings.home}. Confirm it with --yes.")
        typer.confirm(f"Wipe all data of the lake in {settings.home}?", abort=True)
    supervision.stop(settings)
    left = home.wipe_home(settings)
    kept = f" Kept: {', '.join(left)}." if left else ""
    typer.echo(f"The lake in {settings.home} is wiped.{kept}")


def _start(
    settings: "Settings", console: "Console", *, generator: bool, auto_ports: bool, timeout: float
) -> "Settings":
    """Prepare and start all; leaves nothing running if it fails. Gives the settings with the ports that were chosen."""
    from shoplake_assets.lake.tables import prepare_lake
    from shoplake_assets.runtime import ports, supervision
    from shoplake_assets.settings import load_settings

    if auto_ports:
        ports.choose_free_ports(settings)
        settings = load_settings()
    ports.check_ports(settings)
    specs = _prepare(settings, console, generator=generator)
    prepare_lake(settings)
    try:
        supervision.start(settings, specs)
        _wait_until_ready(settings, specs, console, timeout=timeout)
    except BaseException:
        supervision.stop(settings)
        raise
    return settings


def _prepare(settings: "Settings", console: "Console", *, generator: bool) -> "list[ProcessSpec]":
    """Prepare, with a progress bar if jars must be fetched; one that is not needed is never seen."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from shoplake_assets.runtime import ivy
    from shoplake_assets.runtime.jars import cached_jars
    from shoplake_assets.runtime.preparation import prepare

    if cached_jars(settings) is not None:
        return prepare(settings, generator=generator)
    columns = (TextColumn("Downloading jars"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if not console.is_terminal:
        console.print("Downloading jars (only the first start does).")
    with Progress(*columns, TextColumn("{task.description}"), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(progress: ivy.Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, description=progress.name)

        return prepare(settings, generator=generator, on_progress=show)


def _wait_until_ready(
    settings: "Settings", specs: "Sequence[ProcessSpec]", console: "Console", *, timeout: float
) -> None:
    """Show what starts until all run.

    Raises:
        ShoplakeError: One does not stay up or is not ready in time; the last lines of its log are shown before.
    """
    from rich.live import Live

    from shoplake_assets.runtime import supervision

    began = time.monotonic()
    ready: dict[str, float] = {}
    with Live(console=console, refresh_per_second=4, transient=True, auto_refresh=console.is_terminal) as live:
        while len(ready) < len(specs):
            elapsed = time.monotonic() - began
            states = supervision.process_states(settings)
            for name, state in states.items():
                if state.state == "running" and name not in ready:
                    ready[name] = elapsed
                    console.print(f"{name} is ready ({elapsed:.0f} s)")
            live.update(_starting_table(specs, states, ready, elapsed=elapsed) if console.is_terminal else "")
            broken = [name for name, state in states.items() if state.fails_to_start]
            late = [spec.name for spec in specs if spec.name not in ready] if elapsed > timeout else []
            if broken or late or not states:
                live.stop()
                _give_up(settings, console, broken=broken, late=late, timeout=timeout)
            time.sleep(POLL_SECONDS)


def _starting_table(
    specs: "Sequence[ProcessSpec]",
    states: "Mapping[str, ProcessState]",
    ready: "Mapping[str, float]",
    *,
    elapsed: float,
) -> "RenderableType":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for spec in specs:
        if spec.name not in ready:
            state = states[spec.name].state if spec.name in states else "starting"
            table.add_row(spec.name, f"[{COLOURS.get(state, 'dim')}]{state}", f"{elapsed:.0f} s")
    return table


def _give_up(
    settings: "Settings", console: "Console", *, broken: "Sequence[str]", late: "Sequence[str]", timeout: float
) -> NoReturn:
    from shoplake_assets.runtime import supervision
    from shoplake_assets.runtime.supervisor_conf import process_log, supervisor_log

    names = [*broken, *late]
    if not names:
        raise ShoplakeError(f"the supervisor has ended. See {supervisor_log(settings)}.")
    for name in names:
        console.print(f"--- last lines of {process_log(settings, name)}", markup=False)
        for line in supervision.log_tail(settings, name):
            console.print(line, markup=False)
    what = "does not stay up" if broken else f"is not ready after {timeout:.0f} s"
    advice = "See its log above" if broken else "See its log above, or give it longer with --timeout"
    raise ShoplakeError(f"{', '.join(names)} {what}; everything was stopped again. {advice}.")


def _print_places(settings: "Settings", console: "Console") -> None:
    from rich.table import Table

    from shoplake_assets.runtime.home import logs_folder
    from shoplake_assets.runtime.processes import urls

    where = urls(settings)
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, title in SERVES.items():
        if name in where:
            table.add_row(title, where[name])
    table.add_row("Home", str(settings.home))
    table.add_row("Logs", str(logs_folder(settings)))
    console.print(table)


def _stay(settings: "Settings", console: "Console") -> None:
    """Stay in the foreground until Ctrl-C, a signal to end, or a `down` from elsewhere."""
    from shoplake_assets.runtime import supervision

    try:
        while supervision.is_up(settings):
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        console.print("Stopping; the ingest ends its batch first.")
        supervision.stop(settings)
    console.print(f"The lake in {settings.home} is stopped.")


def _interrupt(_number: int, _frame: "FrameType | None") -> None:
    """Take a request to end like Ctrl-C."""
    raise KeyboardInterrupt
