"""What "back" means, and how long it took.

Belongs here: the condition and the clock. Does not belong here: whether anything was lost on the way (`accounting`).
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoplake_assets.lake.bronze import Reach, bronze_reach
from shoplake_assets.lake.snapshots import position_of, reflecting
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import BRONZE_EVENTS, GOLD
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from shoplake_assets.lake.position import Position
    from shoplake_assets_tests.faults.faults import Fault
    from shoplake_assets_tests.faults.ground import Ground

PROMISE_SECONDS = 60.0
"""After so long the product is to be back."""
_DEADLINE_SECONDS = 300.0
_FIRST_SECONDS = 600
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Recovery:
    """Seconds from the end of a fault; None for what had not come when the waiting ended.

    Attributes:
        processes: Until all processes ran again, the killed one replaced.
        bronze: Until Bronze held all that Kafka had acknowledged when the fault ended.
        gold: Until all processes ran, and every Gold table held it, too.
    """

    processes: float | None
    bronze: float | None
    gold: float | None

    @property
    def back(self) -> float | None:
        """Until the product worked again: all of it ran, and had taken in what had come."""
        return None if self.processes is None or self.bronze is None else max(self.processes, self.bronze)


def pids(ground: "Ground") -> dict[str, int | None]:
    """The supervisor's processes."""
    return {name: state.pid for name, state in process_states(ground.settings, probes={}).items()}


def recover(
    ground: "Ground", fault: "Fault", *, before: dict[str, int | None], target: "Position", patience: float
) -> Recovery:
    """Wait until the product is back, and some time for Gold.

    Args:
        ground: The product, with traffic going on.
        fault: What has just ended.
        before: The processes before the fault.
        target: What was acknowledged when it ended.
        patience: Seconds from its end for which Gold is waited for, once the product is back.
    """
    began = time.monotonic()
    recovery, bronze = Recovery(None, None, None), Reach()

    def spent() -> float:
        return time.monotonic() - began

    while recovery.gold is None and spent() < (_DEADLINE_SECONDS if recovery.back is None else patience):
        looked = spent()
        if recovery.processes is None and _run(ground, fault, before):
            recovery = replace(recovery, processes=spent())
        if recovery.bronze is None:
            bronze = bronze_reach(ground.table(BRONZE_EVENTS), known=bronze)
            if bronze.position.reaches(target):
                recovery = replace(recovery, bronze=spent())
        if recovery.back is not None and in_gold(ground, target):
            recovery = replace(recovery, gold=spent())
        time.sleep(max(0.0, _POLL_SECONDS - (spent() - looked)))
    return recovery


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
