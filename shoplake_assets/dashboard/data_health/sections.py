"""The sections of the page: from what is known of the lake's health to tables and sentences.

Belongs here: what each section shows, in Dash components. Does not belong here: when it is sent (`data_health.page`).
What stands in a payload goes into the page as text, shortened, and with every sign that is not printable as its code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING

from dash import html
from dash.development.base_component import Component

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.page import rows_of_text, scrolling
from shoplake_assets.health.state import CheckHealth, Freshness, Health
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.health.state import TableHealth
    from shoplake_assets.lake.quarantine import Reason

_TABLE_COLUMNS = (
    "Table",
    "Rows",
    "Position",
    "Lag, events",
    "Lag",
    "Freshness",
    "Last commit",
    "Files",
    "Size",
    "Snapshots",
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        id: Its name in the page.
        title: Its heading.
        content: What it shows, given the health, the viewer's zone and where the Dagster UI is.
    """

    id: str
    title: str
    content: Callable[..., list[Component | str]]


def tiles_of(health: Health) -> list[tuple[str, str, str]]:
    """Key figures: label, value, and what stands beneath."""
    silver, quarantined = _rows(health, SILVER_EVENTS), _rows(health, SILVER_QUARANTINE)
    ended = silver + quarantined + health.duplicates
    lost = sum(gap.events for gap in health.gaps)
    unknown = sum(gap.acknowledged_at is None for gap in health.gaps)
    return [
        ("Checks", _verdict(health), f"of {wording.counted(len(health.checks), 'check')}{_waiting(health)}"),
        ("Quarantine", wording.count(quarantined), f"{_share(quarantined, ended)} of all records"),
        ("Duplicates", wording.count(health.duplicates), f"{_share(health.duplicates, ended)} of all records"),
        ("Late", _late(health), "of the newest events that were judged"),
        (
            "Lost in Kafka",
            wording.count(lost),
            f"in {wording.counted(len(health.gaps), 'gap')}, {unknown} not acknowledged",
        ),
    ]


def _tables(health: Health, *, zone: tzinfo, dagster_url: str) -> list[Component | str]:
    if not health.tables:
        return ["There are no tables yet. 'shoplake up' makes them."]
    rows = [
        (
            html.A(name, href=f"{dagster_url}/assets/{name.replace('.', '/')}"),
            wording.count(table.rows),
            _position(table),
            "?" if table.lag_events is None else wording.count(table.lag_events),
            "?" if table.lag_seconds is None else f"{table.lag_seconds:,.0f} s",
            _freshness(health, name),
            _time(table.committed_at, zone=zone),
            wording.count(table.files),
            wording.size(table.size_bytes),
            wording.count(table.snapshots),
        )
        for name, table in health.tables.items()
    ]
    return [scrolling(rows_of_text(_TABLE_COLUMNS, rows, caption="Tables", numbers=(1, 3, 4, 7, 8, 9)), label="Tables")]


def _checks(health: Health, *, zone: tzinfo, dagster_url: str) -> list[Component | str]:
    if not health.checks:
        return ["Dagster tells of no check."]
    failing = sorted((one for one in health.checks if one.passed is False), key=lambda one: not one.severe)
    passing = [one for one in health.checks if one.passed]
    waiting = [one for one in health.checks if one.passed is None]
    parts: list[Component | str] = []
    if failing:
        parts.append(_check_table(failing, zone=zone, dagster_url=dagster_url, caption="Checks that fail"))
    else:
        parts.append(html.P("No check fails.", className="well"))
    for checks, what in ((passing, "passing"), (waiting, "not evaluated yet")):
        if checks:
            table = _check_table(checks, zone=zone, dagster_url=dagster_url, caption=f"Checks, {what}")
            parts.append(html.Details([html.Summary(f"{wording.counted(len(checks), 'check')} {what}"), table]))
    return parts


def _check_table(checks: Sequence[CheckHealth], *, zone: tzinfo, dagster_url: str, caption: str) -> Component:
    rows = [
        (
            html.Span(_state(check), className=f"badge {_state(check).lower()}"),
            html.A(
                f"{check.name} of {check.table}",
                href=f"{dagster_url}/assets/{check.table.replace('.', '/')}?view=checks&checkDetail={check.name}",
            ),
            "blocks" if check.blocking else "reports",
            check.says or wording.NOTHING,
            _time(check.at, zone=zone),
        )
        for check in checks
    ]
    columns = ("State", "Check", "If it fails", "It says", "When")
    return scrolling(rows_of_text(columns, rows, caption=caption), label=caption)


def _quarantine(health: Health, *, zone: tzinfo, dagster_url: str) -> list[Component | str]:
    if health.quarantine is None or not health.quarantine.records:
        return ["No record is in quarantine."]
    found = health.quarantine
    says = (
        f"{wording.counted(found.records, 'record')}, each with every rule that it breaks. "
        "'shoplake quarantine list' shows more; after a fix, 'shoplake quarantine replay' judges them anew. "
    )
    return [
        html.P(
            [
                says,
                html.A("The table in Dagster", href=f"{dagster_url}/assets/silver/quarantine"),
                ".",
            ],
            className="note",
        ),
        *(_reason(reason, zone=zone) for reason in found.reasons),
    ]


