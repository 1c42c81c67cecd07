"""Sending the generated events.

Belongs here: the run of a generator and its closing account. Does not belong here: what is generated.
"""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shoplake_assets.events.day import DAY_SECONDS, over_a_day, steady
from shoplake_assets.events.feed import Outgoing, Pace, feed
from shoplake_assets.events.generator import Fate, Generated, Mishaps, generate
from shoplake_assets.events.producer import FLUSH_SECONDS, STOP_SECONDS, EventProducer
from shoplake_assets.events.shape import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event as Flag

    from shoplake_assets.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What to generate.

    Attributes:
        seed: Decides what the shoppers do.
        mishaps: What goes wrong.
        start: The first arrival, in seconds since 1970.
        rate: Events a second, in real time; none is as fast as possible, with the arrivals spread over the day that
            begins at `start`.
        count: Records to send; none is without end, which needs a rate.
    """

    seed: int
    mishaps: Mishaps
    start: float
    rate: float | None
    count: int | None

    def records(self) -> "Iterator[Generated]":
        """The records of this plan; the same plan always has the same."""
        if self.rate is not None:
            forever = steady(start=self.start, rate=self.rate)
            return generate(islice(forever, self.count), seed=self.seed, rate=self.rate, mishaps=self.mishaps)
        if self.count is None:
            raise ValueError("as fast as possible and without end do not go together")
        day = over_a_day(start=self.start, events=self.count)
        return generate(day, seed=self.seed, rate=self.count / DAY_SECONDS, mishaps=self.mishaps)


@dataclass(frozen=True)
class Sent:
    """The closing account of a generator's run.

    Attributes:
        delivered: Records that Kafka has acknowledged.
        failed: Records that it has not.
        failure: Why not.
        fates: How many of the handed over records are meant for Silver, as duplicates, and for quarantine.
        late: How many of those for Silver came late.
        seed: The seed.
        start: The first arrival.
        seconds: How long it took.
    """

    delivered: int
    failed: int
    failure: str | None
    fates: dict[str, int]
    late: int
    seed: int
    start: str
    seconds: float


def send(settings: "Settings", *, plan: Plan, stop: "Flag", on_progress: "Callable[[EventProducer], None]") -> Sent:
    """Generate and send until the plan is fulfilled or `stop` is set; what was sent is still delivered.

    A delivery that fails is counted, and the run goes on.

    Args:
        settings: Names the broker and the topic.
        plan: What to generate.
        stop: Ends it early.
        on_progress: Called every now and then with the producer, which knows how many were sent and failed.

    Raises:
        ShoplakeError: The broker cannot be reached at the start.
    """
    counts: Counter[Fate | str] = Counter()
    began = time.monotonic()
    with EventProducer(settings) as producer:
        unsent = feed(
            _outgoing(plan.records(), counts=counts),
            producer=producer,
            pace=Pace(None if plan.rate is None else 1.0),
            stop=stop,
            give_up_on_failure=False,
            on_progress=lambda: on_progress(producer),
        )
        producer.flush(deadline=FLUSH_SECONDS if unsent is None else STOP_SECONDS)
    return Sent(
        delivered=producer.delivered,
        failed=producer.failed,
        failure=producer.failure,
        fates={fate.value: counts[fate] for fate in Fate},
        late=counts["late"],
        seed=plan.seed,
        start=rfc3339(plan.start),
        seconds=round(time.monotonic() - began, 3),
    )


def _outgoing(records: "Iterable[Generated]", *, counts: "Counter[Fate | str]") -> "Iterator[Outgoing]":
    """A record is counted when the next one is asked for, so that one on which the run stops is not."""
    for number, record in enumerate(records):
        yield Outgoing(record.key, record.value, record.at, number)
        counts[record.fate] += 1
        counts["late"] += record.late
