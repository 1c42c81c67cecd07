"""Where a secret can be seen by somebody who has no business with it.

Belongs here: what a lake and its Spark show and leave behind. Does not belong here: the files that hold the secrets.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import psutil  # type: ignore[import-untyped]

from shoplake_assets.runtime.internal import internal_client

_LINK = re.compile(r"""href=['"]([^'"#]+)""")
_TABS = ("jobs", "stages", "storage", "environment", "executors", "SQL", "StreamingQuery", "connect")
_RESOURCES = ("environment", "jobs", "stages", "allexecutors", "sql?details=true&planDescription=true&length=1000")
_MOST_PAGES = 60


def places_with(secret: str, content: Iterable[tuple[str, str]]) -> list[str]:
    """The places that show the secret; fails if there is hardly a place at all."""
    looked = list(content)
    assert len(looked) > 1
    return [place for place, text in looked if secret in text]


def files(folder: Path, *, but: Iterable[Path] = ()) -> Iterator[tuple[str, str]]:
    """Every file below a folder, but for some."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in but:
            yield str(path), path.read_text(errors="replace")


def command_lines() -> Iterator[tuple[str, str]]:
    """Those of all processes, as every user of the machine sees them."""
    for process in psutil.process_iter(["cmdline"]):
        yield f"command line of {process.pid}", "\0".join(process.info["cmdline"] or ())


def spark_pages(interface: str) -> Iterator[tuple[str, str]]:
    """The pages of a Spark UI and what they link to, and what its REST API tells."""
    with internal_client(timeout=30) as client:
        applications = client.get(f"{interface}/api/v1/applications").raise_for_status()
        (application,) = applications.json()
        own = f"{interface}/api/v1/applications/{application['id']}"
        for address in (*(f"{own}/{name}" for name in _RESOURCES), f"{interface}/metrics/prometheus/"):
            yield address, client.get(address).raise_for_status().text
        yield from _linked(client, interface)


def _linked(client: httpx.Client, interface: str) -> Iterator[tuple[str, str]]:
    waiting, seen = [f"{interface}/{tab}/" for tab in _TABS], set[str]()
    while waiting and len(seen) < _MOST_PAGES:
        address = waiting.pop(0)
        if (
            address in seen
            or re.search(r"/static/|\.sort=", address)
            or urlsplit(address).netloc != urlsplit(interface).netloc
        ):
            continue
        seen.add(address)
        answer = client.get(address, follow_redirects=True)
        if answer.is_success:
            yield address, answer.text
            waiting += [urljoin(str(answer.url), link.replace("&amp;", "&")) for link in _LINK.findall(answer.text)]
