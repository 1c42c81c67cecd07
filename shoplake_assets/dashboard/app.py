"""The dashboard's application: which pages there are, when they change, and what else is served.

Belongs here: Dash, its callbacks, HTTP routes and headers. Does not belong here: what a page shows (`live`, `insights`,
`data_health`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from flask import Response, abort, request, send_file
from sqlalchemy.exc import SQLAlchemyError

from shoplake_assets.dashboard.data import LakeReader
from shoplake_assets.dashboard.data_health.page import data_health_page
from shoplake_assets.dashboard.insights.page import CATEGORY, CHOSEN, FIRST, LAST, PATH, chosen, insights_page
from shoplake_assets.dashboard.insights.panels import PANELS, Range
from shoplake_assets.dashboard.insights.selection import Selection
from shoplake_assets.dashboard.live.page import live_page
from shoplake_assets.dashboard.page import INDEX, Page, Request, content, frame, links
from shoplake_assets.dashboard.report import FILE
from shoplake_assets.dashboard.wording import zone_of
from shoplake_assets.health.reader import HealthReader
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.metrics.lake import register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoplake_assets.settings import Settings

_ASSETS = Path(__file__).parent / "assets"
_LOG = logging.getLogger(__name__)


def build_app(settings: "Settings") -> Dash:
    """The dashboard over the lake of the settings, which may not exist yet."""
    app = Dash(
        "shoplake_dashboard",
        title="Shoplake",
        update_title="",
        assets_folder=str(_ASSETS),
        serve_locally=True,
        index_string=INDEX,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        # The parts of a page exist only while it is shown.
        suppress_callback_exceptions=True,
    )
    reader = LakeReader(lambda: open_catalog(settings))
    health = HealthReader(settings)
    pages = (
        live_page(reader, health, currency=settings.currency),
        insights_page(reader, currency=settings.currency, dagster_url=settings.dagster_link),
        data_health_page(health, dagster_url=settings.dagster_link),
    )
    app.layout = frame(pages)
    _add_navigation(app, pages)
    for page in pages:
        _add_changes(app, page)
    _add_choices(app)
    _add_downloads(app, reader, settings)
    _add_report(app, settings)
    register(app.server, health)
    _add_headers(app)
    return app


def _add_navigation(app: Dash, pages: "Sequence[Page]") -> None:
    by_path = {page.path: page for page in pages}

    @app.callback(
        output={"content": Output("content", "children"), "links": Output("pages", "children")},
        inputs={"path": Input("url", "pathname")},
    )
    def show(path: str | None) -> dict[str, Any]:
        page = by_path.get(path or "/", pages[0])
        return {"content": content(page), "links": links(pages, current=page)}

    # These two are written in the browser's own language, because only a browser knows the answers.
    for what, given in (("zone", Input("url", "pathname")), ("title", Input("pages", "children"))):
        app.clientside_callback(ClientsideFunction("shoplake", what), Output(what, "data"), given)  # type: ignore[no-untyped-call]


def _add_changes(app: Dash, page: Page) -> None:
    outputs = {
        **page.outputs,
        "trouble": Output(f"{page.id}-trouble", "children"),
        "trouble_hidden": Output(f"{page.id}-trouble", "hidden"),
        "shown": Output(f"{page.id}-shown", "data"),
    }

    @app.callback(
        output=outputs,
        inputs={
            "_ticks": Input(f"{page.id}-clock", "n_intervals"),
            "search": Input("url", "search"),
            "zone": Input("zone", "data"),
        },
        state={"shown": State(f"{page.id}-shown", "data"), "states": dict(page.states)},
    )
    def change(
        _ticks: int | None, search: str | None, zone: str | None, shown: dict[str, str], states: dict[str, Any]
    ) -> dict[str, Any]:
        asked = Request(search=search or "", zone=zone_of(zone), shown=shown or {}, states=states)
        try:
            found = {"trouble_hidden": True, **page.changes(asked)}
        except (OSError, SQLAlchemyError) as error:
            _LOG.warning("the lake could not be read", exc_info=True)
            found = {"trouble": _trouble(error, page), "trouble_hidden": False}
        return {name: found.get(name, no_update) for name in outputs}


def _trouble(error: Exception, page: Page) -> str:
    """That what is shown may be old, and why."""
    return f"The lake could not be read just now: {error}. What is shown may be old; next try in {page.seconds:g} s."


def _add_choices(app: Dash) -> None:
    """Bring what a viewer chooses on "Batch Insights" into the URL, from where the page takes it."""

    @app.callback(
        output={"search": Output("url", "search"), "chosen": Output(CHOSEN, "data")},
        inputs={
            "first": Input(FIRST, "value"),
            "last": Input(LAST, "value"),
            "category": Input(CATEGORY, "value"),
        },
        state={"search": State("url", "search")},
        prevent_initial_call=True,
    )
    def choose(first: str | None, last: str | None, category: str | None, search: str | None) -> dict[str, Any]:
        query = chosen(search or "", first=first, last=last, category=category)
        return {"search": query or no_update, "chosen": query}


def _add_downloads(app: Dash, reader: LakeReader, settings: "Settings") -> None:
    by_id = {panel.id: panel for panel in PANELS}

    def download(panel_id: str) -> Response:
        panel = by_id.get(panel_id)
        if panel is None:
            abort(404)
        selection = Selection.from_query(request.query_string.decode())
        of = Range(reader.look(), selection=selection, currency=settings.currency)
        text = panel.content(of).exact.to_csv()
        name = f"attachment; filename={panel_id}.csv"
        return Response(text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})

    app.server.add_url_rule(f"{PATH}/<panel_id>.csv", view_func=download)


def _add_report(app: Dash, settings: "Settings") -> None:
    """Serve the newest report, which Dagster makes and names by this address."""
    folder = settings.exports_folder

    def serve_report() -> Response:
        if folder is None or not (folder / FILE).is_file():
            abort(404, "There is no report in the folder of the exports; Dagster makes it with them.")
        return send_file(folder / FILE)

    app.server.add_url_rule("/report", view_func=serve_report)


def _add_headers(app: Dash) -> None:
    """Let a browser run the page's own scripts only, and nothing that data might bring in."""
    hashes = " ".join(f"'{one}'" if not one.startswith("'") else one for one in app.csp_hashes())
    policy = (
        f"default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )

    def add(response: Response) -> Response:
        # The report brings its own scripts, and a policy of its own that lets nothing in from elsewhere.
        if request.path != "/report":
            response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.server.after_request(add)
