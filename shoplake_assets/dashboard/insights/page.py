"""The page "Batch Insights (Gold Layer)": its skeleton, and the parts of it that change.

Belongs here: values to Dash components, and which of them differ from what is shown. Does not belong here: what the
values are (`insights.panels`). A part is sent again only when a snapshot that it is made of has changed, so that
nothing flickers and an idle lake costs nothing.
"""

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import Output, State, dcc, html, no_update
from dash.development.base_component import Component

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.data import LakeView
from shoplake_assets.dashboard.insights.numbers import WINDOWS
from shoplake_assets.dashboard.insights.panels import PANELS, TILES, Panel, Range, categories_of, tiles
from shoplake_assets.dashboard.insights.selection import Selection
from shoplake_assets.dashboard.page import (
    Page,
    Request,
    aria,
    chart,
    choices,
    foot,
    rows_of_text,
    scrolling,
)
from shoplake_assets.dashboard.page import tiles as tile_list
from shoplake_assets.dashboard.values import Content, Kind
from shoplake_assets.tables import GOLD, GOLD_CATEGORY_SALES, GOLD_HOURLY_SALES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from shoplake_assets.dashboard.data import LakeReader

PATH = "/insights"
TITLE = "Batch Insights (Gold Layer)"
SECONDS = 5
FIRST, LAST, CATEGORY = "insights-first", "insights-last", "insights-category"
"""Ids of what a viewer chooses with."""
CHOSEN = "insights-chosen"
"""Id of the query that a viewer has just chosen with them."""

# What a panel's parts are called after its own name.
FIGURE, CHART, NOTE, TABLE, DOWNLOAD = "figure", "chart", "note", "table", "download"

_WINDOW_NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "all": "All"}
_OUTPUTS = {
    "empty": Output("insights-empty", "children"),
    "empty_hidden": Output("insights-empty", "hidden"),
    "panels_hidden": Output("insights-panels", "hidden"),
    "windows": Output("insights-windows", "children"),
    "inputs": Output("insights-inputs", "children"),
    "known": Output(f"{CATEGORY}-known", "children"),
    "tiles": Output("insights-tiles", "children"),
    "source": Output("insights-source", "children"),
    **{
        f"{panel.id}-{part}": Output(f"{panel.id}-{part}", prop)
        for panel in PANELS
        for part, prop in (
            (FIGURE, "figure"),
            (CHART, "hidden"),
            (NOTE, "children"),
            (TABLE, "children"),
            (DOWNLOAD, "href"),
        )
    },
}


def insights_page(reader: "LakeReader", *, currency: str, dagster_url: str) -> Page:
    """Make the page over the lake."""
    return Page(
        id="insights",
        path=PATH,
        title=TITLE,
        seconds=SECONDS,
        skeleton=partial(skeleton, dagster_url=dagster_url),
        outputs=_OUTPUTS,
        changes=lambda request: changes(reader.look(), request=request, currency=currency),
        states={"chosen": State(CHOSEN, "data")},
    )


def skeleton(*, dagster_url: str) -> Component:
    """The page before the first values; it says that they are being read."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(TITLE),
                    dcc.Store(id=CHOSEN),
                    html.Div(
                        [
                            html.Nav(id="insights-windows", **aria(label="Range")),
                            html.Div(id="insights-inputs", className="filters"),
                            html.Datalist(id=f"{CATEGORY}-known"),
                        ],
                        className="filters",
                    ),
                ],
                className="heading",
            ),
            html.P("Reading Gold\u2026", id="insights-empty", className="empty", hidden=False),
            html.Div(
                [
                    html.Dl(id="insights-tiles", className="tiles", **aria(label="Key figures")),
                    html.Div([_panel(panel) for panel in PANELS], className="panels"),
                ],
                id="insights-panels",
                hidden=True,
            ),
            html.Div(
                [
                    html.P(id="insights-source"),
                    foot(
                        [
                            f"Looks for new snapshots every {SECONDS} seconds. ",
                            html.A("Open the Dagster UI", href=dagster_url),
                            " for lineage, runs and checks.",
                        ]
                    ),
                ],
                className="colophon",
            ),
        ]
    )


def changes(view: LakeView, *, request: Request, currency: str) -> dict[str, Any]:
    """The parts of the page that differ from what is shown.

    Args:
        view: A look at the lake.
        request: What is asked for.
        currency: Currency that amounts are shown in.
    """
    selection = Selection.from_query(request.search)
    of = Range(view, selection=selection, currency=currency, zone=request.zone)
    if of.newest is None:
        return _empty(of, shown=request.shown)
    stamps = {panel.id: of.stamp(*panel.tables) for panel in PANELS}
    known = str(view.snapshot_id(GOLD_CATEGORY_SALES))
    stamps |= {"tiles": of.stamp(*TILES), "source": of.stamp(*GOLD), "query": selection.query, "known": known}
    changed = {name for name, stamp in stamps.items() if request.shown.get(name) != stamp}
    if not changed:
        return {}
    found: dict[str, Any] = {"empty_hidden": True, "panels_hidden": False, "shown": stamps}
    if "source" in changed:
        found["source"] = source_line(of)
    if "query" in changed:
        found["windows"] = windows(selection)
    if "known" in changed:
        found["known"] = [html.Option(value=name) for name in _known_categories(of)]
    # What a viewer has chosen with the inputs stands in them already; the next choice may be under way.
    if "query" in changed and request.states.get("chosen") != selection.query:
        found["inputs"] = inputs(selection)
    if "tiles" in changed:
        found["tiles"] = tile_list(tiles(of, newest=of.newest))
    for panel in PANELS:
        if panel.id in changed:
            found |= _panel_parts(panel, of)
    return found


def _known_categories(of: Range) -> list[str]:
    """Every category that Gold has, by name."""
    everything = Range(of.view, selection=Selection(window="all"), currency=of.currency)
    return sorted(entry.name for entry in categories_of(everything))


def windows(selection: Selection) -> list[Component]:
    """Links to the windows; the URL is the only place that keeps what is chosen."""
    targets = [(_WINDOW_NAMES[name], selection.within(name).query) for name in WINDOWS]
    return choices(targets, current=None if selection.by_days else selection.query)


def inputs(selection: Selection) -> list[Component]:
    """What a viewer chooses days and a category with, as they are chosen now."""
    return [
        *(
            _day_input(name, id_, day)
            for name, id_, day in (("From", FIRST, selection.first), ("to", LAST, selection.last))
        ),
        html.Label(
            [
                "Category",
                dcc.Input(
                    id=CATEGORY,
                    list=f"{CATEGORY}-known",
                    value=selection.category or "",
                    placeholder="all",
                    debounce=True,
                ),
            ],
            htmlFor=CATEGORY,
        ),
    ]


def _day_input(name: str, id_: str, day: "date | None") -> Component:
    """The browser's own input of a day: Dash hands the type through, and its date picker fails accessibility checks."""
    given = str(day) if day else ""
    field = dcc.Input(id=id_, type="date", value=given, min="2000-01-01", max="9999-12-30")  # type: ignore[arg-type]
    return html.Label([name, field], htmlFor=id_, title="A whole UTC day")


