"""`shoplake quarantine`: what is in quarantine, and the ways out when a producer has broken.

Belongs here: options and output of `list`, `accept` and `replay`. Does not belong here: reading the quarantine
(`lake.quarantine`), or what a run does (`lake.silver`).
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.lake.quarantine import Findings, Unpublished
    from shoplake_assets.settings import Settings

app = typer.Typer(
    name="quarantine",
    help="See which records are in quarantine and why, let a blocked refresh through, replay after a fix.",
    no_args_is_help=True,
)

_RUN_NAME = 8  # so many characters of a run's id stand for it in the lake
_MOST_EXAMPLES = 100

Timeout = Annotated[float, typer.Option(min=1, help="Seconds within which the run must have ended.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


@app.command("list")
def list_reasons(
    *,
    branch: Annotated[
        str | None,
        typer.Option(
            help="Look at what a refresh that is not published would put into quarantine; its failure names the "
            "branch. Default: at what is in quarantine.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Show only reasons that contain this text.", show_default=False)] = "",
    examples: Annotated[
        int, typer.Option(min=0, max=_MOST_EXAMPLES, help="Records to show for each reason, the newest.")
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Show the reasons, how many records each has, and examples. Works while everything is down.

    A record that breaks two rules counts under both. Payloads are shortened, and control characters are shown as their
    codes.
    """
    from shoplake_assets.lake.quarantine import findings, unpublished

    branch = None if branch == "main" else branch
    table = _open(load_settings(), SILVER_QUARANTINE)
    found = findings(table, branch=branch, containing=reason, examples=examples)
    waiting = unpublished(table) if branch is None else None
    if as_json:
        document = {"branch": branch or "main", **asdict(found), "unpublished": waiting and asdict(waiting)}
        typer.echo(json.dumps(document, indent=2, default=lambda moment: moment.isoformat()))
        return
    typer.echo(_heading(found, branch=branch, reason=reason))
    _show_reasons(found)
    if waiting is not None:
        typer.echo(f"\n{_what_waits(waiting)}")


@app.command()
def accept(
    *,
    because: Annotated[str, typer.Option(help="Why; kept with the data that is published.", show_default=False)],
    share: Annotated[
        float, typer.Option(min=0, max=1, help="The largest share of the records that may go to quarantine.")
    ] = 0.25,
    timeout: Timeout = 600.0,
    as_json: AsJson = False,
) -> None:
    """Let one refresh through that is blocked because too many records go to quarantine.

    Starts a refresh in Dagster and waits for it. The next one is judged by the contract again.
    """
    from shoplake_assets.lake.quarantine import acceptance_by
    from shoplake_assets.lake.snapshots import snapshot_id_of

    because = because.strip()
    if not because:
        raise ShoplakeError("--because is blank. Say why so many records may go to quarantine; it is kept in the lake.")
    settings = load_settings()
    before = snapshot_id_of(_open(settings, SILVER_EVENTS))
    silver = {"accept_because": because, "accept_share": share}
    run_id = _refresh(settings, silver, timeout=timeout, if_refused=f"This run accepted {share:.0%}: see --share.")
    accepted = acceptance_by(_open(settings, SILVER_EVENTS), run=run_id[:_RUN_NAME], after=before)
    if as_json:
        typer.echo(json.dumps({"run": run_id, "accepted": accepted}, indent=2))
    elif accepted is None:
        typer.echo("Nothing had to be accepted: the refresh stayed within the limits, or there was nothing new.")
    else:
        odd, among = accepted["odd"], accepted["among"]
        typer.echo(f"Published: {odd:,} of {among:,} records went to quarantine, because: {accepted['because']}")


