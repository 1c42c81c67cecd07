"""Whether a process is ready to serve: asked of the process itself, each time.

Belongs here: one cheap question per kind of process. Does not belong here: whether the process is alive, which the
supervisor knows. A probe answers within `PATIENCE_SECONDS`, never raises, and takes a process that cannot be asked
for one that is not ready.
"""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.broker import Complaints, admin_client, unreachable
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    import grpc  # type: ignore[import-untyped]

    from shoplake_assets.settings import Settings

PATIENCE_SECONDS = 2.0
DEFAULT_CONNECT_PORT = 15002
# Dagster's daemons give one every 30 s; an older one may be that of a daemon before.
SIGN_OF_LIFE_SECONDS = 120
DAEMON_HEARTBEATS = "{instance {daemonHealth {allDaemonStatuses {required lastHeartbeatTime}}}}"

Probe = Callable[[float], bool]
"""Takes the time (epoch seconds) at which the process was started; says whether it is ready."""


def probes(settings: "Settings") -> dict[str, Probe]:
    """The probe of each process of a lake, by name. The generator has none: it serves nobody."""
    ingest = f"{settings.ingest_url}/status"
    webserver, dagster = settings.dagster_url, settings.dagster
    dashboard = f"{settings.dashboard_url}/"
    return {
        "kafka": lambda _: kafka_answers(settings),
        "spark": lambda _: _spark_connects(settings.spark_remote),
        "ingest": lambda _: _json(ingest).get("state") == "running",
        "code-server": lambda _: _code_server_serves(dagster.code_server_host, dagster.code_server_port),
        "webserver": lambda _: bool(_json(f"{webserver}/server_info")),
        "daemon": lambda since: _daemons_beat(f"{webserver}/graphql", since=since),
        "dashboard": lambda _: _page_is_served(dashboard),
    }


def lately() -> float:
    """Since when a process must have given a sign of life, where nobody here knows when it was started."""
    return time.time() - SIGN_OF_LIFE_SECONDS


def kafka_answers(settings: "Settings") -> bool:
    """Whether a broker serves."""
    return kafka_trouble(settings) is None


def kafka_trouble(settings: "Settings") -> ShoplakeError | None:
    """Ask for the cluster's metadata, which a broker gives once it is no longer fenced. Any one of the list will do.

    Returns:
        Why there is none; None if there is.
    """
    brokers = [broker.strip().rpartition(":") for broker in settings.bootstrap.split(",")]
    if not any(_listens(host, int(port)) for host, _, port in brokers):
        return unreachable(settings)
    from confluent_kafka import KafkaException

    complaints = Complaints()
    try:
        client = admin_client(settings, complaints)
    except ShoplakeError as error:
        return error
    try:
        if client.list_topics(timeout=PATIENCE_SECONDS).brokers:
            return None
    except KafkaException:
        client.poll(0)  # lets the complaints in
    return complaints.explain(settings)


def _spark_connects(remote: str) -> bool:
    parts = urlsplit(remote)
    host, port = parts.hostname or LOOPBACK, parts.port or DEFAULT_CONNECT_PORT
    if not _listens(host, port):
        return False
    import grpc

    with _channel(host, port, tls="use_ssl=true" in parts.path) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE_SECONDS)
        except grpc.FutureTimeoutError:
            return False
    return True


def _code_server_serves(host: str, port: int) -> bool:
    if not _listens(host, port):
        return False
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

    with _channel(host, port) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=PATIENCE_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _daemons_beat(url: str, *, since: float) -> bool:
    """Whether every daemon that this instance needs has given a sign of life since the process was started."""
    answer = _json(url, body={"query": DAEMON_HEARTBEATS})
    try:
        statuses = answer["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
        needed = [status["lastHeartbeatTime"] for status in statuses if status["required"]]
    except (KeyError, TypeError):
        return False
    return bool(needed) and all(beat is not None and beat >= since for beat in needed)


def _page_is_served(url: str) -> bool:
    import httpx

    try:
        with internal_client(timeout=PATIENCE_SECONDS) as client:
            return client.get(url).is_success
    except httpx.HTTPError:
        return False


def _json(url: str, *, body: dict[str, str] | None = None) -> dict[str, Any]:
    """Get (or post to) a URL and read its JSON object; empty if there is none."""
    import httpx

    try:
        with internal_client(timeout=PATIENCE_SECONDS) as client:
            answer = client.get(url) if body is None else client.post(url, json=body)
            document = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _listens(host: str, port: int) -> bool:
    """The cheapest question first: the clients below take long to find out that nobody listens."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_SECONDS):
            return True
    except OSError:
        return False


def _channel(host: str, port: int, *, tls: bool = False) -> "grpc.Channel":
    import grpc

    options = [("grpc.enable_http_proxy", 0)]
    if tls:
        return grpc.secure_channel(f"{host}:{port}", grpc.ssl_channel_credentials(), options=options)
    return grpc.insecure_channel(f"{host}:{port}", options=options)