def chosen(search: str, *, first: str | None, last: str | None, category: str | None) -> str | None:
    """The URL's query once a viewer has chosen; None if it says so already."""
    now = Selection.from_query(search)
    given = {"window": now.window, "from": first, "to": last, "category": category}
    wanted = Selection.from_query(urlencode({name: value for name, value in given.items() if value}))
    return None if wanted == now else wanted.query


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
        html.Time(wording.moment(state.committed_at, zone=of.zone), dateTime=state.committed_at.isoformat()),
        f", reflects {wording.reach(state.position)}. Newest commit to any Gold table: ",
        html.Time(wording.moment(newest, zone=of.zone), dateTime=newest.isoformat()),
        ".",
    ]


def _empty(of: Range, *, shown: "Mapping[str, str]") -> dict[str, Any]:
    """The page while no event has reached Gold: it says how far the events have come."""
    rows = {name: state.rows for name, state in of.view.states.items()}
    if shown == {"empty": str(rows)}:
        return {}
    return {
        "empty": f"No event has reached Gold yet: {wording.why_empty(rows)}",
        "empty_hidden": False,
        "panels_hidden": True,
        "source": source_line(of),
        "shown": {"empty": str(rows)},
    }


def _panel_parts(panel: Panel, of: Range) -> dict[str, Any]:
    content = panel.content(of)
    parts = {
        FIGURE: content.figure or no_update,
        CHART: content.figure is None,
        NOTE: content.note,
        TABLE: _value_table(content, of=of, title=panel.title),
        DOWNLOAD: f"{PATH}/{panel.id}.csv{of.selection.query}",
    }
    return {f"{panel.id}-{part}": value for part, value in parts.items()}


def _value_table(content: Content, *, of: Range, title: str) -> list[Component]:
    """The exact values of a panel, for those who read rather than hover."""
    if not content.exact.rows:
        return []
    columns = content.exact.columns
    return [
        rows_of_text(
            [column.title for column in columns],
            content.exact.shown(currency=of.currency, zone=of.zone),
            caption=title,
            numbers=[index for index, column in enumerate(columns) if column.kind not in _READ],
        )
    ]


# Kinds that are read from the left; numbers are compared from the right.
_READ = {Kind.TEXT, Kind.HOUR, Kind.DAY}


def _panel(panel: Panel) -> Component:
    heading = f"{panel.id}-heading"
    name = panel.title.lower()
    return html.Section(
        [
            html.Div(
                [
                    html.H2(panel.title, id=heading),
                    html.A(
                        ["CSV", html.Span(f" of {name}", className="unseen")],
                        id=f"{panel.id}-{DOWNLOAD}",
                        href=f"{PATH}/{panel.id}.csv",
                        className="download",
                        title="Download the exact values",
                    ),
                ],
                className="panel-head",
            ),
            html.P(id=f"{panel.id}-{NOTE}", className="note"),
            html.Div(chart(f"{panel.id}-{FIGURE}"), id=f"{panel.id}-{CHART}", className="chart", hidden=False),
            html.Details(
                [
                    html.Summary(["Exact values", html.Span(f" of {name}", className="unseen")]),
                    scrolling(id=f"{panel.id}-{TABLE}", label=f"{panel.title}, exact values"),
                ]
            ),
        ],
        id=panel.id,
        className="panel",
        **aria(labelledby=heading),
    )
