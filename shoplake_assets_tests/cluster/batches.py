"""The events of a rehearsal: two batches, each the same whenever and wherever it is sent.

Belongs here: what is sent. Does not belong here: how it is sent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from shoplake_assets.events.generator import Mishaps
from shoplake_assets.events.traffic import Plan

_MISHAPS = Mishaps(late=0.05, duplicate=0.05, bad=0.02)


@dataclass(frozen=True)
class Batch:
    """Events of the generator.

    Attributes:
        seed: Its seed.
        start: The time of the first.
        count: How many.
        rate: Events a second; 0 for as fast as possible.
    """

    seed: int
    start: datetime
    count: int
    rate: float

    @property
    def options(self) -> list[str]:
        """The options of `shoplake generate`."""
        mishaps = f"--late-rate={_MISHAPS.late} --duplicate-rate={_MISHAPS.duplicate} --bad-rate={_MISHAPS.bad}"
        when = f"--start={self.start:%Y-%m-%dT%H:%M:%SZ}"
        return [f"--seed={self.seed}", f"--count={self.count}", f"--rate={self.rate}", when, *mishaps.split()]

    @property
    def plan(self) -> Plan:
        """The same events, for who sends them as fast as possible."""
        return Plan(
            seed=self.seed,
            mishaps=_MISHAPS,
            start=self.start.timestamp(),
            rate=self.rate or None,
            count=self.count,
        )


FIRST = Batch(seed=21, start=datetime(2026, 3, 1, tzinfo=UTC), count=20_000, rate=0)
SECOND = Batch(seed=22, start=datetime(2026, 3, 2, tzinfo=UTC), count=12_000, rate=300)
