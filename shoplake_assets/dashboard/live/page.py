"""The page "Live": its skeleton, and the parts of it that change.

Belongs here: values to Dash components, and which of them differ from what is shown. Does not belong here: what the
values are (`live.numbers`).
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from dash import Output, html, no_update
from dash.development.base_component import Component

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.figures import conversion, ranking
from shoplake_assets.dashboard.live import numbers
from shoplake_assets.dashboard.live.figures import STYLES, event_rates
from shoplake_assets.dashboard.live.recent import Recent, RecentEvents
from shoplake_assets.dashboard.page import Page, Request, aria, chart, foot, rows_of_text, scrolling, tiles
from shoplake_assets.health.state import Pulse
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.dashboard.data import LakeReader, LakeView
    from shoplake_assets.dashboard.values import Stage
    from shoplake_assets.health.reader import HealthReader
    from shoplake_assets.health.state import Stream

PATH = "/"
TITLE = "Live"
SECONDS = 2

_TABLES = (BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE)
_RATE_BUCKETS = 4
_MINUTES = int(numbers.SPAN.total_seconds() // 60)
_PULSES = {
    Pulse.ACTIVE: "the stream keeps up",
    Pulse.LAGGING: "the stream runs and is behind",
    Pulse.STOPPED: "the ingest gives no sign of life",
}
_OUTPUTS = {
    "pulse": Output("live-pulse", "children"),
    "empty": Output("live-empty", "children"),
    "empty_hidden": Output("live-empty", "hidden"),
    "panels_hidden": Output("live-panels", "hidden"),
    "tiles": Output("live-tiles", "children"),
    "rates": Output("live-rates", "figure"),
    "rates_note": Output("live-rates-note", "children"),
    "funnel": Output("live-funnel", "figure"),
    "funnel_note": Output("live-funnel-note", "children"),
    "products": Output("live-products", "figure"),
    "products_hidden": Output("live-products-chart", "hidden"),
    "products_note": Output("live-products-note", "children"),
    "newest": Output("live-newest", "children"),
}


def live_page(reader: "LakeReader", health: "HealthReader", *, currency: str) -> Page:
    """Make the page over the lake and its stream."""
    recent = RecentEvents()

    def changed(request: Request) -> dict[str, Any]:
        view, stream = reader.look(_TABLES), health.look_at_stream()
        silver = view.table(SILVER_EVENTS)
        found = None if silver is None else recent.of(silver)
        return changes(view, found, stream, request=request, currency=currency)

    return Page(
        id="live", path=PATH, title=TITLE, seconds=SECONDS, skeleton=skeleton, outputs=_OUTPUTS, changes=changed
    )


def skeleton() -> Component:
    """The page before the first values; it says that they are being read."""
    return html.Div(
        [
            html.Div([html.H1(TITLE), html.P(id="live-pulse", className="pulse", role="status")], className="heading"),
            html.P("Reading Silver\u2026", id="live-empty", className="empty", hidden=False),
            html.Div(
                [
                    html.Dl(id="live-tiles", className="tiles", **aria(label="Key figures")),
                    html.Div(
                        [
                            _panel("rates", f"Events per second, last {_MINUTES} minutes"),
                            _panel("products", f"Top products, last {_MINUTES} minutes"),
                            _panel("funnel", f"Conversion funnel, last {_MINUTES} minutes"),
                            html.Section(
                                [
                                    html.H2("Newest events", id="live-newest-heading"),
                                    scrolling(id="live-newest", label="Newest events"),
                                ],
                                className="panel wide",
                                **aria(labelledby="live-newest-heading"),
                            ),
                        ],
                        className="panels",
                    ),
                ],
                id="live-panels",
                hidden=True,
            ),
            foot(
                f"From Silver, where every event has been validated. Looks for something new every {SECONDS} seconds; "
                "Silver has it some seconds after the shopper acted."
            ),
        ]
    )


def changes(
    view: "LakeView", recent: Recent | None, stream: "Stream", *, request: Request, currency: str
) -> dict[str, Any]:
    """The parts of the page that differ from what is shown.

    Args:
        view: A look at Bronze, Silver and the quarantine.
        recent: Silver's newest rows; None while there are none.
        stream: How the stream is.
        request: What is asked for.
        currency: Currency that amounts are shown in.
    """
    stamps = {"pulse": _pulse_text(stream)}
    found: dict[str, Any] = {}
    if request.shown.get("pulse") != stamps["pulse"]:
        found["pulse"] = _pulse(stream)
    if recent is None:
        stamps["empty"] = _empty_text(view)
        if request.shown.get("empty") != stamps["empty"]:
            found |= {"empty": stamps["empty"], "empty_hidden": False, "panels_hidden": True}
    else:
        stamps["silver"] = f"{recent.snapshot_id} {request.zone}"
        if request.shown.get("silver") != stamps["silver"]:
            found |= {"empty_hidden": True, "panels_hidden": False}
            found |= _contents(recent, zone=request.zone, currency=currency)
    return found | ({"shown": stamps} if found else {})


def _contents(recent: Recent, *, zone: tzinfo, currency: str) -> dict[str, Any]:
    now, events = recent.now, recent.rows
    rates = numbers.rates(events, now=now)
    stages = numbers.funnel(events, now=now)
    products = numbers.top_products(events, now=now)
    until = wording.moment_in_full(now, zone=zone)
    return {
        "tiles": tiles(_tiles(recent, rates, stages[-1], zone=zone, currency=currency)),
        "rates": event_rates(rates, zone=zone),
        "rates_note": f"{wording.counted(rates.events, 'event')} in {_MINUTES} minutes; the newest one is of {until}.",
        "funnel": conversion(stages, revision="live"),
        "funnel_note": "Distinct sessions that acted in these minutes: "
        + ", ".join(f"{wording.count(stage.sessions)} {stage.name.lower()}" for stage in stages)
        + ".",
        "products": ranking(products, currency=currency, revision="live", room_for=numbers.BEST)
        if products
        else no_update,
        "products_hidden": not products,
        "products_note": f"By revenue, until {until}." if products else wording.no_purchase(rates.events),
        "newest": _newest(numbers.newest(events), zone=zone, currency=currency),
    }


def _tiles(
    recent: Recent, rates: numbers.Rates, bought: "Stage", *, zone: tzinfo, currency: str
) -> list[tuple[str, str, str]]:
    hour = numbers.hour_so_far(recent.rows, now=recent.now)
    seconds = int(numbers.STEP.total_seconds()) * _RATE_BUCKETS
    return [
        (
            "Events per second",
            f"{rates.per_second(buckets=_RATE_BUCKETS):,.1f}",
            f"over {seconds} seconds",
        ),
        (
            "Revenue of the running hour",
            wording.money(hour.revenue, currency=currency),
            f"{wording.counted(hour.purchases, 'purchase')} since {hour.start.astimezone(zone):%H:%M}",
        ),
        (
            "The hour before, so far",
            wording.money(hour.before, currency=currency),
            f"the running hour has {wording.compared(hour.revenue, with_=hour.before)}"
            if hour.before
            else "nothing to compare with",
        ),
        (
            f"Conversion, last {_MINUTES} minutes",
            wording.percent(bought.of_viewed),
            f"{wording.counted(bought.sessions, 'session')} bought",
        ),
    ]


def _newest(rows: Sequence[dict[str, Any]], *, zone: tzinfo, currency: str) -> Component:
    return rows_of_text(
        ("Time", "Type", "Shopper", "Product", "Category", "Price", "Units"),
        [
            (
                html.Time(
                    f"{row['event_time'].astimezone(zone):%H:%M:%S}",
                    dateTime=row["event_time"].isoformat(),
                    title=wording.moment(row["event_time"]),
                ),
                STYLES[row["event_type"]][0],
                row["user_id"],
                row["product_name"] or row["product_id"],
                row["category"] or wording.NOTHING,
                wording.money(row["price"], currency=currency),
                wording.count(row["quantity"]),
            )
            for row in rows
        ],
        caption="Newest events",
        numbers=(5, 6),
    )


def _pulse(stream: "Stream") -> list[Component | str]:
    return [
        html.Span(stream.pulse.value, className=f"badge {stream.pulse.value.lower()}"),
        html.Span(_pulse_text(stream).removeprefix(f"{stream.pulse.value}: "), className="beneath"),
    ]


def _pulse_text(stream: "Stream") -> str:
    newest = stream.newest_record
    age = "no record so far" if newest is None else f"newest record {wording.ago((stream.at - newest).total_seconds())}"
    return f"{stream.pulse.value}: {_PULSES[stream.pulse]}; {age}"


def _empty_text(view: "LakeView") -> str:
    rows = {name: state.rows for name, state in view.states.items()}
    return f"No event has reached Silver yet: {wording.why_silver_is_empty(rows)}"


def _panel(name: str, title: str) -> Component:
    heading = f"live-{name}-heading"
    return html.Section(
        [
            html.H2(title, id=heading),
            html.P(id=f"live-{name}-note", className="note"),
            html.Div(chart(f"live-{name}"), id=f"live-{name}-chart", className="chart", hidden=False),
        ],
        id=f"live-{name}-panel",
        className="panel",
        **aria(labelledby=heading),
    )
