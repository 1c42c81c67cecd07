"""How values read: money, counts, times, names, and why there is nothing to see.

Belongs here: values to text; pure. Does not belong here: where the text goes.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoplake_assets.lake.position import Position

SYMBOLS = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3", "JPY": "\u00a5", "INR": "\u20b9"}
NOTHING = "\u2013"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def money(amount: Decimal | None, *, currency: str) -> str:
    """An exact amount, never rounded; a dash for none."""
    return NOTHING if amount is None else f"{SYMBOLS[currency]}{amount:,f}"


def count(number: int) -> str:
    """A number with thousands separated."""
    return f"{number:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 event`, `2,143 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: Decimal | None) -> str:
    """A share; a dash for none."""
    return NOTHING if share is None else f"{share:,f} %"


def moment(at: datetime) -> str:
    """A moment to the second, with its zone."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def bucket(start: datetime, *, step: timedelta) -> str:
    """An hour or a day, with its zone."""
    if step >= _DAY:
        return f"{start:%Y-%m-%d} (UTC day)"
    return f"{start:%Y-%m-%d} {hours(start)} UTC"


def hours(start: datetime) -> str:
    """An hour of a day, without its zone."""
    return f"{start:%H:%M}\u2013{start + _HOUR:%H:%M}"


def plain(text: str) -> str:
    """Text for a Plotly figure, where it would otherwise be read as markup."""
    return escape(text, quote=False)


def shortened(text: str, *, length: int) -> str:
    """The beginning of a text that is too long for its place."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\u2026"


def reach(position: "Position") -> str:
    """How far into Kafka a snapshot reaches."""
    parts = [f"partition {partition} to offset {count(offset)}" for _, partition, offset in position]
    return "Kafka " + ", ".join(parts) if parts else "no position yet"


def no_purchase(events: int) -> str:
    """Why a chart of sales is empty, where events came."""
    if events == 1:
        return "1 event in this range, and it is no purchase."
    return f"{count(events)} events in this range, no purchase among them."


def why_empty(rows: "Mapping[str, int]") -> str:
    """Why no event is in Gold, told by the rows of the tables before it.

    Args:
        rows: Rows of each table that exists, by its name.
    """
    bronze, silver = rows.get(BRONZE_EVENTS, 0), rows.get(SILVER_EVENTS, 0)
    quarantine = rows.get(SILVER_QUARANTINE, 0)
    if GOLD_HOURLY_SALES not in rows:
        return "the lake has no Gold tables so far. 'shoplake up' makes them when it starts."
    if not bronze:
        return "nothing has arrived from Kafka so far. Are events being produced, and is the ingest running?"
    if not silver and quarantine:
        return (
            f"{counted(bronze, 'event is', 'events are')} in Bronze, and all that Silver has looked at broke a rule: "
            f"{counted(quarantine, 'is', 'are')} in quarantine, with the reasons."
        )
    if not silver:
        return (
            f"{counted(bronze, 'event is', 'events are')} in Bronze, none in Silver. The next refresh takes them on; "
            "the Dagster UI shows whether it runs."
        )
    return (
        f"{counted(silver, 'event is', 'events are')} in Silver, and Gold has not been published yet. "
        "The Dagster UI shows whether its refresh runs."
    )
