"""The figures that only this page draws.

Belongs here: plain values to a Plotly figure; pure. What all pages draw is in `dashboard.figures`.
"""

from datetime import tzinfo
from typing import TYPE_CHECKING

import plotly.graph_objects as go  # type: ignore[import-untyped]

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.axes import instant, time_axis
from shoplake_assets.dashboard.figures import BLUE, VERMILION, figure, money_axis
from shoplake_assets.dashboard.insights.numbers import DAY

if TYPE_CHECKING:
    from shoplake_assets.dashboard.insights.numbers import Bucket, Series

# A young lake's few buckets do not fill the whole width.
_LEAST_BUCKETS = 12


def revenue_over_time(series: "Series", *, currency: str, zone: tzinfo, revision: str) -> go.Figure:
    """Revenue of each hour or day; one with events and no purchase is a ring, so that it differs from no data."""

    def named(bucket: "Bucket") -> str:
        start = bucket.start
        return wording.day(start) if series.step == DAY else wording.hour_in_full(start, zone=zone)

    sold = [one for one in series.buckets if one.totals.purchases]
    idle = [one for one in series.buckets if not one.totals.purchases]
    width = series.step.total_seconds() * 1000
    traces = [
        go.Bar(
            name="Revenue",
            x=[instant(one.start) for one in sold],
            y=[float(one.totals.revenue) for one in sold],
            offset=0,
            width=width * 0.92,
            marker={"color": BLUE},
            customdata=[
                [
                    named(one),
                    wording.money(one.totals.revenue, currency=currency),
                    wording.counted(one.totals.purchases, "purchase"),
                    wording.money(one.totals.average_order_value, currency=currency),
                    wording.counted(one.totals.events, "event"),
                ]
                for one in sold
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}, "
            "%{customdata[3]} each on average<br>%{customdata[4]}<extra></extra>",
        )
    ]
    if idle:
        traces.append(
            go.Scatter(
                name="Events, no purchase",
                x=[instant(one.start + series.step / 2) for one in idle],
                y=[0] * len(idle),
                mode="markers",
                marker={"symbol": "circle-open", "size": 8, "color": VERMILION, "line": {"width": 2}},
                cliponaxis=False,
                customdata=[[named(one), wording.counted(one.totals.events, "event")] for one in idle],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}, no purchase<extra></extra>",
            )
        )
    end = series.buckets[-1].start + series.step
    start = min(series.buckets[0].start, end - _LEAST_BUCKETS * series.step)
    return figure(
        traces,
        revision=revision,
        showlegend=bool(idle),
        xaxis=time_axis(start, end, zone=zone),
        yaxis=money_axis(currency),
    )
