#!/usr/bin/env python3
"""Whether Spark's master does its work, or whether it knows a worker as alive: `spark-ready MASTER_URL [HOST PORT]`.

Belongs here: the question that the health checks of Spark's own processes ask. Does not belong here: Shoplake's
processes, which `shoplake ready` asks.
"""

import json
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 5


def is_ready(state: dict[str, Any], worker: tuple[str, int] | None) -> bool:
    """Judge what a master says of itself and of its workers.

    Args:
        state: The document that its `/json/` answers with.
        worker: Host and port of the worker that is asked for; None asks for the master.
    """
    if worker is None:
        return bool(state["status"] == "ALIVE")
    return any((known["host"], known["port"], known["state"]) == (*worker, "ALIVE") for known in state["workers"])


def main(url: str, *worker: str) -> bool:
    """Ask the master at `url`, for itself or for a worker of which host and port are given."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/json/")
        state = json.load(connection.getresponse())
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return is_ready(state, (worker[0], int(worker[1])) if worker else None)


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
