"""What a proof says.

Belongs here: the verdicts, in a form that the command line, programs and Dagster show alike. Does not belong here: how
one is reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Row

ROWS = "rows"
"""The name of what is said of a table whose rows were not, or could not be, read."""
MOST_FINDINGS = 5
"""So many faults of a kind are named; their number is always said."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One statement about one table, and whether it holds.

    Attributes:
        name: The statement's name.
        table: The table.
        holds: Whether it holds; None where it could not be, or was not, proven.
        says: One sentence: what was proven, what is wrong, or why nothing is proven.
        findings: Faults, the first few of each kind, each in a sentence.
        figures: Numbers behind the sentence.
    """

    name: str
    table: str
    holds: bool | None
    says: str
    findings: Sequence[str] = ()
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """All proofs of one look at the lake.

    Attributes:
        quick: Whether only metadata was looked at.
        proofs: The proofs.
        snapshots: The snapshot of each table that was looked at.
    """

    quick: bool
    proofs: Sequence[Proof]
    snapshots: Mapping[str, int | None]

    @property
    def holds(self) -> bool:
        """Whether all holds. Of a full verification all must be proven; of a quick one nothing may be refuted."""
        return all(proof.holds or (self.quick and proof.holds is None) for proof in self.proofs)


def judged(  # noqa: PLR0913  # the fields of a proof
    name: str,
    table: str,
    findings: Sequence[str],
    *,
    good: str,
    bad: str = "",
    figures: Mapping[str, int] | None = None,
) -> Proof:
    """A proof that holds if nothing was found.

    Args:
        name: The statement's name.
        table: The table.
        findings: The faults.
        good: What to say where there are none.
        bad: What to say where there are some; the first of them by default.
        figures: Numbers behind the sentence.
    """
    says = (bad or findings[0]) if findings else good
    return Proof(name=name, table=table, holds=not findings, says=says, findings=tuple(findings), figures=figures or {})


def unproven(name: str, table: str, says: str) -> Proof:
    """A statement that is not proven, and why not."""
    return Proof(name=name, table=table, holds=None, says=says)


def first_of(findings: Sequence[str], *, of: int | None = None) -> list[str]:
    """The first few findings, and how many more there are."""
    most = list(findings[:MOST_FINDINGS])
    more = (len(findings) if of is None else of) - len(most)
    return [*most, f"... and {more:,} more"] if more > 0 else most


def where(row: "Row") -> str:
    """Its coordinates, for the person who reads a report."""
    return f"partition {row['partition']}, offset {row['offset']} of topic {row['topic_id']}"


def several(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