def _reason(reason: "Reason", *, zone: tzinfo) -> Component:
    rows = [
        (
            _time(example.kafka_timestamp, zone=zone),
            f"{example.partition}/{example.offset}",
            html.Code(example.payload),
        )
        for example in reason.examples
    ]
    caption = f"The newest records with {reason.reason}"
    return html.Details(
        [
            html.Summary([f"{wording.counted(reason.records, 'record')}: ", html.Code(reason.reason)]),
            scrolling(rows_of_text(("Arrived", "Partition/offset", "Payload"), rows, caption=caption), label=caption),
        ]
    )


def _gaps(health: Health, *, zone: tzinfo, dagster_url: str) -> list[Component | str]:
    if not health.gaps:
        return ["Nothing was lost: Kafka had every event until it was read."]
    rows = [
        (
            _time(gap.found_at, zone=zone),
            str(gap.partition),
            f"{wording.count(gap.first)} to {wording.count(gap.last)}",
            wording.count(gap.events),
            gap.because or "not acknowledged: 'shoplake gaps ack' takes note",
        )
        for gap in health.gaps
    ]
    columns = ("Found", "Partition", "Offsets", "Events", "Acknowledged, because")
    table = scrolling(rows_of_text(columns, rows, caption="Gaps", numbers=(3,)), label="Gaps")
    link = html.A("The table in Dagster", href=f"{dagster_url}/assets/bronze/gaps")
    return [html.P(["Events that Kafka no longer had when they were to be read. ", link, "."], className="note"), table]


def _processes(health: Health, *, zone: tzinfo, dagster_url: str) -> list[Component | str]:
    parts: list[Component | str] = [
        html.P(f"{source.value}: {why}", className="trouble", role="status") for source, why in health.troubles.items()
    ]
    if health.processes:
        rows = [
            (
                name,
                html.Span(state.state, className=f"badge {'passes' if state.state == 'running' else 'fails'}"),
                _time(datetime.fromisoformat(state.since) if state.since else None, zone=zone),
                wording.count(state.restarts),
            )
            for name, state in health.processes.items()
        ]
        table = rows_of_text(("Process", "State", "Since", "Restarts"), rows, caption="Processes", numbers=(3,))
        parts.append(scrolling(table, label="Processes"))
    refreshes = [
        html.Li(
            [
                html.A(
                    "succeeded" if one.succeeded else "failed",
                    href=f"{dagster_url}/runs/{one.run_id}",
                    className="well" if one.succeeded else "ill",
                ),
                f" in {one.seconds:,.1f} s, ",
                _time(one.ended_at, zone=zone),
            ]
        )
        for one in health.refreshes[:_MOST_REFRESHES]
    ]
    if refreshes:
        parts.append(html.Details([html.Summary("The newest refreshes"), html.Ul(refreshes)]))
    return parts


_MOST_REFRESHES = 8

SECTIONS = (
    Section(id="tables", title="Tables", content=_tables),
    Section(id="checks", title="Checks", content=_checks),
    Section(id="quarantine", title="Quarantine, by reason", content=_quarantine),
    Section(id="gaps", title="Gaps", content=_gaps),
    Section(id="processes", title="Processes and refreshes", content=_processes),
)
"""The sections, in the order of the page."""


def _rows(health: Health, name: str) -> int:
    return health.tables[name].rows if name in health.tables else 0


def _verdict(health: Health) -> str:
    failing = [check for check in health.checks if check.passed is False]
    errors = sum(check.severe for check in failing)
    if not failing:
        return "all pass" if health.checks else wording.NOTHING
    warnings = len(failing) - errors
    parts = [wording.counted(errors, "fails", "fail")] if errors else []
    parts += [wording.counted(warnings, "warns", "warn")] if warnings else []
    return ", ".join(parts)


def _waiting(health: Health) -> str:
    waiting = sum(check.passed is None for check in health.checks)
    return f", {waiting} not evaluated yet" if waiting else ""


def _state(check: CheckHealth) -> str:
    if check.passed is None:
        return "waits"
    if check.passed:
        return "passes"
    return "FAILS" if check.severe else "warns"


def _late(health: Health) -> str:
    return wording.NOTHING if health.late_share is None else f"{100 * health.late_share:.1f} %"


def _share(part: int, whole: int) -> str:
    return f"{Decimal(100 * part) / whole:.2f} %" if whole else "0 %"


def _position(table: "TableHealth") -> Component:
    offsets = ", ".join(f"{partition}:{wording.count(offset)}" for _, partition, offset in table.position)
    return html.Span(offsets or wording.NOTHING, title=wording.reach(table.position))


def _freshness(health: Health, name: str) -> Component:
    fresh = health.freshness.get(name, Freshness.NOT_ASKED)
    return html.Span(fresh.value, className={Freshness.FRESH: "well", Freshness.STALE: "ill"}.get(fresh, ""))


def _time(at: datetime | None, *, zone: tzinfo) -> Component | str:
    if at is None:
        return wording.NOTHING
    local = at.astimezone(zone)
    return html.Time(f"{local:%b} {local.day}, {local:%H:%M:%S}", dateTime=at.isoformat(), title=wording.moment(at))
