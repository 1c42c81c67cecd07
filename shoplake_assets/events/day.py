"""When shoppers are about: the day curve and the moments at which events arrive.

Belongs here: time only. Does not belong here: what happens at those times.
"""

from bisect import bisect_right
from itertools import accumulate, count, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600
# How busy each UTC hour is: quiet before dawn, a lunch hour, a long evening.
_CURVE = (4, 3, 2, 2, 2, 3, 5, 8, 11, 13, 14, 16, 18, 16, 14, 14, 15, 17, 20, 23, 24, 21, 14, 8)
_BUSIEST = max(_CURVE)


def busyness(seconds: float) -> float:
    """How busy the shop is at a moment (seconds since 1970), as a share of its busiest hour."""
    return _CURVE[int(seconds % DAY_SECONDS) // _HOUR_SECONDS] / _BUSIEST


def steady(*, start: float, rate: float) -> "Iterator[float]":
    """Moments without end, `rate` a second."""
    return (start + number / rate for number in count())


def over_a_day(*, start: float, events: int) -> "Iterator[float]":
    """So many ascending moments spread over the 24 hours from `start`, dense in busy hours and sparse in quiet ones."""
    # Pieces of the day between full hours, so that the curve is constant within each.
    edges = [start, *(hour for hour in _full_hours(start) if start < hour < start + DAY_SECONDS), start + DAY_SECONDS]
    loads = [busyness(left) * (right - left) for left, right in pairwise(edges)]
    passed = [0.0, *accumulate(loads)]
    for number in range(events):
        load = (number + 0.5) / events * passed[-1]
        piece = bisect_right(passed, load, hi=len(loads)) - 1
        yield edges[piece] + (load - passed[piece]) / loads[piece] * (edges[piece + 1] - edges[piece])


def _full_hours(start: float) -> "Iterator[int]":
    first = int(start) // _HOUR_SECONDS * _HOUR_SECONDS
    return iter(range(first, first + DAY_SECONDS + 2 * _HOUR_SECONDS, _HOUR_SECONDS))
