"""A service of the compose file as a process of this machine.

Belongs here: what is replaced: the names of machines by `localhost`, the address of all networks by the loopback's,
paths in a container by a folder of the service's own, and the images of others by what can be had without Docker. All
else is the compose file's, word by word.
Does not belong here: reading that file (`compose`), and running the process (`running`).
"""

import os
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.sections import LOOPBACK
from shoplake_assets_tests.cluster import kafka, postgres, store
from shoplake_assets_tests.cluster.running import Plan
from shoplake_assets_tests.docker.composing import DOCKER

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets_tests.cluster.compose import Composition, Service

NOT_REHEARSED = {
    "generator": "the rehearsal sends its own events, by the same program, so that it knows them",
    "webserver-read-only": "is the webserver once more, for `sso`",
    "sso": "a login needs a provider of logins",
    "prometheus": "has tests of its own, with a real Prometheus and these rules",
    "grafana": "its image is not to be had without Docker; its dashboards have tests of their own",
}
"""The services that are not run, with the reason."""

HOME = "/var/lib/shoplake"
_HERE = "localhost"
_NAME = re.compile(r"[a-z0-9-]+\.shoplake\.internal")
_EVERY_ADDRESS = re.compile(r"(?<![\d.])0\.0\.0\.0(?![\d.])")
_SCRIPTS = "/docker-entrypoint-initdb.d"
# What a process of ours takes from whoever runs the rehearsal: how to find programs, and how to reach the registries.
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH", "SHOPLAKE_RUNTIME__CACHE", "SHOPLAKE_RUNTIME__TRUST_STORE")


@dataclass(frozen=True)
class Machine:
    """The machine that the cluster is rehearsed on.

    Attributes:
        root: The folder below which everything is kept.
        java: The Java of all.
        jars: The jars of the broker.
    """

    root: Path
    java: "Java"
    jars: "Jars"

    def folder(self, service: str) -> Path:
        """What the root of the service's container would be."""
        return self.root / service


def plan(service: "Service", composition: "Composition", machine: Machine) -> Plan:
    """How the service is run on the machine. Its folder is made."""
    folder = machine.folder(service.name)
    for path in (HOME, *(path for path, source in service.mounts.items() if source is None)):
        (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    told = replace(
        service,
        command=tuple(_here(word, service, folder) for word in service.command),
        environment={name: _here(value, service, folder) for name, value in service.environment.items()},
        health=_health(service, folder),
    )
    others = composition.started
    basis = Plan(
        name=service.name,
        command=told.command,
        environment=told.environment,
        folder=folder,
        health=told.health if not isinstance(told.health, str) else ("sh", "-c", told.health),
        after=tuple(other.name for other in others if other.name in service.after and other.name not in NOT_REHEARSED),
        once=any(other.after.get(service.name) == "service_completed_successfully" for other in others),
        restarts=service.restarts,
    )
    return _stand_in(told)(told, basis, machine)


def _here(text: str, service: "Service", folder: Path) -> str:
    """A text of the compose file with this machine's address and paths."""
    text = _EVERY_ADDRESS.sub(LOOPBACK, _NAME.sub(_HERE, text))
    for path, source in sorted({HOME: None, **service.mounts}.items(), reverse=True):
        here = source or folder / path.lstrip("/")
        text = re.sub(rf"(?<![\w/.-]){re.escape(path)}(?![\w.-])", lambda _, here=here: str(here), text)  # type: ignore[misc]
    return text


def _health(service: "Service", folder: Path) -> tuple[str, ...] | str | None:
    health = service.health
    if health is None or isinstance(health, str):
        return None if health is None else _here(health, service, folder)
    return tuple(_here(word, service, folder) for word in health)


def _stand_in(service: "Service") -> "Callable[[Service, Plan, Machine], Plan]":
    image = (service.image or "").rpartition("/")[2].partition(":")[0]
    return {"kafka": _kafka, "postgres": _postgres, "rustfs": _store}.get(image, _ours)


def _ours(_: "Service", basis: Plan, machine: Machine) -> Plan:
    """A process of the one image of ours: a virtual environment with Java, of which there is one here, too."""
    own = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    own["PATH"] = os.pathsep.join((str(_programs(basis.folder)), str(Path(sys.executable).parent), own["PATH"]))
    image = {
        "JAVA_HOME": str(machine.java.home),
        # A rehearsal is too short for the second compiler to pay for itself.
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
        "SPARK_LOCAL_IP": LOOPBACK,
        "SHOPLAKE_HOME": str(basis.folder / HOME.lstrip("/")),
    }
    return replace(basis, environment={**own, **image, **basis.environment})


def _programs(folder: Path) -> Path:
    """The programs that the Dockerfile adds to the image."""
    bin_ = folder / "bin"
    bin_.mkdir()
    program = bin_ / "spark-ready"
    program.write_bytes((DOCKER / "spark_ready.py").read_bytes())
    program.chmod(0o755)
    return bin_


def _kafka(_: "Service", basis: Plan, machine: Machine) -> Plan:
    environment = {"PATH": os.environ["PATH"], **basis.environment}
    return replace(
        basis,
        command=kafka.command(machine.java, machine.jars, basis.folder, environment),
        environment=environment,
        health=kafka.answers(environment),
        setup=partial(kafka.configure, machine.java, machine.jars, basis.folder, environment),
    )


def _postgres(service: "Service", basis: Plan, machine: Machine) -> Plan:
    folder, data = basis.folder, basis.folder / "data"
    bin_ = postgres.programs(folder)
    mounted = [path for target, path in service.mounts.items() if path and target.startswith(_SCRIPTS)]
    scripts = [script for path in mounted for script in (sorted(path.iterdir()) if path.is_dir() else [path])]
    environment = {**basis.environment, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}
    return replace(
        basis,
        command=postgres.command(bin_, data, words=basis.command[1:]),
        environment=environment,
        setup=partial(postgres.initialise, bin_, data, environment=environment, scripts=scripts),
        user=postgres.unprivileged(),
    )


def _store(service: "Service", basis: Plan, _: Machine) -> Plan:
    """The keys, the port and the region are those that RustFS is told."""
    told = service.environment
    port = int(told["RUSTFS_ADDRESS"].rpartition(":")[2])
    keys = store.environment(key=told["RUSTFS_ACCESS_KEY"], secret=told["RUSTFS_SECRET_KEY"])
    return replace(
        basis,
        command=store.command(basis.folder, port=port, region=told.get("RUSTFS_REGION", "us-east-1")),
        environment={"PATH": os.environ["PATH"], **keys},
        health=store.answers(port),
    )
