"""`docker/compose.yaml` as tests read it: its services, what they listen on, and the variables it takes.

Belongs here: reading. Does not belong here: what must be true of it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent.parent
DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"
THIRD_WORKER = DOCKER / "examples" / "third-worker.yaml"
EXAMPLE = DOCKER / ".env.example"

# `$${...}` is for the shell in the container.
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:?[-?])([^}]*))?\}")
_LINE = re.compile(r"^(# )?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


class Variable(NamedTuple):
    """A place of a compose file that takes a variable.

    Attributes:
        name: The variable.
        operator: `:-` and `-` are followed by a default, `:?` and `?` by what is said where it is missing.
        text: What follows.
    """

    name: str
    operator: str
    text: str


class Line(NamedTuple):
    """A line of `.env.example`.

    Attributes:
        value: What it sets, or would set.
        needed: Whether it is no comment.
    """

    value: str
    needed: bool


def document(path: Path = COMPOSE) -> dict[str, Any]:
    """A compose file, with its anchors resolved and its variables as they are written."""
    return dict(yaml.safe_load(path.read_text()))


def services() -> dict[str, dict[str, Any]]:
    """Every service of `compose.yaml` and of the example beside it, by its name."""
    return {**document()["services"], **document(THIRD_WORKER)["services"]}


def variables() -> list[Variable]:
    """Every place that takes a variable. Comments take none."""
    return [
        Variable(*found) for path in (COMPOSE, THIRD_WORKER) for found in _VARIABLE.findall(_without_comments(path))
    ]


def filled_in(text: str, environment: Mapping[str, str]) -> str:
    """A text with its variables replaced as Docker Compose replaces them."""

    def value(found: re.Match[str]) -> str:
        name, operator, default = found[1], found[2] or "", found[3] or ""
        given = environment.get(name)
        if given is None or (operator.startswith(":") and not given):
            assert "?" not in operator, f"{name}: {default}"
            return default
        return given

    return _VARIABLE.sub(value, text).replace("$$", "$")


def example() -> dict[str, Line]:
    """The lines of `.env.example`, by the name of their variable."""
    return {name: Line(value, not comment) for comment, name, value in _LINE.findall(EXAMPLE.read_text())}


def texts(service: dict[str, Any]) -> Iterator[str]:
    """What a service is told: its environment, command, and health check. Links are for people."""
    yield from (value for name, value in service.get("environment", {}).items() if not name.endswith("__PUBLIC_URL"))
    for told in (service.get("command", ()), service.get("healthcheck", {}).get("test", ())):
        yield from (told,) if isinstance(told, str) else told


def _without_comments(path: Path) -> str:
    return re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.MULTILINE)
