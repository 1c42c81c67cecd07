"""What Dagster did while something was measured, from its own storage.

Belongs here: runs and their moments, and when the sensor has told of a commit. Does not belong here: what follows from
it (`latency`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.runtime.dagster_home import dagster_folder
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_MANY = 10_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """A refresh that ran; moments are in seconds since 1970.

    Attributes:
        created: When it was asked for.
        began: When its process began to work.
        silver_began: When the step of Silver began.
        ended: When it ended; infinite while it runs.
    """

    created: float
    began: float
    silver_began: float
    ended: float


def runs_of(settings: "Settings") -> list[Run]:
    """The refreshes that have begun, oldest first: what one has published is seen before it ends."""
    found = []
    with dg.DagsterInstance.from_config(str(dagster_folder(settings))) as instance:
        for record in instance.get_run_records():
            steps = {
                entry.step_key: entry.timestamp
                for entry in instance.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.STEP_START)
            }
            if "silver" in steps and record.start_time is not None:
                found.append(
                    Run(
                        created=record.create_timestamp.timestamp(),
                        began=record.start_time,
                        silver_began=steps["silver"],
                        ended=math.inf if record.end_time is None else record.end_time,
                    )
                )
    return sorted(found, key=lambda run: run.began)


def reports(settings: "Settings") -> Mapping[int, float]:
    """When the sensor told of each Bronze snapshot, in seconds since 1970."""
    found: dict[int, float] = {}
    with dg.DagsterInstance.from_config(str(dagster_folder(settings))) as instance:
        for record in instance.fetch_materializations(key_of(BRONZE_EVENTS), limit=_MANY).records:
            materialization = record.asset_materialization
            ids = None if materialization is None else materialization.metadata.get("shoplake/snapshot_ids")
            for snapshot_id in [] if ids is None else ids.value:  # type: ignore[union-attr]
                found[int(str(snapshot_id))] = record.timestamp
    return found
