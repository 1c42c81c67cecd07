"""What may not change while an ingest runs: the topic behind its name, and the past of Bronze.

Belongs here: looking, again and again, saying what has changed, and taking back what the query has written upon a past
that is not its own. Does not belong here: ending the ingest (`job`), or where the next one begins (`checkpoint`). A
broker or a catalog that does not answer is no change.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from sqlalchemy.exc import SQLAlchemyError

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import TopicMissingError, describe_topic
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.conflicts import again_after_a_conflict
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.ingest.progress import Progress
    from shoplake_assets.settings import Settings

_log = logging.getLogger("shoplake.ingest")
_SECONDS = 2


class Watch:
    """Looks every two seconds, in a thread of its own, because a broker that is away keeps its callers waiting.

    Attributes:
        complaint: What has changed, in one line; None as long as nothing has.
    """

    def __init__(self, settings: "Settings", progress: "Progress", *, topic_id: str) -> None:
        self.complaint: str | None = None
        self._settings = settings
        self._progress = progress
        self._topic_id = topic_id
        self._missing = False
        self._snapshot_id: int | None = None
        self._end = threading.Event()

    def __enter__(self) -> "Watch":
        """Look once, and begin to look on.

        Raises:
            ShoplakeError: Something has changed already.
        """
        self.complaint = self.look()
        if self.complaint:
            raise ShoplakeError(self.complaint)
        threading.Thread(target=self._look_on, name="watch", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._end.set()

    def look(self) -> str | None:
        """What has changed as of now, in one line."""
        return self._topic_changed() or self._rolled_back()

    def undo(self) -> None:
        """Take back what the query appended to a Bronze that was rolled back under it; for when it has stopped.

        It may have committed once more before anyone looked, and that commit lacks what the rollback took: left there,
        it would tell the next start that nothing is missing. Whoever holds the writer's lock owns all commits behind
        the snapshot that was rolled back to, or they are compactions of them.
        """
        try:
            _return_to_the_fork(self._settings, seen=self._snapshot_id)
        except (OSError, SQLAlchemyError, NoSuchTableError, CommitFailedException):
            _log.warning(
                "%s could not be looked at in the end; 'shoplake verify' tells whether anything is missing",
                BRONZE_EVENTS,
                exc_info=True,
            )

    def _look_on(self) -> None:
        while self.complaint is None and not self._end.wait(timeout=_SECONDS):
            self.complaint = self.look()

    def _topic_changed(self) -> str | None:
        name = self._settings.kafka.topic
        try:
            found = describe_topic(self._settings).id
        except TopicMissingError:
            # A broker that has just started may not know its topics yet.
            missed, self._missing = self._missing, True
            return f"topic {name} was deleted. The ingest ends; the next start makes it anew." if missed else None
        except ShoplakeError:
            return None
        self._missing = False
        if found == self._topic_id:
            return None
        return (
            f"topic {name} was deleted and made anew: {self._topic_id} has become {found}. The ingest ends; the next "
            "start reads the new topic from its beginning, and the lake keeps its rows."
        )

    def _rolled_back(self) -> str | None:
        try:
            bronze = open_catalog(self._settings).load_table(BRONZE_EVENTS)
        except (OSError, SQLAlchemyError, NoSuchTableError) as error:
            _log.debug("Bronze cannot be looked at now: %s", error)
            return None
        current = bronze.metadata.current_snapshot_id
        self._progress.note(snapshot_id=current)
        if self._snapshot_id is None or _fork(bronze, seen=self._snapshot_id) == self._snapshot_id:
            self._snapshot_id = current
            return None
        return (
            f"{BRONZE_EVENTS} was rolled back to a snapshot before {self._snapshot_id}. The ingest ends; the next "
            "start reads again from Kafka what the lake lacks."
        )


def _fork(table: "Table", *, seen: int) -> int | None:
    """The newest snapshot that the table of now has in common with the one that was seen.

    That is the one that was seen, unless the table was rolled back. One that has expired is given the benefit of the
    doubt.
    """
    parents = {snapshot.snapshot_id: snapshot.parent_snapshot_id for snapshot in table.metadata.snapshots}
    if seen not in parents:
        return seen
    past = set(_ancestors(seen, parents))
    return next((one for one in _ancestors(table.metadata.current_snapshot_id, parents) if one in past), None)


def _ancestors(snapshot_id: int | None, parents: Mapping[int, int | None]) -> Iterator[int]:
    """A snapshot and those before it, newest first."""
    while snapshot_id is not None and snapshot_id in parents:
        yield snapshot_id
        snapshot_id = parents[snapshot_id]


@again_after_a_conflict
def _return_to_the_fork(settings: "Settings", *, seen: int | None) -> None:
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    fork = None if seen is None else _fork(bronze, seen=seen)
    if fork in (None, seen, bronze.metadata.current_snapshot_id):
        return
    bronze.manage_snapshots().rollback_to_snapshot(fork).commit()
    _log.warning(
        "%s is at snapshot %s again: what was appended since it was rolled back lacks rows", BRONZE_EVENTS, fork
    )
