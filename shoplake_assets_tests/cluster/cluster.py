"""The whole cluster on one machine: everything that `docker/compose.yaml` names, up and down.

Belongs here: starting and stopping all of it, and commands within it. Does not belong here: what is done with it
(`rehearsal`).
"""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog, load_catalog

from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.ports import is_free
from shoplake_assets.settings import load_settings
from shoplake_assets_tests.cluster.compose import Composition, read_compose
from shoplake_assets_tests.cluster.local import NOT_REHEARSED, Machine, plan
from shoplake_assets_tests.cluster.running import Running
from shoplake_assets_tests.cluster.variables import new_variables
from shoplake_assets_tests.waiting import wait_until

_START_SECONDS = 420
_COMMAND_SECONDS = 600
Say = Callable[[str], None]


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        root: The folder below which everything is kept.
        composition: What the compose file says.
        variables: What it was told: the content of `.env`.
        running: Its services, by name.
    """

    root: Path
    composition: Composition
    variables: Mapping[str, str]
    running: Mapping[str, Running]

    def run(
        self, *arguments: str, within: str = "code-server", check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of Shoplake as `docker compose exec` would within a service.

        Raises:
            AssertionError: It fails; the message is what it said.
        """
        told = self.running[within].plan
        done = subprocess.run(  # noqa: S603  our own command
            ["shoplake", *arguments],  # noqa: S607  the one of the service's path
            env=dict(told.environment),
            cwd=told.folder,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"shoplake {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command with `--json` and give its document."""
        document: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return document

    def catalog(self) -> "Catalog":
        """The catalog, opened with nothing but what `shoplake status --json` tells and the keys of the store."""
        told = self.json("status")["catalog"]
        own = self.running["code-server"].plan.environment
        keys = {
            "s3.access-key-id": own["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": own["AWS_SECRET_ACCESS_KEY"],
        }
        return load_catalog(told["name"], **told["properties"], **keys)

    def exits(self) -> dict[str, list[int]]:
        """The services whose process has ended without having been asked to, with its codes."""
        return {name: service.exits for name, service in self.running.items() if service.exits}


@contextmanager
def started(root: Path, *, say: Say) -> Iterator[Cluster]:
    """Start all services in the folder, each as soon as those that it waits for are ready; at the end stop all.

    Raises:
        AssertionError: A port is taken, or a service does not become ready; the message has the end of its log.
    """
    settings = load_settings()
    java = find_java(settings)
    machine = Machine(root, java, resolve_jars(settings, java))
    variables = new_variables(root)
    composition = read_compose(variables)
    services = [told for told in composition.started if told.name not in NOT_REHEARSED]
    running = {told.name: Running(plan(told, composition, machine)) for told in services}
    taken = [port for told in services for port in told.ports if not is_free(port)]
    assert not taken, f"the ports {taken} of the compose file are taken on this machine"
    threads = [threading.Thread(target=each.run, args=(running,), name=name) for name, each in running.items()]
    for thread in threads:
        thread.start()
    try:
        _wait_until_all_are_ready(running, say=say)
        yield Cluster(root, composition, variables, running)
    finally:
        _stop(running)
        for thread in threads:
            thread.join()


def _stop(running: Mapping[str, Running]) -> None:
    """Stop each once all that wait for it at a start have stopped."""
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(running, ()))
    for name, service in running.items():
        for other in service.plan.after:
            order.add(other, name)
    order.prepare()
    with ThreadPoolExecutor(len(running)) as pool:
        while order.is_active():
            names = order.get_ready()
            list(pool.map(lambda name: running[name].stop(), names))
            order.done(*names)


def _wait_until_all_are_ready(running: Mapping[str, Running], *, say: Say) -> None:
    told: set[str] = set()

    def all_are_ready() -> bool:
        for name, service in running.items():
            assert service.trouble is None, service.trouble
            if service.ready.is_set() and name not in told:
                told.add(name)
                say(f"{name} is ready, {service.ready_after:.1f} s after its start")
        return len(told) == len(running)

    try:
        wait_until(all_are_ready, what="all services are ready", seconds=_START_SECONDS)
    except AssertionError as error:
        waiting = [name for name in running if name not in told]
        words = "\n".join(f"--- {name}\n{running[name].words()}" for name in waiting)
        message = f"{error}\nnot ready: {', '.join(waiting)}\n{words}"
        raise AssertionError(message) from error
