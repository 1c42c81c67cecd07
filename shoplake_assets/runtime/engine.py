"""Spark and the embedded broker by themselves, for a command that needs them while the lake is down.

Belongs here: starting them, waiting for them, stopping them. Does not belong here: what is done with them.
"""

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime import supervision
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.runtime.preparation import prepare
from shoplake_assets.runtime.supervisor_conf import process_log
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoplake_assets.runtime.processes import ProcessSpec
    from shoplake_assets.settings import Settings

_PROCESSES = ("kafka", "spark")
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2


@contextmanager
def engine(settings: "Settings") -> "Iterator[Settings]":
    """Run a Connect server on this machine, and the embedded broker where the lake has one; stop them at the end.

    Their ports are free ones, so that nothing else that runs is in the way.

    Args:
        settings: The lake, which is down. Spark sees the catalog that they name.

    Yields:
        The settings with which the two are found.

    Raises:
        ShoplakeError: They do not start.
    """
    alone = _alone(settings)
    specs = [spec for spec in prepare(alone, generator=False) if spec.name in _PROCESSES]
    try:
        supervision.start(alone, specs)
        _wait_for(alone, specs)
        yield alone
    finally:
        supervision.stop(alone)


def _alone(settings: "Settings") -> "Settings":
    broker, controller, connect, ui = free_ports(4)
    here: Mapping[str, object] = {
        "bind": LOOPBACK,
        "kafka": settings.kafka.model_copy(update={"port": broker, "controller_port": controller}),
        "spark": settings.spark.model_copy(
            update={"remote": None, "master": None, "connect_port": connect, "ui_port": ui}
        ),
        "dagster": settings.dagster.model_copy(update={"code_server_host": LOOPBACK}),
    }
    return settings.model_copy(update=here)


def _wait_for(settings: "Settings", specs: "Sequence[ProcessSpec]") -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        states = supervision.process_states(settings)
        late = [spec.name for spec in specs if spec.name not in states or states[spec.name].state != "running"]
        if not late:
            return
        broken = [name for name in late if name in states and states[name].fails_to_start]
        if broken or not states or time.monotonic() > deadline:
            name = (broken or late)[0]
            said = (supervision.log_tail(settings, name, lines=1) or ["nothing"])[0]
            raise ShoplakeError(f"{name} does not start; its last words: {said} See {process_log(settings, name)}.")
        time.sleep(_POLL_SECONDS)
