"""`shoplake status` and `shoplake drain`: where everything is, and waiting until it has arrived.

Belongs here: gathering and showing. Does not belong here: the figures (`lake.layers`), the waiting (`cli.draining`).
"""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from shoplake_assets.settings import Settings

app = typer.Typer()


@app.command()
def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")] = False
) -> None:
    """Show each process and each table: rows, newest event, lag behind Kafka in events and seconds."""
    document = status_document(load_settings())
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _show(document)


@app.command()
def drain(
    *,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds within which everything must have arrived.")] = 900.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
) -> None:
    """Wait until everything that is in Kafka now is in Bronze, Silver and Gold.

    Starts the refresh in Dagster where none is under way. Ends with 0 once all has arrived, and with 1 and a line that
    says what is stuck if it does not.
    """
    from rich.console import Console

    from shoplake_assets.cli.draining import drain_lake

    settings = load_settings()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    summary = drain_lake(settings, timeout_seconds=timeout, say=lambda line: console.print(line, style="dim"))
    if as_json:
        typer.echo(json.dumps({**summary, "tables": table_documents(settings)}, indent=2))
    else:
        typer.echo(f"{summary['events']:,} events of Kafka are in Bronze, Silver and Gold ({summary['seconds']} s).")


def status_document(settings: "Settings") -> dict[str, Any]:
    """What `status --json` prints; its form is part of the product."""
    from dataclasses import asdict

    from shoplake_assets.lake.catalog import catalog_properties
    from shoplake_assets.runtime.probes import kafka_trouble
    from shoplake_assets.runtime.processes import urls
    from shoplake_assets.runtime.supervision import process_states
    from shoplake_assets.tables import CATALOG

    if not settings.home.exists():
        raise ShoplakeError(f"there is no lake in {settings.home}. 'shoplake up' makes it.")
    trouble = kafka_trouble(settings)
    return {
        "home": str(settings.home),
        "processes": {name: asdict(state) for name, state in process_states(settings).items()},
        "urls": urls(settings),
        "kafka": {"bootstrap": settings.bootstrap, "topic": settings.kafka.topic, "trouble": trouble and str(trouble)},
        "catalog": {"name": CATALOG, "properties": catalog_properties(settings)},
        "tables": table_documents(settings),
        "gaps": gap_document(settings),
    }


def gap_document(settings: "Settings") -> dict[str, int]:
    """How many gaps there are that nobody has acknowledged, and how many events were lost in them."""
    from pyiceberg.exceptions import NoSuchTableError

    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.gaps import read_gaps
    from shoplake_assets.tables import BRONZE_GAPS

    try:
        gaps = read_gaps(open_catalog(settings).load_table(BRONZE_GAPS))
    except NoSuchTableError:
        gaps = []
    unknown = [gap for gap in gaps if gap.acknowledged_at is None]
    return {"unacknowledged": len(unknown), "events": sum(gap.events for gap in unknown)}


def table_documents(settings: "Settings") -> dict[str, dict[str, Any]]:
    """For each table its rows, snapshot, position and lag; lag is null while Kafka does not answer."""
    from pyiceberg.exceptions import NoSuchTableError

    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.layers import read_layers
    from shoplake_assets.runtime.stream import kafka_range

    try:
        layers = read_layers(open_catalog(settings))
    except NoSuchTableError:
        return {}
    kafka, now = kafka_range(settings), datetime.now(UTC)
    documents = {}
    for name, layer in layers.items():
        lag = None if kafka is None else kafka.ahead_of(layer.position)
        seconds = None if lag is None else layer.lag_seconds(lag_events=lag, now=now)
        documents[name] = {
            "rows": layer.rows,
            "snapshot_id": layer.snapshot_id,
            "position": json.loads(layer.position.to_json()),
            "lag_events": lag,
            "lag_seconds": None if seconds is None else round(seconds, 1),
            "newest_event_time": layer.newest_event and layer.newest_event.isoformat(),
        }
    return documents


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    if document["processes"]:
        console.print(_process_table(document))
    else:
        console.print(f"Nothing runs in {document['home']}; 'shoplake up' starts it.")
    console.print()
    console.print(_lag_table(document))
    if trouble := document["kafka"]["trouble"]:
        console.print(f"\n[red]The lag is not known:[/] {escape(trouble)}")
    if (lost := document["gaps"])["unacknowledged"]:
        number, events = lost["unacknowledged"], lost["events"]
        gaps = f"{number:,} gap{'' if number == 1 else 's'} {'is' if number == 1 else 'are'}"
        console.print(
            f"\n[red]{gaps} not acknowledged ({events:,} events).[/] 'shoplake gaps list' shows what was lost."
        )


def _process_table(document: dict[str, Any]) -> "Table":
    table = _table("process", "state", "for", "restarts", "pid", "url", numbers=("for", "restarts", "pid"))
    for name, state in document["processes"].items():
        colour = "green" if state["state"] == "running" else "red"
        table.add_row(
            name,
            f"[{colour}]{state['state']}[/]",
            _age(state["since"]),
            str(state["restarts"]),
            str(state["pid"] or ""),
            document["urls"].get(name, ""),
        )
    return table


def _lag_table(document: dict[str, Any]) -> "Table":
    numbers = ("rows", "lag events", "lag seconds")
    table = _table("table", "rows", "newest event (UTC)", "lag events", "lag seconds", numbers=numbers)
    for name, layer in document["tables"].items():
        lag, seconds, newest = layer["lag_events"], layer["lag_seconds"], layer["newest_event_time"]
        table.add_row(
            name,
            f"{layer['rows']:,}",
            f"{datetime.fromisoformat(newest):%Y-%m-%d %H:%M:%S}" if newest else "",
            "?" if lag is None else f"{lag:,}",
            "?" if seconds is None else f"{seconds:,.0f}",
        )
    return table


def _table(*headings: str, numbers: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", no_wrap=True)
    return table


def _age(moment: str | None) -> str:
    """How long ago, in the largest unit that is not zero."""
    if moment is None:
        return ""
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    sizes = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    size, unit = next(((size, unit) for size, unit in sizes if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit}"
