"""HTTP to the lake's own processes, on this machine or in its own network.

Belongs here: the client. Does not belong here: what is asked of whom (`probes`, `dagster_api`, `resources`).
"""

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def internal_client(*, timeout: float) -> "httpx.Client":
    """A client for plain HTTP between the lake's processes.

    It goes past any proxy that the environment names, which could not reach them, and trusts no certificate: reading
    those of the system takes more processor time than all the rest of a question.

    Args:
        timeout: Seconds to wait for each step of an answer.
    """
    import httpx

    return httpx.Client(timeout=timeout, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
