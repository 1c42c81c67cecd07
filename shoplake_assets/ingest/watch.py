"""What may not change while an ingest runs: the topic behind its name, and the past of Bronze.

Belongs here: looking, again and again, and saying what has changed. Does not belong here: ending the ingest (`job`),
or where the next one begins (`checkpoint`). A broker or a catalog that does not answer is no change.
"""

import logging
import threading
from typing import TYPE_CHECKING

from pyiceberg.exceptions import NoSuchTableError
from sqlalchemy.exc import SQLAlchemyError

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import TopicMissingError, describe_topic
from shoplake_assets.lake.catalog import open_catalog
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
        seen, self._snapshot_id = self._snapshot_id, bronze.metadata.current_snapshot_id
        self._progress.note(snapshot_id=self._snapshot_id)
        if seen is None or _is_ancestor(bronze, seen):
            return None
        return (
            f"{BRONZE_EVENTS} was rolled back to a snapshot before {seen}. The ingest ends; the next start reads again "
            "from Kafka what the lake lacks."
        )


def _is_ancestor(table: "Table", snapshot_id: int) -> bool:
    """Whether the table still builds on the snapshot; one that has expired is given the benefit of the doubt."""
    if table.snapshot_by_id(snapshot_id) is None:
        return True
    snapshot = table.current_snapshot()
    while snapshot is not None and snapshot.snapshot_id != snapshot_id:
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return snapshot is not None