@app.command()
def replay(*, timeout: Timeout = 600.0, as_json: AsJson = False) -> None:
    """Judge the quarantined records by today's contract; those that pass now move to Silver and Gold.

    Starts a run in Dagster and waits for it. Doing it again moves nothing twice.
    """
    from shoplake_assets.lake.snapshots import rows_of
    from shoplake_assets.runtime.dagster_api import figures_of

    settings = load_settings()
    run_id, figures = None, {}
    if rows_of(_open(settings, SILVER_QUARANTINE).current_snapshot()):
        run_id = _refresh(settings, {"replay_quarantine": True}, timeout=timeout)
        figures = figures_of(settings, run_id, table=SILVER_EVENTS)
    records, repeats, broken = (figures.get(name, 0) for name in ("records", "duplicates", "quarantine"))
    moved = records - repeats - broken
    if as_json:
        document = {"run": run_id, "records": records, "moved": moved, "repeats": repeats, "broken": broken}
        typer.echo(json.dumps(document, indent=2))
    elif not records:
        typer.echo("Nothing is in quarantine that could be replayed.")
    else:
        typer.echo(
            f"{records:,} quarantined records were judged again: {moved:,} moved to Silver and are in Gold, "
            f"{repeats:,} repeat events that are there, {broken:,} still break a rule."
        )


def _open(settings: "Settings", name: str) -> "Table":
    from pyiceberg.exceptions import NoSuchTableError

    from shoplake_assets.lake.catalog import open_catalog

    if settings.home.exists():
        try:
            return open_catalog(settings).load_table(name)
        except NoSuchTableError:
            pass
    raise ShoplakeError(f"there is no lake in {settings.home}. 'shoplake up' makes it.")


def _refresh(settings: "Settings", silver: dict[str, Any], *, timeout: float, if_refused: str = "") -> str:
    """Run the refresh job with the config for Silver, and give the run's id once it has ended well."""
    from shoplake_assets.lake.branches import audit_branch
    from shoplake_assets.runtime.dagster_api import launch_refresh, wait_for_run

    run_id = launch_refresh(settings, silver=silver)
    typer.secho(f"Run {run_id[:_RUN_NAME]} started in Dagster", dim=True, err=True)
    outcome = wait_for_run(settings, run_id, timeout_seconds=timeout)
    if outcome.status != "SUCCESS":
        failure = outcome.failure or f"run {run_id} ended as {outcome.status}; look at it in the Dagster UI."
        refused = audit_branch(run_id[:_RUN_NAME]) in _open(settings, SILVER_EVENTS).refs()
        raise ShoplakeError(f"{failure} {if_refused}".rstrip() if refused else failure)
    return run_id


def _heading(found: "Findings", *, branch: str | None, reason: str) -> str:
    where = "in quarantine" if branch is None else f"in {branch} and not in quarantine yet"
    why = f" for a reason that contains '{reason}'" if reason else ""
    if not found.records:
        return f"No record is {where}{why}."
    return f"{_several(found.records, 'record')} {'is' if found.records == 1 else 'are'} {where}{why}."


def _show_reasons(found: "Findings") -> None:
    from shoplake_assets.lake.payloads import shortened

    width = max((len(f"{reason.records:,}") for reason in found.reasons), default=0)
    for reason in found.reasons:
        typer.echo()
        typer.secho(f"{reason.records:>{width},}  {shortened(reason.reason)}", bold=True)
        for example in reason.examples:
            moment = f"{example.kafka_timestamp:%Y-%m-%d %H:%M:%S}"
            typer.echo(
                f"{'':{width}}  partition {example.partition}, offset {example.offset}, {moment}: {example.payload}"
            )


def _what_waits(waiting: "Unpublished") -> str:
    more = waiting.records - waiting.published
    would = (
        f"put {_several(more, 'more record')} into quarantine"
        if more > 0
        else f"leave {_several(waiting.records, 'record')} in quarantine, where {waiting.published:,} are now"
    )
    return (
        f"A refresh that is not published would {would}. 'shoplake quarantine list --branch {waiting.branch}' shows "
        "them; 'shoplake quarantine accept --because ...' lets it through."
    )


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
