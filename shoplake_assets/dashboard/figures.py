"""Figures that more than one page draws, and the style of all of them.

Belongs here: plain values to Plotly figures; pure. Does not belong here: what the values are. The length of a bar is a
float, since that is what a screen can draw; what is read off it is exact text. Text from events is escaped, because
Plotly takes text for markup. Ink and grid come from the style sheet, so that a figure fits light and dark; the colours
of the data are of Okabe and Ito's palette and stand out by 3:1 on both.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped]

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.values import Entry, Stage

BLUE, GREEN, VERMILION = "#0072B2", "#009E73", "#D55E00"

MOST_BARS = 10
"""Entries of a list that are drawn; the table beneath has them all."""

_LABEL_LENGTH = 32
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def blank() -> go.Figure:
    """A figure without anything, for the time before the first values."""
    return figure([], revision="blank", xaxis={"visible": False}, yaxis={"visible": False})


def ranking(entries: Sequence[Entry], *, currency: str, revision: str, room_for: int = MOST_BARS) -> go.Figure:
    """The first of a list, as bars of revenue; entries of the same name stay apart."""
    drawn = entries[:room_for]
    return _bars(
        positions=[entry.rank for entry in drawn],
        lengths=[float(entry.revenue) for entry in drawn],
        labels=[entry.name for entry in drawn],
        ends=[wording.money(entry.revenue, currency=currency) for entry in drawn],
        colour=BLUE,
        thickness=0.28,
        room_for=room_for,
        revision=revision,
        customdata=[
            [
                wording.plain(entry.name),
                wording.plain(entry.detail) + "<br>" if entry.detail else "",
                wording.money(entry.revenue, currency=currency),
                wording.counted(entry.purchases, "purchase"),
                wording.counted(entry.units, "unit"),
            ]
            for entry in drawn
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}%{customdata[2]}<br>%{customdata[3]}, "
        "%{customdata[4]}<extra></extra>",
    )


def conversion(stages: Sequence[Stage], *, revision: str) -> go.Figure:
    """How far sessions came, with the share of those that viewed."""
    return _bars(
        positions=list(range(1, len(stages) + 1)),
        lengths=[stage.sessions for stage in stages],
        labels=[stage.name for stage in stages],
        ends=[f"{wording.count(stage.sessions)} ({wording.percent(stage.of_viewed)})" for stage in stages],
        colour=GREEN,
        thickness=0.5,
        room_for=len(stages),
        revision=revision,
        customdata=[
            [stage.name, wording.counted(stage.sessions, "session"), wording.percent(stage.of_viewed)]
            for stage in stages
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]} of those that viewed"
        "<extra></extra>",
    )


def _bars(  # noqa: PLR0913  every argument is a column of the same bars
    *,
    positions: list[int],
    lengths: Sequence[float],
    labels: list[str],
    ends: list[str],
    colour: str,
    thickness: float,
    room_for: int,
    revision: str,
    customdata: list[list[str]],
    hovertemplate: str,
) -> go.Figure:
    bar = go.Bar(
        orientation="h",
        x=lengths,
        y=positions,
        offset=thickness * -0.2,
        width=thickness,
        marker={"color": colour},
        customdata=customdata,
        hovertemplate=hovertemplate,
    )
    # Above its bar a label has the whole width, even on a phone.
    above = {
        "xref": "paper",
        "yref": "y",
        "showarrow": False,
        "yanchor": "bottom",
        "borderpad": 0,
        "borderwidth": 0,
        "yshift": 3,
    }
    lines = [
        (position - thickness * 0.2, label, end) for position, label, end in zip(positions, labels, ends, strict=True)
    ]
    return figure(
        [bar],
        revision=revision,
        annotations=[
            note
            for y, label, end in lines
            for note in (
                {
                    "x": 0,
                    "xanchor": "left",
                    "y": y,
                    "text": wording.plain(wording.shortened(label, length=_LABEL_LENGTH)),
                    **above,
                },
                {"x": 1, "xanchor": "right", "y": y, "text": end, **above},
            )
        ],
        xaxis={"visible": False, "range": [0, max(lengths, default=0) or 1]},
        yaxis={"visible": False, "range": [room_for + 0.5, 0.3]},
    )


def figure(
    traces: list[Any],
    *,
    revision: str,
    showlegend: bool = False,
    annotations: Sequence[dict[str, Any]] = (),
    **axes: Any,
) -> go.Figure:
    """A figure in the common style; what a viewer did to it stays while `revision` is the same."""
    return go.Figure(
        traces,
        {
            "template": "none",
            "uirevision": revision,
            "autosize": True,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 0, "r": 4, "t": 8, "b": 4},
            "font": {"family": _FONT, "size": 13},
            # A drag across a chart scrolls the page of a phone; there is nothing to select.
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": "#1B2430",
                "bordercolor": "#1B2430",
                "font": {"color": "#FFFFFF", "family": _FONT, "size": 13},
                "align": "left",
                "namelength": -1,
            },
            "showlegend": showlegend,
            "annotations": annotations,
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
            **{name: {"fixedrange": True, "automargin": True, **axis} for name, axis in axes.items()},
        },
    )


def money_axis(currency: str) -> dict[str, Any]:
    """An axis of amounts, which are read off the hover and not off the axis."""
    return {
        "tickprefix": wording.SYMBOLS[currency],
        "tickformat": "~s",
        "ticklabelstandoff": 4,
        "zeroline": False,
        "rangemode": "tozero",
        "nticks": 6,
    }
