"""The ingest's HTTP endpoints: `/status` for programs and people, `/metrics` for Prometheus.

Belongs here: HTTP only.
"""

import threading
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from waitress import create_server  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.ingest.progress import Progress

_THREADS = 2


def application(progress: "Progress") -> Flask:
    """The WSGI application over a progress."""
    app = Flask("shoplake_ingest")

    @app.get("/status")
    def status() -> Response:
        return jsonify(progress.document())

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(progress.metrics.registry), content_type=CONTENT_TYPE_LATEST)

    return app


def serve(progress: "Progress", *, host: str, port: int) -> None:
    """Serve, in threads that end with the process.

    Raises:
        ShoplakeError: The port is taken.
    """
    try:
        server = create_server(application(progress), host=host, port=port, threads=_THREADS)
    except OSError as error:
        raise ShoplakeError(
            f"port {port} is taken ({error.strerror}). Stop what has it, or set SHOPLAKE_INGEST__PORT."
        ) from error
    threading.Thread(target=server.run, name="http", daemon=True).start()
