"""A real broker that wants a login over TLS: the embedded one's jars and settings, with another listener.

Belongs here: starting and stopping it. Does not belong here: who talks to it.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shoplake_assets.runtime import broker
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.logs import write_log4j2
from shoplake_assets.runtime.properties import escape
from shoplake_assets.settings import Settings
from shoplake_assets_tests.secured.authorities import Authority
from shoplake_assets_tests.waiting import wait_until

CLUSTER = "c2hvcGxha2Utc2VjdXJlZA"
_MODULE = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Login:
    """Who may."""

    user: str
    password: str


def _properties(base: Settings, *, port: int, authority: Authority, login: Login) -> dict[str, str]:
    own = broker.server_properties(base)
    jaas = f'{_MODULE}.plain.PlainLoginModule required user_{login.user}="{_quoted(login.password)}";'
    return {
        **own,
        "listeners": f"{own['listeners']},SASL_SSL://127.0.0.1:{port}",
        "advertised.listeners": f"{own['advertised.listeners']},SASL_SSL://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": jaas,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{_MODULE}.scram.ScramLoginModule required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.server),
    }


@contextmanager
def secured_broker(base: Settings, *, port: int, authority: Authority, login: Login) -> Iterator[str]:
    """Run it; give its address.

    Args:
        base: Its home, and the ports that it uses for itself.
        port: Where it wants a login.
        authority: Vouches for it.
        login: Whom it knows.
    """
    java = find_java(base)
    jars = resolve_jars(base, java)
    folder = broker.broker_folder(base)
    folder.mkdir(parents=True)
    write_log4j2(folder / "log4j2.properties", levels=broker.QUIET_BUT)
    properties = _properties(base, port=port, authority=authority, login=login)
    file = folder / "server.properties"
    file.write_text("".join(f"{key}={escape(value)}\n" for key, value in properties.items()))
    command = broker.broker_command(base, java, jars)
    machine = command[: command.index("kafka.Kafka")]
    scram = f"SCRAM-SHA-512=[name={login.user},password={login.password}]"
    with (folder / "log").open("wb") as log:
        subprocess.run(  # noqa: S603  the broker's own program
            [*machine, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(file), "--add-scram", scram],
            stdout=log,
            stderr=log,
            timeout=120,
            check=True,
        )
        with subprocess.Popen(command, stdout=log, stderr=log) as process:  # noqa: S603  as the supervisor starts it
            try:
                _wait_until_it_serves(process, folder / "log")
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


def _wait_until_it_serves(process: "subprocess.Popen[bytes]", log: Path) -> None:
    def serves() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        return "Kafka Server started" in log.read_text()

    wait_until(serves, what="the broker with a login serves", seconds=120)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
