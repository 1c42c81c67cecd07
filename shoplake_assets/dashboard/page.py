"""What all pages have in common: their form, the frame around them, and small pieces of HTML.

Belongs here: the navigation, the line at the foot, attributes for assistive technology. Does not belong here: what a
single page shows (`live`, `insights`, `data_health`), and when it changes (`app`). All text goes into components as
text, which the browser never reads as markup.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from dash import Output, State, dcc, html
from dash.development.base_component import Component

from shoplake_assets.dashboard.figures import blank

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
    <noscript>These pages draw their charts with JavaScript, which is switched off.</noscript>
    {%app_entry%}
    {%config%}
    {%scripts%}
    {%renderer%}
  </body>
</html>
"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a page is asked for.

    Attributes:
        search: The URL's query.
        zone: The viewer's time zone.
        shown: For each part of the page, the stamp of what it was made of; empty at first.
        states: What else the page keeps in the browser, by the names of its `states`.
    """

    search: str
    zone: tzinfo
    shown: Mapping[str, str]
    states: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the dashboard.

    Attributes:
        id: Its name; the ids of its clock and of its stamps begin with it.
        path: Where it is.
        title: Its heading.
        seconds: Seconds between two looks for something new.
        skeleton: Its HTML before the first values.
        outputs: The properties that change, by the names that `changes` gives them.
        changes: The properties that differ from what is shown; `shown` among them holds the new stamps.
        states: What else it keeps in the browser and wants to know when it is asked.
    """

    id: str
    path: str
    title: str
    seconds: float
    skeleton: Callable[[], Component]
    outputs: Mapping[str, Output]
    changes: Callable[[Request], dict[str, Any]]
    states: Mapping[str, State] = field(default_factory=dict)


def frame(pages: Sequence[Page]) -> Component:
    """What is around every page."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="zone"),
            dcc.Store(id="title"),
            html.A("Skip to the content", href="#content", className="skip"),
            html.Header(
                [
                    html.P("Shoplake", className="brand"),
                    html.Nav(links(pages, current=None), id="pages", **aria(label="Pages")),
                ],
                className="top",
            ),
            html.Main(html.P("Loading\u2026", className="empty"), id="content", tabIndex="-1"),
        ],
        className="page",
    )


def links(pages: Sequence[Page], *, current: Page | None) -> list[Component]:
    """Links to the pages."""
    return choices([(page.title, page.path) for page in pages], current=current.path if current else None)


def choices(targets: Sequence[tuple[str, str]], *, current: str | None) -> list[Component]:
    """Links of which one may be the current one: texts and addresses."""
    return [
        html.Span(
            dcc.Link(text, href=address, className="choice"),
            className="current" if address == current else "",
            **(aria(current="page") if address == current else {}),
        )
        for text, address in targets
    ]


def content(page: Page) -> Component:
    """A page's skeleton with its clock, its stamps, and a place for what goes wrong."""
    return html.Div(
        [
            dcc.Interval(id=f"{page.id}-clock", interval=page.seconds * 1000),
            dcc.Store(id=f"{page.id}-shown", data={}),
            html.P(id=f"{page.id}-trouble", className="trouble", hidden=True, role="alert"),
            page.skeleton(),
        ]
    )


def foot(*lines: Component | str | list[Component | str]) -> Component:
    """The lines at the foot of a page."""
    return html.Div([html.P(line) for line in lines], className="colophon")


def chart(id_: str) -> Component:
    """A place for a figure.

    Assistive technology passes over the drawing: the note and the table beside it say in words what it shows.
    """
    return html.Div(
        dcc.Graph(
            id=id_,
            figure=blank(),
            config={"displayModeBar": False, "responsive": True, "showTips": False, "doubleClick": False},
            responsive=True,
        ),
        className="drawing",
        **aria(hidden="true"),
    )


def rows_of_text(
    columns: Sequence[str], rows: Sequence[Sequence[Component | str]], *, caption: str, numbers: Sequence[int] = ()
) -> Component:
    """A table of text or components.

    Args:
        columns: Heads of the columns.
        rows: The cells, row by row.
        caption: What the table is, for assistive technology.
        numbers: Columns that are set to the right.
    """
    kinds = ["number" if index in numbers else "text" for index in range(len(columns))]
    head = html.Tr([html.Th(column, scope="col", className=kind) for column, kind in zip(columns, kinds, strict=True)])
    body = [html.Tr([html.Td(cell, className=kind) for cell, kind in zip(row, kinds, strict=True)]) for row in rows]
    return html.Table([html.Caption(caption), html.Thead(head), html.Tbody(body)])


def scrolling(content: Component | None = None, *, label: str, **attributes: Any) -> Component:
    """A place that scrolls by itself, and that the keyboard can reach."""
    return html.Div(content, className="values", tabIndex="0", role="group", **aria(label=label), **attributes)


def tiles(values: Sequence[tuple[str, str, str]]) -> list[Component]:
    """Key figures: label, value, and what stands beneath."""
    return [
        html.Div([html.Dt(label), html.Dd(value, className="value"), html.Dd(beneath, className="beneath")])
        for label, value, beneath in values
    ]


def aria(**attributes: str) -> dict[str, Any]:
    """Attributes for assistive technology, whose names are no Python names."""
    return {f"aria-{name}": value for name, value in attributes.items()}
