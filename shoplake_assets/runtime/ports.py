"""The ports that a lake listens on.

Belongs here: whether they are free, who holds them, which others are. Does not belong here: what listens on them.
"""

import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.settings_file import keep_settings
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import PREFIX

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

# Below the range from which systems take the ports of outgoing connections, so that a port found free stays free.
_CANDIDATES = range(20_000, 32_000)


@dataclass(frozen=True)
class Port:
    """A port of this lake.

    Attributes:
        section: Section of the setting.
        name: Name of the setting within its section.
        number: The port.
    """

    section: str
    name: str
    number: int

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.section}__{self.name}".upper()


def lake_ports(settings: "Settings") -> list[Port]:
    """The ports that the processes of this lake will listen on."""
    ports = [
        Port("ingest", "port", settings.ingest.port),
        Port("ingest", "spark_ui_port", settings.ingest.spark_ui_port),
        Port("dagster", "port", settings.dagster.port),
        Port("dagster", "code_server_port", settings.dagster.code_server_port),
        Port("dashboard", "port", settings.dashboard.port),
    ]
    if settings.spark.remote is None:
        ports.insert(0, Port("spark", "ui_port", settings.spark.ui_port))
        ports.insert(0, Port("spark", "connect_port", settings.spark.connect_port))
    if settings.kafka.bootstrap is None:
        ports.insert(0, Port("kafka", "controller_port", settings.kafka.controller_port))
        ports.insert(0, Port("kafka", "port", settings.kafka.port))
    return ports


def conflicts(settings: "Settings") -> list[str]:
    """One sentence for each port that cannot be had: what holds it, and which setting changes it."""
    problems = []
    first_use: dict[int, Port] = {}
    for port in lake_ports(settings):
        if other := first_use.get(port.number):
            problems.append(
                f"port {port.number} is set twice, by {other.variable} and {port.variable}. Change one of them."
            )
        elif said := taken(port):
            problems.append(said)
        first_use.setdefault(port.number, port)
    return problems


def taken(port: Port) -> str | None:
    """What holds the port and which setting changes it, as one sentence; None if it is free."""
    if is_free(port.number):
        return None
    return (
        f"port {port.number} is taken by {_holder(port.number)}. Stop it, or set {port.variable}; "
        "'shoplake up --ports auto' finds free ones."
    )


def check_ports(settings: "Settings") -> None:
    """Make sure that all ports are free.

    Raises:
        ShoplakeError: One is not.
    """
    if problems := conflicts(settings):
        raise ShoplakeError(" ".join(problems))


def choose_free_ports(settings: "Settings") -> dict[str, dict[str, int]]:
    """Find a free port wherever the set one is not, and keep all in `settings.json`, so that the next start has them.

    Returns:
        What was changed, as sections of settings.

    Raises:
        ShoplakeError: `settings.json` is not a JSON object.
    """
    changed: dict[str, dict[str, int]] = {}
    used: set[int] = set()
    chosen: dict[str, dict[str, int]] = {}
    for port in lake_ports(settings):
        number = port.number
        if number in used or not is_free(number):
            number = next(_free_numbers(lambda candidate: candidate not in used))
            changed.setdefault(port.section, {})[port.name] = number
        used.add(number)
        chosen.setdefault(port.section, {})[port.name] = number
    keep_settings(settings, chosen)
    return changed


def free_ports(count: int) -> list[int]:
    """So many ports that are free now, for servers that nobody else has to find."""
    return list(islice(_free_numbers(lambda _: True), count))


def is_free(number: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: connections of the past do not count, only somebody who listens.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
            probe.listen()
        except OSError:
            return False
    return True


def _free_numbers(allowed: Callable[[int], bool]) -> Iterator[int]:
    for number in random.sample(_CANDIDATES, len(_CANDIDATES)):
        if allowed(number) and is_free(number):
            yield number


def _holder(number: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return "another process"
    return "a process of another user"
