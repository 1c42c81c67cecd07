"""The page "Data health": its skeleton, and the parts of it that change.

Belongs here: which parts there are and when they are sent again. Does not belong here: what a part shows
(`data_health.sections`), how health is found out (`shoplake_assets.health`).
"""

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dash import Output, html
from dash.development.base_component import Component
from plotly.io.json import to_json_plotly  # type: ignore[import-untyped]

from shoplake_assets.dashboard.data_health.sections import SECTIONS, tiles_of
from shoplake_assets.dashboard.page import Page, Request, aria, foot, tiles

if TYPE_CHECKING:
    from shoplake_assets.dashboard.data_health.sections import Section
    from shoplake_assets.health.reader import HealthReader
    from shoplake_assets.health.state import Health

PATH = "/health"
TITLE = "Data health"
SECONDS = 5

_OUTPUTS = {
    "tiles": Output("health-tiles", "children"),
    **{section.id: Output(f"health-{section.id}", "children") for section in SECTIONS},
}


def data_health_page(health: "HealthReader", *, dagster_url: str) -> Page:
    """Make the page over the lake's health."""
    return Page(
        id="health",
        path=PATH,
        title=TITLE,
        seconds=SECONDS,
        skeleton=partial(skeleton, dagster_url=dagster_url),
        outputs=_OUTPUTS,
        changes=lambda request: changes(health.look(), request=request, dagster_url=dagster_url),
    )


def skeleton(*, dagster_url: str) -> Component:
    """The page before the first values."""
    return html.Div(
        [
            html.Div(html.H1(TITLE), className="heading"),
            html.Dl(id="health-tiles", className="tiles", **aria(label="Key figures")),
            html.Div([_section(section) for section in SECTIONS], className="panels"),
            foot(
                [
                    f"Asks again every {SECONDS} seconds. ",
                    html.A("Open the Dagster UI", href=dagster_url),
                    " for lineage, runs and the history of each check.",
                ]
            ),
        ]
    )


def changes(health: "Health", *, request: Request, dagster_url: str) -> dict[str, Any]:
    """The parts of the page that differ from what is shown."""
    parts: dict[str, Any] = {"tiles": tiles(tiles_of(health))}
    parts |= {section.id: section.content(health, zone=request.zone, dagster_url=dagster_url) for section in SECTIONS}
    stamps = {name: blake2b(to_json_plotly(part).encode(), digest_size=16).hexdigest() for name, part in parts.items()}
    found = {name: part for name, part in parts.items() if request.shown.get(name) != stamps[name]}
    return found | ({"shown": stamps} if found else {})


def _section(section: "Section") -> Component:
    heading = f"health-{section.id}-heading"
    return html.Section(
        [
            html.H2(section.title, id=heading),
            html.Div("Asking\u2026", id=f"health-{section.id}", className="section"),
        ],
        className="panel wide",
        **aria(labelledby=heading),
    )
