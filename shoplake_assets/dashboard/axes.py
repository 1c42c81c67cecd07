"""Axes of time: instants stay UTC, what is written beneath them is the viewer's time.

Belongs here: where the ticks of a time axis are and what they say; pure. Plotly's axes know no zones. Were local times
drawn in place of instants, the hour that a zone repeats in autumn would lie on top of the one before it.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_DAY = timedelta(days=1)
# Distances that a clock's face makes easy to read.
_STEPS = (
    *(timedelta(minutes=minutes) for minutes in (1, 3, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 28, 91, 182, 365)),
)


def time_axis(start: datetime, end: datetime, *, zone: tzinfo, most: int = 6) -> dict[str, Any]:
    """Range and ticks of an axis from `start` to `end`, with at most so many ticks."""
    step = next((step for step in _STEPS if (end - start) / step <= most), _STEPS[-1])
    ticks = _ticks(start, end, step=step, zone=zone)
    return {
        "type": "date",
        "range": [instant(start), instant(end)],
        "tickmode": "array",
        "tickvals": [instant(at) for at in ticks],
        "ticktext": _texts([at.astimezone(zone) for at in ticks], step=step),
        "tickangle": 0,
        "ticklabelstandoff": 6,
        "showgrid": False,
    }


def instant(at: datetime) -> str:
    """A moment as Plotly takes it, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _ticks(start: datetime, end: datetime, *, step: timedelta, zone: tzinfo) -> list[datetime]:
    """Moments at which the viewer's clock shows a multiple of the step, counted from midnight."""
    local = start.astimezone(zone).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    wall = midnight if step >= _DAY else midnight + ((local - midnight) // step) * step
    found = []
    while (at := wall.replace(tzinfo=zone).astimezone(UTC)) <= end:
        if at >= start:
            found.append(at)
        wall += step
    return found


def _texts(ticks: list[datetime], *, step: timedelta) -> list[str]:
    """Times, with the day beneath the first one of each day; days only, where the steps are days."""
    if step >= _DAY:
        return [
            f"{at:%b} {at.day}<br>{at.year}" if index == 0 else f"{at:%b} {at.day}" for index, at in enumerate(ticks)
        ]
    return [
        f"{at:%H:%M}<br>{at:%b} {at.day}" if index == 0 or at.date() != ticks[index - 1].date() else f"{at:%H:%M}"
        for index, at in enumerate(ticks)
    ]
