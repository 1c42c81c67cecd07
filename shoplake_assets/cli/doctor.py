"""The command that looks for what keeps a lake from running.

Belongs here: `doctor`, and how its findings are shown. Does not belong here: the looking (`runtime.diagnosis`).
"""

import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, for programs.")] = False
) -> None:
    """Check Java, jars, versions, ports, disk and memory; say for each problem what mends it."""
    from dataclasses import asdict

    from shoplake_assets.runtime.diagnosis import diagnose
    from shoplake_assets.settings import load_settings

    findings = diagnose(load_settings())
    healthy = all(finding.ok for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            mark = typer.style("ok     ", fg="green") if finding.ok else typer.style("problem", fg="red")
            typer.echo(f"{mark} {finding.name}: {finding.detail}")
            if finding.remedy:
                typer.echo(f"        mend it: {finding.remedy}")
    if not healthy:
        raise typer.Exit(1)
