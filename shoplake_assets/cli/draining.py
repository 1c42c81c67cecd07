"""Waiting until what is in Kafka has arrived in Gold.

Belongs here: the waiting, and saying what is stuck. Does not belong here: options and output.
"""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.topic import beginning_offsets, describe_topic, end_offsets
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.layers import Layer, read_layers
from shoplake_assets.lake.position import Position
from shoplake_assets.runtime.dagster_api import launch_refresh, refreshes_under_way, run_outcome
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_POLL_SECONDS = 0.5
# Refreshes that a drain starts before it gives up: a failure that a fresh attempt does not mend needs a person.
_MOST_ATTEMPTS = 2


def drain_lake(settings: "Settings", *, timeout_seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Wait until every table reaches the end that Kafka has now.

    Args:
        settings: The lake.
        timeout_seconds: How long to wait at the most.
        say: Takes a line of progress.

    Returns:
        `events` (in Kafka's range now), `seconds` that it took and `position` that every table has reached.

    Raises:
        ShoplakeError: Something is stuck; the message says what.
    """
    began = time.monotonic()
    topic = describe_topic(settings)
    begin = Position.of_topic(topic.id, beginning_offsets(settings, topic))
    target = Position.of_topic(topic.id, end_offsets(settings, topic))
    deadline = began + timeout_seconds
    _wait_for_bronze(settings, begin, target, deadline=deadline, say=say)
    _wait_for_gold(settings, begin, target, deadline=deadline, say=say)
    return {
        "drained": True,
        "events": begin.events_behind(target),
        "seconds": round(time.monotonic() - began, 1),
        "position": target.to_json(),
    }


def _wait_for_bronze(
    settings: "Settings", begin: Position, target: Position, *, deadline: float, say: Callable[[str], None]
) -> None:
    said = ""
    while True:
        behind = _behind(_layers(settings)[BRONZE_EVENTS], begin, target)
        if not behind:
            return
        line = f"Bronze lacks {behind:,} events"
        if line != said:
            say(line)
            said = line
        ingest = process_states(settings).get("ingest")
        if ingest is None or ingest.state == "stopped":
            state = "not started" if ingest is None else ingest.state
            raise ShoplakeError(f"stuck: {line}, and the ingest is {state}. 'shoplake up' starts it.")
        if time.monotonic() > deadline:
            raise ShoplakeError(f"stuck: {line} when the time was up; see the ingest's log, or give --timeout more.")
        time.sleep(_POLL_SECONDS)


def _wait_for_gold(
    settings: "Settings", begin: Position, target: Position, *, deadline: float, say: Callable[[str], None]
) -> None:
    attempts: list[str] = []
    least = math.inf
    while True:
        layers = _layers(settings)
        stuck = {name: _behind(layers[name], begin, target) for name in DERIVED}
        stuck = {name: behind for name, behind in stuck.items() if behind}
        if not stuck:
            return
        if (lacking := sum(stuck.values())) < least:
            # A refresh takes in so many events at most: one that came nearer has done its part.
            least = lacking
            attempts.clear()
        line = f"{', '.join(stuck)} lack up to {max(stuck.values()):,} events"
        if time.monotonic() > deadline:
            raise ShoplakeError(f"stuck: {line} when the time was up; look at the runs in the Dagster UI.")
        if not refreshes_under_way(settings) and _still_behind(settings, begin, target):
            if len(attempts) == _MOST_ATTEMPTS:
                failure = run_outcome(settings, attempts[-1]).failure or "its runs end without getting there"
                raise ShoplakeError(f"stuck: {line}: {failure}")
            attempts.append(launch_refresh(settings))
            say(f"Refresh {attempts[-1][:8]} started in Dagster: {len(stuck)} tables are behind")
        time.sleep(_POLL_SECONDS)


def _still_behind(settings: "Settings", begin: Position, target: Position) -> bool:
    """Look again after no run was found: one that ended in between may have brought all that was missing."""
    layers = _layers(settings)
    return any(_behind(layers[name], begin, target) for name in DERIVED)


def _layers(settings: "Settings") -> dict[str, Layer]:
    return read_layers(open_catalog(settings))


def _behind(layer: Layer, begin: Position, target: Position) -> int:
    return layer.position.merged(begin).events_behind(target)
