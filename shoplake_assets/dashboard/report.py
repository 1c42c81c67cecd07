"""The figures of Gold as one HTML file that needs nothing else: no server, no network.

Belongs here: from a look at the lake to the text of the file. Does not belong here: where it is kept and when it is
made (`assets.report`). It shows what the page "Batch Insights" shows, from the same panels.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from plotly.io import to_html  # type: ignore[import-untyped]

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.insights.panels import PANELS, Range, tiles
from shoplake_assets.dashboard.insights.selection import Selection
from shoplake_assets.dashboard.values import Content
from shoplake_assets.tables import GOLD_HOURLY_SALES

if TYPE_CHECKING:
    from shoplake_assets.dashboard.data import LakeView

FILE = "sales_report.html"
"""What the file is called among the exports."""
WINDOW = "7d"

_PLOTLY = files("shoplake_assets.dashboard") / "assets" / "plotly-basic.min.js"
_TEMPLATES = Environment(loader=PackageLoader("shoplake_assets.dashboard"), autoescape=True)
_HEIGHT = 380


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A panel as the template takes it."""

    title: str
    content: Content
    drawing: Markup | None
    rows: list[list[str]]


def report(view: "LakeView", *, currency: str, made_at: datetime) -> str:
    """The report about the seven days up to the newest hour with events.

    Args:
        view: A look at the lake.
        currency: Currency that amounts are shown in.
        made_at: When the report is made, UTC.
    """
    of = Range(view, selection=Selection(window=WINDOW), currency=currency)
    state = view.states.get(GOLD_HOURLY_SALES)
    rows = {name: table.rows for name, table in view.states.items()}
    return _TEMPLATES.get_template("report.html").render(
        made_at=wording.moment(made_at),
        source=None if state is None else f"snapshot {state.snapshot_id}, {wording.reach(state.position)}",
        empty=None if of.newest else wording.why_empty(rows),
        tiles=tiles(of, newest=of.newest) if of.newest else [],
        parts=[_part(panel.title, panel.content(of), currency=currency) for panel in PANELS] if of.newest else [],
        plotly=Markup(_PLOTLY.read_text(encoding="utf-8")),  # noqa: S704  the library's own script
    )


def _part(title: str, content: Content, *, currency: str) -> _Part:
    drawing = None
    if content.figure is not None:
        drawing = to_html(
            content.figure,
            config={"displayModeBar": False, "responsive": True},
            include_plotlyjs=False,
            full_html=False,
            default_height=f"{_HEIGHT}px",
        )
    return _Part(
        title=title,
        content=content,
        # Plotly writes a figure so that no text within can end the script; a test sends one that tries.
        drawing=None if drawing is None else Markup(drawing),  # noqa: S704
        rows=content.exact.shown(currency=currency, zone=UTC),
    )
