"""`shoplake verify`: proof that nothing was lost, doubled or altered on the way.

Belongs here: options, output and exit codes. Does not belong here: any proof (`lake.verify`).
"""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from shoplake_assets.lake.verify.proof import Verification
    from shoplake_assets.settings import Settings

app = typer.Typer()

_VERDICTS = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("not proven", "yellow")}


@app.command()
def verify(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at Iceberg's metadata only, and say what that leaves open.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")] = False,
) -> None:
    """Prove that no offset of Kafka is missing and nothing altered from Bronze to Gold, and name what is.

    Reads every row by the running Spark; changes nothing, and may run while everything else does. Ends with 0 only if
    all holds: with `--quick`, if nothing that was looked at is wrong.
    """
    settings = load_settings()
    began = time.perf_counter()
    found = _verify(settings, quick=quick)
    seconds = round(time.perf_counter() - began, 2)
    if as_json:
        typer.echo(json.dumps(_document(found, seconds=seconds), indent=2, default=str))
    else:
        _show(found, seconds=seconds)
    if not found.holds:
        raise typer.Exit(1)


def _verify(settings: "Settings", *, quick: bool) -> "Verification":
    from pyiceberg.exceptions import NoSuchTableError

    if settings.home.exists():
        try:
            return _verify_quickly(settings) if quick else _verify_fully(settings)
        except NoSuchTableError:
            pass
    raise ShoplakeError(f"there is no lake in {settings.home}. 'shoplake up' makes it.")


def _verify_quickly(settings: "Settings") -> "Verification":
    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.verify.quick import verify_quickly
    from shoplake_assets.runtime.stream import kafka_range

    return verify_quickly(open_catalog(settings), kafka=lambda: kafka_range(settings))


def _verify_fully(settings: "Settings") -> "Verification":
    from pyspark.errors import PySparkException
    from rich.console import Console

    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.session import open_session
    from shoplake_assets.runtime.stream import kafka_range

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with open_session(settings) as spark:
            from shoplake_assets.lake.lake import Lake
            from shoplake_assets.lake.verify.full import verify_fully

            return verify_fully(
                Lake(open_catalog(settings), spark),
                kafka=lambda: kafka_range(settings),
                say=lambda proof: console.print(
                    f"{proof.table} {proof.name}: {_VERDICTS[proof.holds][0]}", style="dim"
                ),
            )
    except PySparkException as error:
        line = str(error).strip().splitlines()[0]
        raise ShoplakeError(f"Spark ended before all was verified: {line} 'shoplake status' shows it.") from error


def _document(found: "Verification", *, seconds: float) -> dict[str, Any]:
    """What `verify --json` prints; its form is part of the product."""
    from dataclasses import asdict

    return {
        "holds": found.holds,
        "quick": found.quick,
        "seconds": seconds,
        "proofs": [asdict(proof) for proof in found.proofs],
        "snapshots": dict(found.snapshots),
    }


def _show(found: "Verification", *, seconds: float) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(_table_of(found))
    for proof in found.proofs:
        if proof.holds is False:
            console.print(f"\n[bold]{proof.table}, {proof.name}[/]")
            for finding in proof.findings:
                console.print(f"  {escape(finding)}", soft_wrap=True)
    console.print(f"\n{_conclusion(found, seconds=seconds)}", soft_wrap=True)


def _table_of(found: "Verification") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("table", "proof", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column("what it says", overflow="fold")
    for proof in found.proofs:
        word, colour = _VERDICTS[proof.holds]
        table.add_row(proof.table, proof.name, f"[{colour}]{word}[/]", escape(proof.says))
    return table


def _conclusion(found: "Verification", *, seconds: float) -> str:
    wrong = sum(proof.holds is False for proof in found.proofs)
    unsure = sum(proof.holds is None for proof in found.proofs)
    if wrong:
        return f"{wrong} of {len(found.proofs)} proofs failed ({seconds:.1f} s)."
    if not unsure:
        return f"All {len(found.proofs)} proofs hold ({seconds:.1f} s)."
    if found.quick:
        return f"Metadata holds ({seconds:.1f} s). Rows were not read: 'shoplake verify' without --quick does."
    return f"{unsure} of {len(found.proofs)} could not be proven ({seconds:.1f} s)."
