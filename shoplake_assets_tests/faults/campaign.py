"""Fault after fault on one product, each with its recovery and its account.

Belongs here: the order of things. Does not belong here: what is shown (`report`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shoplake_assets_tests.faults.accounting import Account, account, differences
from shoplake_assets_tests.faults.recovery import Recovery, pids, recover

if TYPE_CHECKING:
    from shoplake_assets_tests.faults.faults import Fault
    from shoplake_assets_tests.faults.ground import Ground

_DRAIN_SECONDS = 1800
"""For what many faults in a row have left undone, and for a look at all of it."""


@dataclass(frozen=True, kw_only=True)
class Strike:
    """One fault that was done.

    Attributes:
        fault: Its name.
        at: When, UTC.
        recovery: How long the product took.
        account: The events up to its end since the last account; None if Gold was not waited for so long, and then they
            are in the next account.
    """

    fault: str
    at: datetime
    recovery: Recovery
    account: Account | None

    @property
    def harmless(self) -> bool:
        """Whether the product came back, with every event in it once as far as they were accounted for."""
        account = self.account
        return self.recovery.back is not None and (account is None or account.lost == account.doubled == 0)


@dataclass
class Campaign:
    """Faults done to one product so far.

    Attributes:
        ground: The product.
        patience: Seconds after each fault for which Gold is waited for before the next.
        strikes: What was done.
    """

    ground: "Ground"
    patience: float
    strikes: list[Strike] = field(default_factory=list)
    _accounted: Mapping[int, int] = field(default_factory=dict)

    def strike(self, fault: "Fault") -> Strike:
        """Do a fault and wait until the product is back, and some time for Gold."""
        ground, at, before = self.ground, datetime.now(UTC), pids(self.ground)
        fault.strike(ground)
        end = ground.traffic.position()
        recovery = recover(ground, fault, before=before, target=ground.position(end), patience=self.patience)
        found = None
        if recovery.gold is not None:
            found = account(ground, start=self._accounted, end=end)
            self._accounted = end
        done = Strike(fault=fault.name, at=at, recovery=recovery, account=found)
        self.strikes.append(done)
        return done

    def finish(self) -> tuple[Account, list[str]]:
        """End the traffic, let all of it arrive, and account for the whole lake.

        Returns:
            The account of every event, and what is wrong beyond it: nothing, if all is well.
        """
        ground = self.ground
        ground.traffic.stop()
        drained = ground.product.run("drain", f"--timeout={_DRAIN_SECONDS}", check=False, timeout=_DRAIN_SECONDS + 60)
        wrong = [] if drained.returncode == 0 else [f"drain: {drained.stderr.strip()}"]
        whole = account(ground, start={}, end=ground.traffic.position())
        wrong += [*ground.traffic.failures[:5], *differences(ground), *verify(ground)]
        if whole.rows["bronze.events"] != whole.produced:
            wrong.append(f"Bronze has {whole.rows['bronze.events']} rows of {whole.produced} acknowledged events")
        return whole, wrong


def verify(ground: "Ground") -> list[str]:
    """What `shoplake verify` says is wrong; nothing if it passes."""
    if ground.product.run("verify", "--help", check=False).returncode != 0:
        return ["verify: this version of the product has no such command"]
    told = ground.product.run("verify", check=False, timeout=_DRAIN_SECONDS)
    return [] if told.returncode == 0 else [f"verify: {told.stdout}{told.stderr}"]
