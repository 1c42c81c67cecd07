"""Questions to the lake's own processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from shoplake_assets.resources import LakeConnection
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings


class _Ingest(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"state": "running"}')


@contextmanager
def serving() -> Iterator[int]:
    """A server that answers like an ingest; gives its port."""
    with HTTPServer((LOOPBACK, 0), _Ingest) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{LOOPBACK}:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as port:
        settings = Settings(home=tmp_path, ingest={"port": port})
        assert LakeConnection(settings=settings).ingest_status() == {"state": "running"}
