"""The figure that only this page draws: events per second by type.

Belongs here: plain values to a Plotly figure; pure. What all pages draw is in `dashboard.figures`.
"""

from datetime import tzinfo
from typing import TYPE_CHECKING

import plotly.graph_objects as go  # type: ignore[import-untyped]

from shoplake_assets.dashboard.axes import instant, time_axis
from shoplake_assets.dashboard.figures import BLUE, GREEN, VERMILION, figure
from shoplake_assets.dashboard.live.numbers import STEP
from shoplake_assets.dashboard.wording import moment_in_full
from shoplake_assets.events.shape import EventType

if TYPE_CHECKING:
    from shoplake_assets.dashboard.live.numbers import Rates

# Told apart by colour, and by the way the line is drawn.
STYLES = {
    EventType.VIEW_ITEM: ("Viewed", BLUE, "solid"),
    EventType.ADD_TO_CART: ("Added to cart", VERMILION, "dash"),
    EventType.PURCHASE: ("Bought", GREEN, "dot"),
}


def event_rates(rates: "Rates", *, zone: tzinfo) -> go.Figure:
    """Events per second of each type, a line for each."""
    moments = [moment_in_full(start, zone=zone) for start in rates.starts]
    traces = [
        go.Scatter(
            name=name,
            x=[instant(start + STEP / 2) for start in rates.starts],
            y=[count / STEP.seconds for count in rates.counts[kind]],
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            customdata=[
                [at, f"{count / STEP.seconds:,.1f}"] for at, count in zip(moments, rates.counts[kind], strict=True)
            ],
            hovertemplate=f"<b>%{{customdata[1]}} a second</b>, {name.lower()}<br>"
            f"{STEP.seconds} s from %{{customdata[0]}}<extra></extra>",
        )
        for kind, (name, colour, dash) in STYLES.items()
    ]
    return figure(
        traces,
        revision="live",
        showlegend=True,
        xaxis=time_axis(rates.starts[0], rates.starts[-1] + STEP, zone=zone),
        yaxis={"rangemode": "tozero", "zeroline": False, "nticks": 6, "ticklabelstandoff": 4},
    )
