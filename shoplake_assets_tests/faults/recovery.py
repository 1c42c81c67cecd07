"""What "back" means, and how long it took.

Belongs here: the condition and the clock. Does not belong here: whether anything was lost on the way (`accounting`).
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoplake_assets.lake.snapshots import position_of, reflecting
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import GOLD
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from shoplake_assets.lake.position import Position
    from shoplake_assets_tests.faults.faults import Fault
    from shoplake_assets_tests.faults.ground import Ground

DEADLINE_SECONDS = 600.0
_FIRST_SECONDS = 600
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Recovery:
    """Seconds from the end of a fault; None for what did not come within the deadline.

    Attributes:
        processes: Until all processes ran again, the killed one replaced.
        gold: Until, besides, every Gold table held all that Kafka had acknowledged when the fault ended.
    """

    processes: float | None
    gold: float | None


def pids(ground: "Ground") -> dict[str, int | None]:
    """The supervisor's processes."""
    return {name: state.pid for name, state in process_states(ground.settings, probes={}).items()}


def recover(ground: "Ground", fault: "Fault", *, before: dict[str, int | None], target: "Position") -> Recovery:
    """Wait until the product is back.

    Args:
        ground: The product, with traffic going on.
        fault: What has just ended.
        before: The processes before the fault.
        target: What was acknowledged when it ended.
    """
    began = time.monotonic()
    processes: float | None = None
    while (spent := time.monotonic() - began) < DEADLINE_SECONDS:
        if processes is None and _run(ground, fault, before):
            processes = time.monotonic() - began
        if processes is not None and in_gold(ground, target):
            return Recovery(processes, time.monotonic() - began)
        time.sleep(max(0.0, _POLL_SECONDS - (time.monotonic() - began - spent)))
    return Recovery(processes, None)


def settle(ground: "Ground") -> None:
    """Wait until the first events are in Gold: faults are done to a product that works."""
    wait_until(lambda: bool(ground.traffic.acknowledged), what="Kafka has taken an event")
    target = ground.position(ground.traffic.position())
    wait_until(lambda: in_gold(ground, target), what="the first events are in Gold", seconds=_FIRST_SECONDS)


def in_gold(ground: "Ground", target: "Position") -> bool:
    """Whether every Gold table reaches the position."""
    return all(position_of(reflecting(ground.table(name))).reaches(target) for name in reversed(GOLD))


def _run(ground: "Ground", fault: "Fault", before: dict[str, int | None]) -> bool:
    if fault.replaces is not None and pids(ground)[fault.replaces] in (None, before[fault.replaces]):
        return False
    return all(state.state == "running" for state in process_states(ground.settings).values())
