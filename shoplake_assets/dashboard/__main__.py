"""`python -m shoplake_assets.dashboard`: the dashboard process, as the supervisor starts it."""

import logging
import os
import socket
import sys

from waitress import create_server  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import Settings, load_settings

# Each viewer asks every few seconds, and a browser opens several connections for the page's scripts.
_THREADS = 8


def main() -> None:
    """Serve the dashboard until the process is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stdout)
    # One line for each question that health asks would hide all others.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        serve(load_settings())
    except ShoplakeError as error:
        sys.exit(f"shoplake: {error}")
    except KeyboardInterrupt:
        return


def serve(settings: Settings) -> None:
    """Serve on the address and the port of the settings.

    Raises:
        ShoplakeError: The port is taken, or this user may not have it.
    """
    from shoplake_assets.dashboard.app import build_app

    port = settings.dashboard.port
    try:
        listener = socket.create_server((settings.bind, port))
    except OSError as error:
        raise ShoplakeError(
            f"port {port} cannot be had ({os.strerror(error.errno or 0)}). "
            "Stop what has it, or set SHOPLAKE_DASHBOARD__PORT."
        ) from error
    with listener:
        server = create_server(build_app(settings).server, sockets=[listener], threads=_THREADS)
        logging.getLogger(__name__).info("dashboard at %s", settings.dashboard_link)
        server.run()


if __name__ == "__main__":
    main()
