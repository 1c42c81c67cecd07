"""Which processes a lake consists of.

Belongs here: name, command, environment and manner of stopping of each. Does not belong here: starting and watching
them (`supervision`), asking them whether they are ready (`probes`). All start at the same time; each waits for what
it needs by itself.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoplake_assets.runtime.broker import broker_command
from shoplake_assets.runtime.dagster_home import LOCATION, dagster_folder, workspace_file
from shoplake_assets.runtime.spark import connect_command, driver_environment
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import PREFIX

if TYPE_CHECKING:
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

# Refreshes and maintenance give way to the broker and the ingest where there is not processor time enough for all.
# A little only: a Spark that starts would else wait for an ingest that has, and everybody for Spark.
_GIVES_WAY = ("nice", "-n", "2")

# The ingest ends its last batch and the generator delivers its last events only while Kafka is there, and so on.
BROKER, ENGINE, USERS = 1, 2, 3


@dataclass(frozen=True)
class ProcessSpec:
    """One process to be kept running.

    Attributes:
        name: How it is called everywhere.
        command: Its program and arguments.
        environment: What it gets beside the environment of `up`.
        stop_seconds: Seconds from the request to stop until it is killed.
        stage: Processes of a higher stage are stopped first, those of one stage together.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 20
    stage: int = USERS


def embedded_processes(settings: "Settings", java: "Java", jars: "Jars", *, generator: bool) -> list[ProcessSpec]:
    """The processes of an embedded lake, in the order in which they are shown.

    Args:
        settings: A broker or a Spark that exists already is not started.
        java: Runs the broker and Spark.
        jars: Their jars.
        generator: Whether synthetic shoppers run, if the settings have them enabled.
    """
    left_out = {
        "kafka": settings.kafka.bootstrap is not None,
        "spark": settings.spark.remote is not None,
        "generator": not (generator and settings.generator.enabled),
    }
    return [spec for spec in all_processes(settings, java, jars) if not left_out.get(spec.name)]


def all_processes(settings: "Settings", java: "Java", jars: "Jars") -> list[ProcessSpec]:
    """Every process that a lake can consist of."""
    # The allocator's arenas, one per thread, would otherwise add a few hundred MiB to what a heap takes.
    own = {f"{PREFIX}HOME": str(settings.home), "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
    driver = own | driver_environment(settings, java)
    dagster = own | {"DAGSTER_HOME": str(dagster_folder(settings)), "DAGSTER_DISABLE_TELEMETRY": "1"}
    generate = _python("-m", "shoplake_assets.cli.main", "generate", "--wait", "120")
    return [
        ProcessSpec("kafka", tuple(broker_command(settings, java, jars)), own, stop_seconds=45, stage=BROKER),
        ProcessSpec("spark", (*_GIVES_WAY, *connect_command(settings, java, jars)), driver, stage=ENGINE),
        # The ingest ends its batch first, which may take as long as a batch does.
        ProcessSpec("ingest", _python("-m", "shoplake_assets.ingest"), driver, stop_seconds=90),
        ProcessSpec("code-server", (*_GIVES_WAY, *_code_server(settings)), dagster, stop_seconds=45),
        ProcessSpec("webserver", _webserver(settings), dagster),
        ProcessSpec("daemon", _daemon(settings), dagster, stop_seconds=45),
        ProcessSpec("generator", generate, own),
        ProcessSpec("dashboard", _python("-m", "shoplake_assets.dashboard"), own),
    ]


def urls(settings: "Settings") -> dict[str, str]:
    """Where each process that serves somebody is found, by its name, and Spark's UI of those that have one."""
    embedded = {"spark-ui": f"http://{LOOPBACK}:{settings.spark.ui_port}"} if settings.spark.remote is None else {}
    ingest, dagster = settings.ingest, settings.dagster
    return {
        "kafka": settings.bootstrap,
        "spark": settings.spark_remote,
        **embedded,
        "ingest": f"{settings.ingest_url}/status",
        "ingest-ui": f"http://{ingest.host}:{ingest.spark_ui_port}",
        "code-server": f"grpc://{dagster.code_server_host}:{dagster.code_server_port}",
        "webserver": settings.dagster_url,
        "dashboard": settings.dashboard_url,
    }


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def _code_server(settings: "Settings") -> tuple[str, ...]:
    """`dagster api grpc` serves the code in one process; `dagster code-server start` would keep two of them."""
    return _python(
        *("-m", "shoplake_assets.code_server", "grpc", "--host", settings.bind),
        *("--port", str(settings.dagster.code_server_port)),
        *("--module-name", "shoplake_assets.definitions", "--location-name", LOCATION),
        *("--use-python-environment-entry-point", "--log-format", "json", "--log-level", "warning"),
    )


def _webserver(settings: "Settings") -> tuple[str, ...]:
    return _python(
        *("-m", "dagster_webserver", "--host", settings.bind, "--port", str(settings.dagster.port)),
        *(("--read-only",) if settings.dagster.read_only else ()),
        *("--workspace", str(workspace_file(settings)), "--log-format", "json"),
    )


def _daemon(settings: "Settings") -> tuple[str, ...]:
    return _python(
        *("-m", "shoplake_assets.daemon", "run", "--workspace", str(workspace_file(settings)), "--log-format", "json")
    )
