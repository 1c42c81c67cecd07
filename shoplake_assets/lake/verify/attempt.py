"""A proof that cannot be made because rows cannot be read: what to say in its place, so that the others are made.

Belongs here: telling a table that is damaged from a snapshot that has expired and from a Spark that is gone. Does not
belong here: any proof.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyspark.errors import PySparkException  # noqa: TID253  only processes that hold a session come here

from shoplake_assets.lake.verify.proof import Proof, judged, unproven

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.lake.lake import Lake

UNREADABLE = (PySparkException, OSError)
_EXPIRED = "a snapshot of {} expired while it was read: verify took longer than SHOPLAKE_MAINTENANCE__SNAPSHOT_MINUTES"


def attempt(
    prove: Callable[[], Proof], *, name: str, table: str, lake: "Lake", snapshots: Mapping[str, int | None]
) -> Proof:
    """The proof, or one that says what cannot be read.

    Args:
        prove: Makes the proof.
        name: The statement's name.
        table: The table that it is about.
        lake: The lake.
        snapshots: What is read, by table.

    Raises:
        PySparkException: Spark is gone, which says nothing about the table.
    """
    try:
        return prove()
    except UNREADABLE as error:
        return unread(error, name=name, table=table, lake=lake, snapshots=snapshots)


def unread(error: Exception, *, name: str, table: str, lake: "Lake", snapshots: Mapping[str, int | None]) -> Proof:
    """What to say of a statement when reading rows has ended in an error; the arguments are those of `attempt`."""
    lake.spark.range(1).collect()  # a Spark that is gone says so here
    opened = {other: lake.table(other) for other in snapshots}
    culprit = next((other for other, found in opened.items() if _names(error, found, snapshots[other])), None)
    if culprit and opened[culprit].snapshot_by_id(snapshots[culprit] or -1) is None:
        return unproven(name, table, _EXPIRED.format(culprit))
    says = f"{culprit or 'a table'} cannot be read: {str(error).strip().splitlines()[0]}"
    return judged(name, table, [says], good="")


def _names(error: Exception, table: "Table", snapshot: int | None) -> bool:
    """Whether the error speaks of a file of the table, or of the snapshot."""
    return f"{urlsplit(table.location()).path}/" in str(error) or (snapshot is not None and str(snapshot) in str(error))
