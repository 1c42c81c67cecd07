"""The dashboard's application: what changes when.

Belongs here: Dash, its one callback and its HTTP headers. Does not belong here: content (`panels`) and HTML
(`layout`). A part of the page is sent again only when a snapshot that it is made of has changed, so that nothing
flickers and an idle lake costs nothing.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, no_update
from sqlalchemy.exc import SQLAlchemyError

from shoplake_assets.dashboard import layout
from shoplake_assets.dashboard.data import LakeReader
from shoplake_assets.dashboard.panels import PANELS, TILES, Range, tiles
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import LOOPBACK
from shoplake_assets.tables import GOLD

if TYPE_CHECKING:
    from flask import Response

    from shoplake_assets.dashboard.data import LakeView
    from shoplake_assets.dashboard.panels import Panel
    from shoplake_assets.settings import Settings

_ASSETS = Path(__file__).parent / "assets"
_LOG = logging.getLogger(__name__)


_OUTPUTS = {
    "trouble": Output("trouble", "children"),
    "trouble_hidden": Output("trouble", "hidden"),
    "empty": Output("empty", "children"),
    "empty_hidden": Output("empty", "hidden"),
    "panels_hidden": Output("panels", "hidden"),
    "windows": Output("windows", "children"),
    "tiles": Output("tiles", "children"),
    "source": Output("source", "children"),
    "shown": Output("shown", "data"),
    **{
        f"{panel.id}-{part}": Output(f"{panel.id}-{part}", prop)
        for panel in PANELS
        for part, prop in (
            (layout.FIGURE, "figure"),
            (layout.CHART, "hidden"),
            (layout.NOTE, "children"),
            (layout.TABLE, "children"),
        )
    },
}


def build_app(settings: "Settings") -> Dash:
    """The dashboard over the lake of the settings, which may not exist yet."""
    app = Dash(
        "shoplake_dashboard",
        title=f"{layout.TITLE} \u00b7 Shoplake",
        update_title="",
        assets_folder=str(_ASSETS),
        serve_locally=True,
        index_string=layout.INDEX,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = layout.page(dagster_url=f"http://{LOOPBACK}:{settings.dagster.port}")
    reader = LakeReader(lambda: open_catalog(settings))

    @app.callback(
        output=_OUTPUTS,
        inputs={"_ticks": Input("clock", "n_intervals"), "search": Input("url", "search")},
        state={"shown": State("shown", "data")},
    )
    def refresh(_ticks: int | None, search: str | None, shown: dict[str, str]) -> dict[str, Any]:
        try:
            found = changes(
                reader.look(), window=layout.window_of(search), currency=settings.currency, shown=shown or {}
            )
        except (OSError, SQLAlchemyError) as error:
            _LOG.warning("the lake could not be read", exc_info=True)
            found = {"trouble": layout.trouble_text(error), "trouble_hidden": False}
        return {name: found.get(name, no_update) for name in _OUTPUTS}

    _add_headers(app)
    return app


def changes(view: "LakeView", *, window: str, currency: str, shown: dict[str, str]) -> dict[str, Any]:
    """The parts of the page that differ from what is shown.

    Args:
        view: A look at the lake.
        window: The chosen window.
        currency: Currency that amounts are shown in.
        shown: For each part, the stamp of what it was made of.
    """
    of = Range(view, window=window, currency=currency)
    always: dict[str, Any] = {"trouble_hidden": True}
    if of.newest is None:
        rows = " ".join(f"{name}={state.rows}" for name, state in view.states.items())
        if shown.get("empty") == rows and set(shown) == {"empty"}:
            return always
        return always | {
            "empty": layout.empty_text(view),
            "empty_hidden": False,
            "panels_hidden": True,
            "windows": layout.window_links(window),
            "source": layout.source_line(of),
            "shown": {"empty": rows},
        }
    stamps = {panel.id: of.stamp(*panel.tables) for panel in PANELS}
    stamps |= {"tiles": of.stamp(*TILES), "source": of.stamp(*GOLD)}
    if stamps == shown:
        return always
    found = always | {"empty_hidden": True, "panels_hidden": False, "shown": stamps}
    if stamps["source"] != shown.get("source"):
        found |= {"source": layout.source_line(of), "windows": layout.window_links(window)}
    if stamps["tiles"] != shown.get("tiles"):
        found["tiles"] = layout.tile_list(tiles(of, newest=of.newest))
    for panel in PANELS:
        if stamps[panel.id] != shown.get(panel.id):
            found |= _panel_parts(panel, of)
    return found


def _panel_parts(panel: "Panel", of: Range) -> dict[str, Any]:
    content = panel.content(of)
    parts = {
        layout.FIGURE: content.figure or no_update,
        layout.CHART: content.figure is None,
        layout.NOTE: content.note,
        layout.TABLE: layout.value_table(content, title=panel.title),
    }
    return {f"{panel.id}-{part}": value for part, value in parts.items()}


def _add_headers(app: Dash) -> None:
    """Let a browser run the page's own scripts only, and nothing that data might bring in."""
    hashes = " ".join(f"'{one}'" if not one.startswith("'") else one for one in app.csp_hashes())
    policy = (
        f"default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )

    def add(response: "Response") -> "Response":
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.server.after_request(add)
