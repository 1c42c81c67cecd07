"""Dagster's own configuration: `dagster.yaml` and `workspace.yaml` in `<home>/dagster`.

Belongs here: where Dagster keeps its state and how its daemon works. Does not belong here: what it orchestrates
(`definitions`), which processes it takes (`processes`).
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoplake_assets.lake.catalog import postgres_url
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

LOCATION = "shoplake"
MAX_CONCURRENT_RUNS = 4
RETRIES = 2
# A run starts within 3 to 11 s; one whose process was killed meanwhile would keep all later ones waiting for so long.
START_TIMEOUT_SECONDS = 60
CANCEL_TIMEOUT_SECONDS = 180
MONITORING_SECONDS = 10
DAYS = {"skipped": 1, "success": 14, "failure": 30, "started": 7}
WORKERS = 4


def dagster_folder(settings: "Settings") -> Path:
    """The DAGSTER_HOME of this lake."""
    return settings.home / "dagster"


def workspace_file(settings: "Settings") -> Path:
    """The file that tells the webserver and the daemon where the code server is."""
    return dagster_folder(settings) / "workspace.yaml"


def instance_config(settings: "Settings") -> dict[str, Any]:
    """What `dagster.yaml` says."""
    folder = dagster_folder(settings)
    threads = {"use_threads": True, "num_workers": WORKERS}
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "storage": _storage(settings),
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(folder)},
        },
        "compute_logs": _compute_logs(settings),
        # The poll of 5 s that Dagster has by default would be the largest part of a refresh's delay.
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"dequeue_interval_seconds": 1},
        },
        # Two refreshes of one table would build on the same snapshot, and the later one would be refused at the end:
        # a run whose pool is taken waits in the queue instead, without a process.
        "concurrency": {
            "runs": {"max_concurrent_runs": MAX_CONCURRENT_RUNS},
            "pools": {"default_limit": 1, "granularity": "run"},
        },
        "run_launcher": {"module": "shoplake_assets.launcher", "class": _launcher(settings)},
        # A run whose process was killed is found and started again; a failed audit is not, since the data is the same.
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": START_TIMEOUT_SECONDS,
            "cancel_timeout_seconds": CANCEL_TIMEOUT_SECONDS,
            "poll_interval_seconds": MONITORING_SECONDS,
            "free_slots_after_run_end_seconds": MONITORING_SECONDS,
        },
        "run_retries": {"enabled": True, "max_retries": RETRIES, "retry_on_asset_or_op_failure": False},
        "sensors": threads,
        "schedules": threads,
        "auto_materialize": threads,
        "freshness": {"enabled": True},
        # Maintenance forgets the ticks of sensors (`dagster_history`) and leaves those of schedules to this.
        "retention": {"schedule": {"purge_after_days": DAYS}},
    }


def workspace_config(settings: "Settings") -> dict[str, Any]:
    """What `workspace.yaml` says: the one code location is served by a process of its own."""
    server = {
        "host": settings.dagster.code_server_host,
        "port": settings.dagster.code_server_port,
        "location_name": LOCATION,
    }
    return {"load_from": [{"grpc_server": server}]}


def prepare_dagster(settings: "Settings") -> None:
    """Write both files anew, so that they follow the settings, and make the databases once.

    The files are JSON, which is YAML too and needs no quoting rules of ours.
    """
    folder = dagster_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(json.dumps(instance_config(settings), indent=2))
    workspace_file(settings).write_text(json.dumps(workspace_config(settings), indent=2))
    if settings.dagster.storage_uri is None:
        _make_sqlite(folder)


def make_storage(folder: Path) -> None:
    """Make the tables that Dagster keeps its runs, events and schedules in, or leave those alone that are there.

    Two of Dagster's processes that do so at once spoil the schema's version, so one that runs alone does it first.
    """
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(folder)) as instance:
        instance.get_run_records(limit=1)
        instance.get_asset_keys()
        instance.all_instigator_state()


def _make_sqlite(folder: Path) -> None:
    """Make the databases in the home before its processes start.

    The first start that got through leaves a mark. Databases without it are of one that was interrupted, and hold
    nothing yet.
    """
    mark = folder / "storage.made"
    if mark.exists():
        return
    shutil.rmtree(folder / "storage", ignore_errors=True)
    make_storage(folder)
    mark.touch()


def _storage(settings: "Settings") -> dict[str, Any]:
    uri = settings.dagster.storage_uri
    if uri is None:
        return {"sqlite": {"base_dir": str(dagster_folder(settings) / "storage")}}
    return {"postgres": {"postgres_url": postgres_url(settings, uri)}}


def _launcher(settings: "Settings") -> str:
    """Who runs on this machine can be looked at; a code server elsewhere has to be asked."""
    return "WatchedRunLauncher" if settings.dagster.code_server_host == LOOPBACK else "AskingRunLauncher"


def _compute_logs(settings: "Settings") -> dict[str, Any]:
    bucket = settings.dagster.compute_log_bucket
    if bucket is None:
        return {
            "module": "dagster.core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(dagster_folder(settings) / "compute_logs")},
        }
    endpoint = settings.s3.endpoint
    return {
        "module": "dagster_aws.s3.compute_log_manager",
        "class": "S3ComputeLogManager",
        "config": {
            "bucket": bucket,
            "prefix": "shoplake-compute-logs",
            "region": settings.s3.region,
            "local_dir": str(dagster_folder(settings) / "compute_logs"),
            **({"endpoint_url": endpoint} if endpoint else {}),
        },
    }
