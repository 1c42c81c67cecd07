"""How values read: money, counts, times, names, and why there is nothing to see.

Belongs here: values to text; pure. Does not belong here: where the text goes. Times are read in the viewer's zone, and
in UTC beside it where the two differ.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shoplake_assets.tables import BRONZE_EVENTS, GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoplake_assets.lake.position import Position

SYMBOLS = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3", "JPY": "\u00a5", "INR": "\u20b9"}
NOTHING = "\u2013"

_MANY_TIMES = 10
_HOUR = timedelta(hours=1)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


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


def compared(amount: Decimal, *, with_: Decimal) -> str:
    """How much more or less it is than another above 0; a percentage says little from ten times as much on."""
    if amount >= _MANY_TIMES * with_:
        return f"{amount / with_:,.0f} times as much"
    more = Decimal(100) * (amount - with_) / with_
    return f"{abs(more):,.1f} % {'more' if more >= 0 else 'less'}"


def zone_of(name: str | None) -> tzinfo:
    """The time zone that a browser names; UTC where it names none that is known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment(at: datetime, *, zone: tzinfo = UTC) -> str:
    """A moment to the second, with its zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S} {_zone_name(at, zone)}"


def moment_in_full(at: datetime, *, zone: tzinfo) -> str:
    """A time of day in the viewer's zone, and in UTC where that is another."""
    local = f"{at.astimezone(zone):%H:%M:%S} {_zone_name(at, zone)}"
    return local if _is_utc(at, zone) else f"{local} ({at.astimezone(UTC):%H:%M:%S} UTC)"


def hour(start: datetime, *, zone: tzinfo) -> str:
    """An hour with its day, in the viewer's zone."""
    local = start.astimezone(zone)
    return f"{local:%Y-%m-%d} {hours(local)} {_zone_name(start, zone)}"


def zone_and_day(at: datetime, *, zone: tzinfo) -> str:
    """The zone and the day that belong to an hour which stands by itself."""
    return f"{_zone_name(at, zone)}, {at.astimezone(zone):%Y-%m-%d}"


def hour_in_full(start: datetime, *, zone: tzinfo) -> str:
    """An hour in the viewer's zone, and in UTC where that is another."""
    local = hour(start, zone=zone)
    return local if _is_utc(start, zone) else f"{local} ({hours(start.astimezone(UTC))} UTC)"


def day(start: date) -> str:
    """A UTC day."""
    return f"{start:%Y-%m-%d} (UTC day)"


def hours(start: datetime) -> str:
    """An hour of a day, without its zone."""
    return f"{start:%H:%M}\u2013{start + _HOUR:%H:%M}"


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that is not zero."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return f"{max(0, seconds):.0f} s ago"


def plain(text: str) -> str:
    """Text for a Plotly figure, where it would otherwise be read as markup."""
    return escape(text, quote=False)


def shortened(text: str, *, length: int) -> str:
    """The beginning of a text that is too long for its place."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\u2026"


def size(number: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:  # noqa: PLR2004  by definition of the units
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"


def reach(position: "Position") -> str:
    """How far into Kafka a snapshot reaches."""
    parts = [f"partition {partition} to offset {count(offset)}" for _, partition, offset in position]
    return "Kafka " + ", ".join(parts) if parts else "no position yet"


def no_purchase(events: int) -> str:
    """Why a chart of sales is empty, where events came."""
    if events == 0:
        return "No event in this range."
    if events == 1:
        return "1 event in this range, and it is no purchase."
    return f"{count(events)} events in this range, no purchase among them."


def why_empty(rows: "Mapping[str, int]") -> str:
    """Why no event is in Gold, told by the rows of the tables before it.

    Args:
        rows: Rows of each table that exists, by its name.
    """
    if GOLD_HOURLY_SALES not in rows:
        return "the lake has no Gold tables so far. 'shoplake up' makes them when it starts."
    return why_silver_is_empty(rows) or (
        f"{counted(rows[SILVER_EVENTS], 'event is', 'events are')} in Silver, and Gold has not been published yet. "
        "The Dagster UI shows whether its refresh runs."
    )


def why_silver_is_empty(rows: "Mapping[str, int]") -> str | None:
    """Why no event is in Silver; None where some are.

    Args:
        rows: Rows of each table that exists, by its name.
    """
    bronze, silver = rows.get(BRONZE_EVENTS, 0), rows.get(SILVER_EVENTS, 0)
    quarantine = rows.get(SILVER_QUARANTINE, 0)
    if silver:
        return None
    if not bronze:
        return "nothing has arrived from Kafka so far. Are events being produced, and is the ingest running?"
    if quarantine:
        return (
            f"{counted(bronze, 'event is', 'events are')} in Bronze, and all that Silver has looked at broke a rule: "
            f"{counted(quarantine, 'is', 'are')} in quarantine, with the reasons."
        )
    return (
        f"{counted(bronze, 'event is', 'events are')} in Bronze, none in Silver. The next refresh takes them on; "
        "the Dagster UI shows whether it runs."
    )


def _is_utc(at: datetime, zone: tzinfo) -> bool:
    return not at.astimezone(zone).utcoffset()


def _zone_name(at: datetime, zone: tzinfo) -> str:
    """The zone's short name at that moment; places in the British winter and the like are not UTC by name only."""
    return "UTC" if _is_utc(at, zone) else at.astimezone(zone).tzname() or "UTC"
