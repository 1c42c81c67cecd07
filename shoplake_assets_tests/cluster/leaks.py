"""Where the secrets of a cluster can be read.

Belongs here: all that a cluster shows and leaves behind. Does not belong here: whether a secret may be there.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psutil  # type: ignore[import-untyped]

from shoplake_assets.runtime.internal import internal_client

if TYPE_CHECKING:
    from shoplake_assets_tests.cluster.cluster import Cluster

FOR_SECRETS = re.compile(r"/secrets/\.env$|/run/postgres\.passwords$")
"""The files that secrets are kept in."""
_OF_OTHERS = re.compile(r"/site/|\.jar$")
_SECONDS = 30
_INSTANCE = "{ instance { info daemonHealth { allDaemonStatuses { daemonType } } } }"
_RUNS = "{ runsOrError(limit: 100) { ... on Runs { results { runConfigYaml tags { key value } } } } }"
_RESOURCES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { allTopLevelResourceDetails {
  name configFields { name description } configuredValues { key value type } } } } } }"""


def secrets_of(cluster: "Cluster") -> set[str]:
    """The texts that nobody must find: the passwords, and the secret key of the store."""
    return {value for name, value in cluster.variables.items() if re.search("PASSWORD|SECRET", name)}


def look_everywhere(cluster: "Cluster") -> dict[str, bool]:
    """All places that were looked at, and whether a secret is there."""
    secrets = [secret.encode() for secret in secrets_of(cluster)]
    places = (*_files(cluster.root), *_command_lines(), *_commands(cluster), *_pages(cluster))
    return {place: any(secret in content for secret in secrets) for place, content in places}


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    """Logs, configuration, history, and the objects on S3, which logs of runs are among."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and not _OF_OTHERS.search(str(path)):
            with suppress(FileNotFoundError):  # of what runs, some files come and go
                yield str(path), path.read_bytes()


def _command_lines() -> Iterator[tuple[str, bytes]]:
    """Those of all processes of the machine, as every user of it can see them."""
    for process in psutil.process_iter(["cmdline"]):
        yield f"command line of process {process.pid}", "\0".join(process.info["cmdline"] or ()).encode()


def _commands(cluster: "Cluster") -> Iterator[tuple[str, bytes]]:
    for words in (("status", "--json"), ("settings",), ("doctor",)):
        done = cluster.run(*words, check=False)
        yield f"shoplake {' '.join(words)}", (done.stdout + done.stderr).encode()


def _pages(cluster: "Cluster") -> Iterator[tuple[str, bytes]]:
    """What the processes show to a browser."""
    told = cluster.running["code-server"].plan.environment
    dagster = f"http://127.0.0.1:{told.get('SHOPLAKE_DAGSTER__PORT', '3000')}"
    with internal_client(timeout=_SECONDS) as client:

        def page(address: str) -> bytes:
            return client.get(address, follow_redirects=True).raise_for_status().content

        for driver in (4040, 4041):
            interface = f"http://127.0.0.1:{driver}"
            (application,) = orjson.loads(page(f"{interface}/api/v1/applications"))
            for path in ("environment/", f"api/v1/applications/{application['id']}/environment", "metrics/prometheus/"):
                yield f"{interface}/{path}", page(f"{interface}/{path}")
        for port, path in ((8081, "json/"), (8081, ""), (9108, "status"), (9108, "metrics"), (8050, "")):
            yield f"http://127.0.0.1:{port}/{path}", page(f"http://127.0.0.1:{port}/{path}")
        for query in (_INSTANCE, _RUNS, _RESOURCES):
            answer = client.post(f"{dagster}/graphql", json={"query": query}).raise_for_status()
            assert "errors" not in answer.json(), answer.text
            yield f"Dagster's GraphQL, {query}", answer.content
