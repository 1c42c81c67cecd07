"""Limits: is a refresh as a whole what could be expected?

Belongs here: judging the shares and the volume that a contract limits. Does not belong here: the limits themselves
(`contracts`), or counting (`lake.settlement` does it in one pass with everything else).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from shoplake_assets.contracts.limits import Limit, Volume
from shoplake_assets.lake.refresh import Check
from shoplake_assets.lake.snapshots import NEWEST_RECORD, RECORDS, moment_of, summary_of

if TYPE_CHECKING:
    from datetime import datetime

    from pyiceberg.table import Table

    Found = Callable[[], tuple[Mapping[str, int], Sequence[Mapping[str, str]]]]

VOLUME = "volume"
_WAY_ON = (
    "Mend the producer or the contract, or let it through with 'shoplake quarantine accept'; "
    "'shoplake quarantine list' shows all of them"
)


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Somebody's word that one refresh may go beyond the limits that block.

    Attributes:
        because: Why; kept in the snapshot's summary for whoever wonders later.
        share: The largest share that is accepted, 0 to 1.
    """

    because: str
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of how many."""

    odd: int
    among: int

    @property
    def part(self) -> float:
        """The share, 0 to 1; of nothing it is 0."""
        return self.odd / self.among if self.among else 0.0


def is_exceeded(limit: Limit, share: Share) -> bool:
    """Whether there is more of it than the contract lets pass."""
    return share.odd >= limit.at_least and share.part > limit.most


def check_limit(limit: Limit, share: Share, *, table: str, acceptance: Acceptance | None, found: "Found") -> Check:
    """Is the share within its limit, or accepted?

    Args:
        limit: The limit.
        share: What was counted.
        table: The table.
        acceptance: What somebody accepts; counts for limits that block.
        found: Gives broken rules and examples; called only if the check fails.
    """
    says = f"{share.odd:,} of {share.among:,} {limit.what} ({share.part:.1%}; the limit is {limit.most:.0%})"
    exceeded = is_exceeded(limit, share)
    accepted = exceeded and limit.blocks and acceptance is not None and share.part <= acceptance.share
    if accepted and acceptance is not None:
        says = f"{says}, accepted: {acceptance.because}"
    elif exceeded:
        says = f"{says}. {limit.meaning}{f' {_WAY_ON}.' if limit.blocks else ''}"
    broken, examples = found() if exceeded and not accepted else ({}, ())
    return Check(
        table=table,
        name=limit.name,
        passed=accepted or not exceeded,
        says=says,
        metadata={"share": round(share.part, 6)},
        blocks=limit.blocks,
        broken=broken,
        examples=examples,
    )


def acceptance_entry(acceptance: Acceptance | None, shares: Mapping[Limit, Share], *, run: str) -> str | None:
    """What a snapshot's summary keeps of an acceptance that was needed; None if none was."""
    exceeded = [share for limit, share in shares.items() if limit.blocks and is_exceeded(limit, share)]
    if acceptance is None or not exceeded:
        return None
    worst = max(exceeded, key=lambda share: share.part)
    return json.dumps({"because": acceptance.because, **asdict(worst), "run": run})


def check_volume(volume: Volume, rate: float, *, table: str, usual: Sequence[float]) -> Check:
    """Do about as many records come as usual?

    Args:
        volume: How far they may differ.
        rate: Records per second of this refresh.
        table: The table.
        usual: Those of earlier refreshes.
    """
    if len(usual) < volume.at_least:
        says = f"{rate:,.1f} records a second; {len(usual)} earlier refreshes are too few to know what is usual"
        return _volume_check(table, passed=True, says=says, rate=rate, usual=None)
    middle = median(usual)
    passed = middle / volume.factor <= rate <= middle * volume.factor
    says = f"{rate:,.1f} records a second, where the last {len(usual)} refreshes had {middle:,.1f}"
    if not passed:
        says = f"{says}. Has a producer stopped, or begun to send more?"
    return _volume_check(table, passed=passed, says=says, rate=rate, usual=middle)


def _volume_check(table: str, *, passed: bool, says: str, rate: float, usual: float | None) -> Check:
    figures = {"records_per_second": round(rate, 3), **({} if usual is None else {"usual": round(usual, 3)})}
    return Check(table=table, name=VOLUME, passed=passed, says=says, metadata=figures, blocks=False)


def recent_rates(table: "Table", *, refreshes: int) -> list[float]:
    """Records per second of Kafka time in the newest refreshes, newest first; from metadata alone."""
    marks: list[tuple[datetime, int]] = []
    snapshot = table.current_snapshot()
    while snapshot is not None and len(marks) <= refreshes:
        newest, records = moment_of(snapshot, NEWEST_RECORD), summary_of(snapshot).get(RECORDS)
        if newest is not None and records is not None:
            marks.append((newest, int(records)))
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return [
        rate_of(records, seconds=(newest - before).total_seconds())
        for (newest, records), (before, _) in pairwise(marks)
    ]


def rate_of(records: int, *, seconds: float) -> float:
    """Records per second; what lies closer together than a second counts as one."""
    return records / max(seconds, 1.0)
