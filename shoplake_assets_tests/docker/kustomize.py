"""What is in `docker/kubernetes`: what Kustomize makes of it, and the values for Dagster's chart.

Belongs here: finding and running Kustomize, and the parts of what it renders. Does not belong here: what has to be true
of them.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.0"
KUBERNETES = Path(__file__).parents[2] / "docker" / "kubernetes"

Manifest = dict[str, Any]

VALUES: Manifest = yaml.safe_load((KUBERNETES / "values.yaml").read_text())
DAEMON: Manifest = VALUES["dagsterDaemon"]
CODE: Manifest = VALUES["dagster-user-deployments"]["deployments"][0]


@cache
def rendered(folder: str) -> list[Manifest]:
    """The objects that a folder of `docker/kubernetes` describes."""
    places = (shutil.which("kustomize"), shutil.which("kustomize", path=str(Path.home() / "go" / "bin")))
    program = next(filter(None, places), None)
    if program is None:
        said = f"kustomize is not installed; 'go install {KUSTOMIZE}' brings it"
        if "CI" in os.environ:
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    done = subprocess.run(  # noqa: S603  what the tests say
        [program, "build", str(KUBERNETES / folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def named(folder: str, kind: str, name: str) -> Manifest:
    """One of those objects."""
    return next(one for one in rendered(folder) if (one["kind"], one["metadata"]["name"]) == (kind, name))


def executor_pod() -> Manifest:
    """The pod that Spark starts from for each executor."""
    text: str = named("base", "ConfigMap", "executor")["data"]["pod.yaml"]
    pod: Manifest = yaml.safe_load(text)
    return pod


def pods(folder: str) -> Iterator[tuple[str, Manifest]]:
    """The name and the pod of everything that runs; of executors, what Spark begins with."""
    for one in rendered(folder):
        if "template" in one.get("spec", {}):
            yield one["metadata"]["name"], one["spec"]["template"]
    yield "executor", executor_pod()


def container(pod: Manifest) -> Manifest:
    """The only container of a pod."""
    (only,) = pod["spec"]["containers"]
    return dict(only)


def environment(pod: Manifest, **known: str) -> dict[str, str]:
    """The variables that a pod sets itself, with `$(NAME)` replaced as Kubernetes does.

    Args:
        pod: Whose container it is.
        known: Values of the variables that only a cluster knows.
    """
    values = dict(known)
    for variable in container(pod).get("env", []):
        if "value" in variable:
            values[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], variable["value"])
    return values


def spark_settings(name: str) -> dict[str, str]:
    """What a driver's pod adds to Spark's configuration."""
    pod = dict(pods("base"))[name]
    values = environment(pod, POD=f"{name}-0", NAMESPACE="shoplake")
    conf: dict[str, str] = json.loads(values["SHOPLAKE_SPARK__CONF"])
    return conf
