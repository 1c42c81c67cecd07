"""`shoplake gaps`: which events were gone from Kafka before they could be read, and taking note of it.

Belongs here: options and output. Does not belong here: reading and recording gaps (`lake.gaps`), finding them (the
ingest).
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings
from shoplake_assets.tables import BRONZE_GAPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.catalog import Catalog

    from shoplake_assets.lake.gaps import Gap

app = typer.Typer(name="gaps", help="See which events were lost before they could be read, and take note of it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


@app.command("list")
def list_gaps(*, as_json: AsJson = False) -> None:
    """Show every gap: offsets that Kafka's retention had removed before the ingest came to them."""
    _, gaps = _read()
    if as_json:
        _print_json(gaps)
        return
    if not gaps:
        typer.echo("No event was lost: there is no gap.")
    for gap in gaps:
        typer.secho(f"{gap}", bold=gap.acknowledged_at is None)
        if gap.acknowledged_at is None:
            typer.echo("    not acknowledged; 'shoplake gaps ack --because ...' takes note of it")
        else:
            typer.echo(f"    acknowledged {gap.acknowledged_at:%Y-%m-%d %H:%M:%S} UTC, because: {gap.because}")


@app.command()
def ack(
    *,
    because: Annotated[str, typer.Option(help="Why, or what was done; kept with the gap.", show_default=False)],
    partition: Annotated[
        int | None, typer.Option(help="Only gaps of this partition. Default: of all.", show_default=False)
    ] = None,
    first: Annotated[
        int | None, typer.Option(help="Only gaps that begin at this offset. Default: all.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take note of the gaps that nobody has acknowledged. The check `gaps_acknowledged` then passes again.

    The events stay lost. A gap that grows later has to be acknowledged again.
    """
    from shoplake_assets.lake.gaps import acknowledge_gaps, read_gaps

    because = because.strip()
    if not because:
        raise ShoplakeError("--because is blank. Say why the events may be missing; it is kept in the lake.")
    catalog, gaps = _read()
    chosen = [
        gap
        for gap in gaps
        if gap.acknowledged_at is None and partition in (None, gap.partition) and first in (None, gap.first)
    ]
    if not chosen:
        chosen_by = " that the options choose" if (partition, first) != (None, None) else ""
        raise ShoplakeError(f"there is no gap to acknowledge{chosen_by}. 'shoplake gaps list' shows all.")
    acknowledge_gaps(catalog, chosen, because=because, at=datetime.now(UTC))
    keys = {(gap.topic_id, gap.partition, gap.first) for gap in chosen}
    noted = [
        gap
        for gap in read_gaps(catalog.load_table(BRONZE_GAPS))
        if (gap.topic_id, gap.partition, gap.first) in keys and gap.acknowledged_at is not None
    ]
    if as_json:
        _print_json(noted)
    else:
        for gap in noted:
            typer.echo(f"Acknowledged: {gap}")
    if grown := len(chosen) - len(noted):
        remedy = "look again with 'shoplake gaps list' and acknowledge again"
        raise ShoplakeError(f"{grown} of {len(chosen)} gaps grew meanwhile; {remedy}.")


def _read() -> "tuple[Catalog, list[Gap]]":
    from pyiceberg.exceptions import NoSuchTableError

    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.gaps import read_gaps

    settings = load_settings()
    if settings.home.exists():
        try:
            catalog = open_catalog(settings)
            return catalog, read_gaps(catalog.load_table(BRONZE_GAPS))
        except NoSuchTableError:
            pass
    raise ShoplakeError(f"there is no lake in {settings.home}. 'shoplake up' makes it.")


def _print_json(gaps: "Sequence[Gap]") -> None:
    document = [{**asdict(gap), "events": gap.events} for gap in gaps]
    typer.echo(json.dumps({"gaps": document}, indent=2, default=lambda moment: moment.isoformat()))
