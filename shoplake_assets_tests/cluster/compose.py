"""What `docker/compose.yaml` says of each service.

Belongs here: reading the file as Compose does, as far as it makes use of it. Does not belong here: what becomes of a
service on one machine (`local`).
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_assets_tests.docker.composing import COMPOSE, document, filled_in


@dataclass(frozen=True)
class Service:
    """A service, with every variable replaced.

    Attributes:
        name: Its name.
        image: Its image; None where it is built.
        command: What is run in it; empty where that is the image's own.
        environment: What it is told.
        mounts: What is mounted in it: the path in the container, and the file or folder of the repository; None for a
            volume.
        health: The command of its health check; a text is for a shell.
        after: The services that it waits for, and for what of them.
        profiles: When it is started; empty for always.
        ports: The ports that are published.
        restarts: Whether it is started again when it ends.
    """

    name: str
    image: str | None
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: Mapping[str, Path | None]
    health: tuple[str, ...] | str | None
    after: Mapping[str, str]
    profiles: tuple[str, ...]
    ports: tuple[int, ...]
    restarts: bool


@dataclass(frozen=True)
class Composition:
    """All services.

    Attributes:
        services: By name.
        profiles: The profiles that are started.
    """

    services: Mapping[str, Service]
    profiles: frozenset[str]

    @property
    def started(self) -> list[Service]:
        """The services that `docker compose up` starts."""
        return [told for told in self.services.values() if not told.profiles or self.profiles & {*told.profiles}]


def read_compose(variables: Mapping[str, str], *, file: Path = COMPOSE) -> Composition:
    """Read the file as Compose does with these variables.

    Raises:
        AssertionError: A variable is absent that the file needs.
    """
    services = {
        name: _service(name, _replaced(told, variables), file.parent)
        for name, told in document(file)["services"].items()
    }
    return Composition(services, frozenset(variables.get("COMPOSE_PROFILES", "").split(",")))


def _replaced(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, variables) for item in value]
    return filled_in(value, variables) if isinstance(value, str) else value


def _service(name: str, told: Mapping[str, Any], folder: Path) -> Service:
    return Service(
        name=name,
        image=None if "build" in told else told["image"],
        command=(*_words(told.get("entrypoint")), *_words(told.get("command"))),
        environment=_mapping(told.get("environment", {})),
        mounts=dict(_mount(volume, folder) for volume in told.get("volumes", ())),
        health=_health(told.get("healthcheck", {}).get("test")),
        after=_after(told.get("depends_on", {})),
        profiles=tuple(told.get("profiles", ())),
        ports=tuple(_port(port) for port in told.get("ports", ())),
        restarts=told.get("restart", "no") not in ("no", False),
    )


def _words(told: str | Sequence[str] | None) -> list[str]:
    return shlex.split(told) if isinstance(told, str) else [str(word) for word in told or ()]


def _mapping(told: Mapping[str, Any] | Sequence[str]) -> dict[str, str]:
    pairs = told.items() if isinstance(told, Mapping) else (text.split("=", 1) for text in told)
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in pairs}


def _mount(told: str | Mapping[str, Any], folder: Path) -> tuple[str, Path | None]:
    if isinstance(told, str):
        source, target, *_ = told.split(":")
    else:
        source, target = told.get("source", ""), told["target"]
    return target, (folder / source).resolve() if source.startswith((".", "/")) else None


def _health(told: str | Sequence[str] | None) -> tuple[str, ...] | str | None:
    if told is None or isinstance(told, str):
        return told
    kind, *words = told
    return words[0] if kind == "CMD-SHELL" else tuple(words)


def _after(told: Mapping[str, Mapping[str, str]] | Sequence[str]) -> dict[str, str]:
    if isinstance(told, Mapping):
        return {name: how["condition"] for name, how in told.items()}
    return dict.fromkeys(told, "service_started")


def _port(told: str | Mapping[str, Any]) -> int:
    """The port of the host."""
    return int(told.split(":")[-2] if isinstance(told, str) else told["published"])
