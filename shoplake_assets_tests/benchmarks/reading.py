"""How long does somebody wait who opens the dashboard of a large lake?

    python -m shoplake_assets_tests.benchmarks.reading --events 20000000 --json docs/measurements/reading.json

Grows a lake of that size, starts the dashboard on it as the supervisor does, and asks it over HTTP for what a browser
asks for: the page, of which the first byte counts, and what fills each of its pages with figures, of which the last
byte counts. Between two questions the lake gets no new data, so that what the dashboard remembers counts, too; the
first questions, with nothing remembered, are told apart.

Belongs here: the questions and the seconds. It asserts nothing: machines are noisy.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.settings import PREFIX
from shoplake_assets_tests.benchmarks.grown_lake import grown_lake
from shoplake_assets_tests.benchmarks.running import about
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

PAGES = {"live": "/", "insights": "/insights", "health": "/health"}
_PATIENCE_SECONDS = 60.0


@contextmanager
def dashboard(settings: "Settings") -> Iterator[httpx.Client]:
    """The dashboard in a process of its own, and a client of it."""
    environment = {**os.environ, f"{PREFIX}HOME": str(settings.home)}
    process = subprocess.Popen([sys.executable, "-m", "shoplake_assets.dashboard"], env=environment)
    try:
        with internal_client(timeout=_PATIENCE_SECONDS) as client:
            client.base_url = httpx.URL(settings.dashboard_url)
            wait_until(lambda: _answers(client), what="the dashboard answers", seconds=_PATIENCE_SECONDS)
            yield client
    finally:
        process.terminate()
        process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/_dash-dependencies").is_success
    except httpx.TransportError:
        return False


def question(client: httpx.Client, page: str) -> dict[str, Any]:
    """What a browser sends when the page asks for its figures for the first time."""
    callbacks = client.get("/_dash-dependencies").json()
    (callback,) = [one for one in callbacks if f"{page}-shown." in one["output"]]
    names = [one.rpartition(".") for one in callback["output"].strip(".").split("...")]
    given: Mapping[str, object] = {"zone": "UTC", f"{page}-shown": {}, "url": ""}

    def filled(properties: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**one, "value": given.get(one["id"])} for one in properties]

    return {
        "output": callback["output"],
        "outputs": [{"id": id_, "property": name} for id_, _, name in names],
        "inputs": filled(callback["inputs"]),
        "state": filled(callback["state"]),
        "changedPropIds": [f"{callback['inputs'][0]['id']}.{callback['inputs'][0]['property']}"],
    }


def first_byte(client: httpx.Client, path: str) -> float:
    """Seconds until the page begins to come."""
    began = time.perf_counter()
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        next(answer.iter_bytes())
        return time.perf_counter() - began


def figures(client: httpx.Client, asked: Mapping[str, Any]) -> tuple[float, int]:
    """Seconds until all figures of a page are there, and their bytes."""
    began = time.perf_counter()
    answer = client.post("/_dash-update-component", json=asked)
    answer.raise_for_status()
    return time.perf_counter() - began, len(answer.content)


def measure(settings: "Settings", *, count: int) -> dict[str, dict[str, float]]:
    """Ask for each page so many times, by turns."""
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    with dashboard(settings) as client:
        questions = {page: question(client, page) for page in PAGES}
        for _ in range(count):
            for page, path in PAGES.items():
                seconds.setdefault(f"{page}: first byte", []).append(first_byte(client, path))
                took, sizes[f"{page}: figures"] = figures(client, questions[page])
                seconds.setdefault(f"{page}: figures", []).append(took)
    return {
        what: {
            "first": round(all_[0], 3),
            **{f"p{part}": round(float(np.percentile(all_[1:], part)), 3) for part in (50, 95, 99)},
            "bytes": sizes.get(what, 0),
        }
        for what, all_ in seconds.items()
    }


def main(
    *,
    events: Annotated[int, typer.Option(min=10_000, help="Events of the lake.")] = 20_000_000,
    count: Annotated[int, typer.Option(min=2, help="How often each page is asked for.")] = 100,
    output: Annotated[Path | None, typer.Option("--json", help="File for what was measured.")] = None,
) -> None:
    """Measure."""
    document = about()
    folder = tempfile.TemporaryDirectory(prefix="shoplake-bench-")
    with folder as name, grown_lake(Path(name), events=events) as grown:
        found = measure(grown.settings, count=count)
    table = Table("seconds", "first", "p50", "p95", "p99")
    for what, one in found.items():
        table.add_row(what, *(f"{one[key]:.3f}" for key in ("first", "p50", "p95", "p99")))
    Console().print(table)
    if output is not None:
        output.write_text(json.dumps(document | {"events": events, "count": count, "pages": found}, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
