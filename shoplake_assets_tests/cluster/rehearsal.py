"""What is rehearsed: events through the cluster to Gold, with a worker and a broker killed on the way.

Belongs here: the steps, in their order, and what they leave to be looked at. Does not belong here: what must come of
them, which the test says.
"""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoplake_assets.tables import BRONZE_EVENTS, DERIVED
from shoplake_assets_tests.cluster.batches import FIRST, SECOND
from shoplake_assets_tests.cluster.leaks import FOR_SECRETS, look_everywhere
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.catalog import Catalog

    from shoplake_assets_tests.cluster.cluster import Cluster, Say

WORKER, BROKER = "spark-worker-1", "kafka-1"
"""What is killed. The broker is the first in every list of brokers, and so the first that is asked."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal has left.

    Attributes:
        verified: What `shoplake verify` said, each time.
        rows: All rows of Bronze, Silver and Gold at the end, by table.
        exits: The services whose process has ended by itself, with its codes.
        places: Where secrets were looked for, and whether one is there.
    """

    verified: list[dict[str, Any]]
    rows: "Mapping[str, Rows]"
    exits: "Mapping[str, list[int]]"
    places: "Mapping[str, bool]"

    @property
    def leaks(self) -> list[str]:
        """The places that show a secret, but for the files that secrets are kept in."""
        return [place for place, shown in self.places.items() if shown and not FOR_SECRETS.search(place)]


def rehearse(cluster: "Cluster", *, say: "Say") -> Rehearsed:
    """Send, drain, verify; then send again, kill a worker and a broker meanwhile, drain, verify."""
    said = _timed(say)
    said(cluster.run("generate", *FIRST.options).stdout.strip())
    verified = [_arrived(cluster, said)]
    _send_while_others_die(cluster, said)
    verified.append(_arrived(cluster, said))
    catalog = cluster.catalog()
    rows = {name: _rows(catalog, name) for name in (BRONZE_EVENTS, *DERIVED)}
    said(f"{sum(len(each) for each in rows.values()):,} rows read from S3")
    places = look_everywhere(cluster)
    rehearsed = Rehearsed(verified=verified, rows=rows, exits=cluster.exits(), places=places)
    said(f"{len(places):,} places looked at for secrets; {len(rehearsed.leaks)} show one")
    return rehearsed


def _timed(say: "Say") -> "Say":
    began = time.monotonic()
    return lambda text: say(f"[{time.monotonic() - began:5.0f} s] {text}")


def _arrived(cluster: "Cluster", say: "Say") -> dict[str, Any]:
    drained = cluster.json("drain")
    say(f"{drained['events']:,} events of Kafka are in Gold, after {drained['seconds']} s")
    verified = cluster.json("verify")
    say(f"verified: {'all' if verified['holds'] else 'NOT all'} of {len(verified['proofs'])} proofs hold")
    return verified


def _send_while_others_die(cluster: "Cluster", say: "Say") -> None:
    catalog = cluster.catalog()
    before = _newest_bronze(catalog)
    sending = threading.Thread(target=lambda: say(cluster.run("generate", *SECOND.options).stdout.strip()))
    sending.start()
    try:
        wait_until(
            lambda: _newest_bronze(catalog) != before or not sending.is_alive(),
            what="Bronze takes in some of the second batch",
        )
        cluster.running[WORKER].kill()
        say(f"{WORKER} was killed")
        middle = _newest_bronze(catalog)
        wait_until(
            lambda: _newest_bronze(catalog) != middle or not sending.is_alive(),
            what="Bronze takes in more without the worker",
        )
        cluster.running[BROKER].kill()
        say(f"{BROKER} was killed")
    finally:
        sending.join()


def _newest_bronze(catalog: "Catalog") -> int | None:
    snapshot: int | None = catalog.load_table(BRONZE_EVENTS).metadata.current_snapshot_id
    return snapshot


def _rows(catalog: "Catalog", table: str) -> Rows:
    rows: Rows = catalog.load_table(table).scan().to_arrow().to_pylist()
    return rows
