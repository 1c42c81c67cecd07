"""The page: its skeleton, and the parts that change.

Belongs here: values to Dash components. Does not belong here: what the values are, and when they change (`app`). All
text goes into components as text, which the browser never reads as markup.
"""

from typing import Any
from urllib.parse import parse_qs

from dash import dcc, html
from dash.development.base_component import Component

from shoplake_assets.dashboard import figures, wording
from shoplake_assets.dashboard.data import LakeView
from shoplake_assets.dashboard.insights import DEFAULT_WINDOW, WINDOWS
from shoplake_assets.dashboard.panels import PANELS, Content, Panel, Range
from shoplake_assets.tables import GOLD, GOLD_HOURLY_SALES

REFRESH_SECONDS = 5

TITLE = "Batch Insights (Gold)"

INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="color-scheme" content="light dark">
    {%metas%}
    <title>{%title%}</title>
    {%favicon%}
    {%css%}
  </head>
  <body>
    <noscript>This page draws its charts with JavaScript, which is switched off.</noscript>
    {%app_entry%}
    {%config%}
    {%scripts%}
    {%renderer%}
  </body>
</html>
"""

# What a panel's parts are called after its own name.
FIGURE, CHART, NOTE, TABLE = "figure", "chart", "note", "table"

_WINDOW_NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "all": "All"}


def page(*, dagster_url: str) -> Component:
    """The skeleton; it says that values are being read until they are there."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Interval(id="clock", interval=REFRESH_SECONDS * 1000),
            dcc.Store(id="shown", data={}),
            html.A("Skip to the charts", href="#panels", className="skip"),
            html.Header(
                [
                    html.Div([html.P("Shoplake", className="brand"), html.H1(TITLE)]),
                    html.Nav(window_links(DEFAULT_WINDOW), id="windows", **_aria(label="Range")),
                ]
            ),
            html.P(id="trouble", className="trouble", hidden=True, role="alert"),
            html.Main(
                [
                    html.P("Reading Gold\u2026", id="empty", className="empty", hidden=False),
                    html.Div(
                        [
                            html.Dl(id="tiles", className="tiles", **_aria(label="Key figures")),
                            html.Div([_panel(panel) for panel in PANELS], className="panels"),
                        ],
                        id="panels",
                        hidden=True,
                        tabIndex="-1",
                    ),
                ]
            ),
            html.Div(
                [
                    html.P(id="source"),
                    html.P(
                        [
                            f"Looks for new snapshots every {REFRESH_SECONDS} seconds. ",
                            html.A("Open the Dagster UI", href=dagster_url),
                            " for lineage, runs and checks.",
                        ]
                    ),
                ],
                className="colophon",
                role="contentinfo",
            ),
        ],
        className="page",
    )


def window_of(search: str | None) -> str:
    """The window that the URL's query names; the default where it names none that exists."""
    asked = parse_qs((search or "").removeprefix("?")).get("window", [""])[-1]
    return asked if asked in WINDOWS else DEFAULT_WINDOW


def window_links(current: str) -> list[Component]:
    """Links to each window; the URL is the only place that keeps which is chosen."""
    return [
        html.Span(
            dcc.Link(_WINDOW_NAMES[name], href=f"?window={name}", className="window"),
            className="current" if name == current else "",
            **(_aria(current="true") if name == current else {}),
        )
        for name in WINDOWS
    ]


def tile_list(tiles: list[tuple[str, str, str]]) -> list[Component]:
    """The tiles of key figures."""
    return [
        html.Div([html.Dt(label), html.Dd(value, className="value"), html.Dd(beneath, className="beneath")])
        for label, value, beneath in tiles
    ]


def value_table(content: Content, *, title: str) -> list[Component]:
    """The exact values of a panel as a table, for those who read rather than hover."""
    if not content.rows:
        return []
    head = html.Thead(html.Tr([html.Th(column, scope="col") for column in content.columns]))
    body = html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in content.rows])
    return [html.Table([html.Caption(title), head, body])]


def empty_text(view: LakeView) -> str:
    """Why there is nothing to see."""
    reason = wording.why_empty({name: state.rows for name, state in view.states.items()})
    return f"No event has reached Gold yet: {reason}"


def trouble_text(error: Exception) -> str:
    """That what is shown may be old, and why."""
    return f"The lake could not be read just now: {error}. What is shown may be old; next try in {REFRESH_SECONDS} s."


def source_line(of: Range) -> list[Component | str]:
    """Which state of Gold the page shows."""
    state = of.view.states.get(GOLD_HOURLY_SALES)
    if state is None or state.snapshot_id is None or state.committed_at is None:
        return ["Gold has no snapshot yet."]
    newest = max(one.committed_at for one in map(of.view.states.get, GOLD) if one and one.committed_at)
    return [
        f"{GOLD_HOURLY_SALES} snapshot ",
        html.Span(str(state.snapshot_id), className="number"),
        ", committed ",
        html.Time(wording.moment(state.committed_at), dateTime=state.committed_at.isoformat()),
        f", reflects {wording.reach(state.position)}. Newest commit to any Gold table: ",
        html.Time(wording.moment(newest), dateTime=newest.isoformat()),
        ".",
    ]


def _aria(**attributes: str) -> dict[str, Any]:
    """Attributes for assistive technology, whose names are no Python names."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def _panel(panel: Panel) -> Component:
    heading = f"{panel.id}-heading"
    # The note and the table say in words what the chart shows, so assistive technology may pass over the drawing.
    chart = html.Div(
        dcc.Graph(
            id=f"{panel.id}-{FIGURE}",
            figure=figures.blank(),
            config={"displayModeBar": False, "responsive": True, "showTips": False, "doubleClick": False},
            responsive=True,
        ),
        id=f"{panel.id}-{CHART}",
        className="chart",
        hidden=False,
        **_aria(hidden="true"),
    )
    values = html.Details(
        [
            html.Summary(["Exact values", html.Span(f" of {panel.title.lower()}", className="unseen")]),
            html.Div(
                id=f"{panel.id}-{TABLE}",
                className="values",
                tabIndex="0",
                role="region",
                **_aria(label=f"{panel.title}, exact values"),
            ),
        ]
    )
    return html.Section(
        [html.H2(panel.title, id=heading), html.P(id=f"{panel.id}-{NOTE}", className="note"), chart, values],
        id=panel.id,
        className="panel",
        **_aria(labelledby=heading),
    )
