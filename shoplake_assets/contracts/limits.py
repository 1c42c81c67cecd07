"""What must be true of a refresh as a whole, where single rows may well differ.

Belongs here: the kinds of limits that a contract can set, and the names of what they are judged by. Does not belong
here: rules about a row (Pandera's checks), or how a limit is evaluated (`lake.limits`).
"""

from dataclasses import dataclass

# What a refresh knows of each of its records beside the columns of the table; conditions may use these names.
FATE = "fate"
ACCEPTED, REPEATED, REJECTED, MOVED = "accepted", "repeated", "rejected", "moved"
DIFFERS = "differs"
NEWEST_BEFORE = "newest_before"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The largest share of a refresh's records of which something may be true.

    Attributes:
        name: The asset check.
        odd: SQL condition on a record: its columns, its `fate`, whether it `differs` from the event that it repeats,
            and `newest_before`, the newest event time that the table had before.
        among: SQL condition that says of which records it is a share.
        most: The share from 0 to 1 that is still well.
        at_least: Fewer odd records than this are never too many: one bad record of three is no trend.
        blocks: Whether a refresh beyond the limit stays unpublished until somebody accepts it.
        what: What is counted, as the subject of a sentence: "1,200 of 5,000 <what>".
        meaning: What it means when there are many, for the person who is on call.
    """

    name: str
    odd: str
    among: str
    most: float
    at_least: int = 20
    blocks: bool = False
    what: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Volume:
    """How much a refresh's rate of records may differ from what has been usual; never blocks.

    Attributes:
        factor: More than the median times this, or less than the median divided by it, is unusual.
        refreshes: How many refreshes back the median looks.
        at_least: With fewer refreshes than this nothing is usual yet.
    """

    factor: float = 4.0
    refreshes: int = 20
    at_least: int = 5
