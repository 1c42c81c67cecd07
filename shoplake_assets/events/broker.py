"""How Shoplake's own clients talk to the broker.

Belongs here: the client options that the producer and the topic's queries share, and the one sentence for a broker
that does not answer or lets nobody in. Does not belong here: what is sent or asked.
"""

import re
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from shoplake_assets.settings import Settings

# Seconds after which a broker that does not answer counts as unreachable.
PATIENCE_SECONDS = 10

_LOG_CRITICAL = 2


def client_options(settings: "Settings") -> dict[str, str | int]:
    """Options of every Kafka client; failures are raised by the callers, so the library's own log is kept quiet.

    The address family is left open: asked for IPv4 alone, the system resolves not even 127.0.0.1 while no interface but
    the loopback is up, and a laptop without a network could not use its own broker.
    """
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "shoplake",
        "log_level": _LOG_CRITICAL,
        **_security(settings),
    }


def _security(settings: "Settings") -> dict[str, str | int]:
    """How librdkafka logs in and over what; nothing for a broker that wants neither."""
    kafka = settings.kafka
    if kafka.security == "PLAINTEXT":
        return {}
    options: dict[str, str | int] = {"security.protocol": kafka.security}
    if kafka.with_login and kafka.password:
        options |= {"sasl.mechanism": kafka.mechanism, "sasl.username": kafka.username or ""}
        options["sasl.password"] = kafka.password.get_secret_value()
    if (pem := authorities(settings)) is not None:
        options["ssl.ca.pem"] = pem
    return options


def authorities(settings: "Settings") -> str | None:
    """The certificates of those who may vouch for the broker, as text; None if the settings name none.

    Raises:
        RefusedError: They cannot be read.
    """
    file = settings.kafka.ca_file
    if file is None or not settings.kafka.with_tls:
        return None
    try:
        pem = file.read_text()
    except OSError as error:
        raise RefusedError(f"SHOPLAKE_KAFKA__CA_FILE={file}: {error.strerror}.") from error
    return pem


def admin_client(settings: "Settings", complaints: "Complaints") -> "AdminClient":
    """A client that asks the broker, and complains there.

    Raises:
        ShoplakeError: The settings make none.
    """
    from confluent_kafka.admin import AdminClient

    options: dict[str, Any] = {**client_options(settings), "error_cb": complaints.add}
    try:
        return AdminClient(options)
    except KafkaException as error:
        raise ShoplakeError(f"no client of Kafka can be made with these settings: {error.args[0].str()}.") from error


class Complaints:
    """What a client has complained of while it looked for a broker; hand `add` to it as `error_cb`, and poll it."""

    def __init__(self) -> None:
        self._said: dict[int, str] = {}

    def add(self, error: KafkaError) -> None:
        """Take a complaint."""
        self._said.setdefault(error.code(), error.str())

    @property
    def refused(self) -> bool:
        """Whether trying again is of no use: the login is refused, or the certificate is not believed."""
        return bool({KafkaError._AUTHENTICATION, KafkaError._SSL} & self._said.keys())

    def explain(self, settings: "Settings") -> ShoplakeError:
        """The error that they amount to."""
        kafka, where = settings.kafka, f"Kafka at {settings.bootstrap}"
        if said := self._words(KafkaError._AUTHENTICATION):
            return RefusedError(
                f"{where} refuses the login of {kafka.username!r}: {said}. See SHOPLAKE_KAFKA__USERNAME, "
                "SHOPLAKE_KAFKA__PASSWORD and SHOPLAKE_KAFKA__MECHANISM."
            )
        if said := self._words(KafkaError._SSL):
            return RefusedError(f"{where} is not believed: {said}. See SHOPLAKE_KAFKA__CA_FILE.")
        said = self._words(KafkaError._RESOLVE, KafkaError._TRANSPORT)
        if not said and KafkaError._ALL_BROKERS_DOWN in self._said:
            said = "it hangs up; SHOPLAKE_KAFKA__SECURITY may not be what it wants"
        because = f" ({said})" if said and not said.startswith("Connect to") else ""
        return ShoplakeError(
            f"cannot reach {where}{because}; is it running? 'shoplake up' starts it, SHOPLAKE_KAFKA__BOOTSTRAP names "
            "another."
        )

    def _words(self, *codes: int) -> str:
        """The first complaint of such a kind, without what only the library's makers understand."""
        said = next((self._said[code] for code in codes if code in self._said), "")
        return re.sub(r"^\S+/\w+: |error:\w+:SSL routines::|, verify that .*| \(after \d+ms in state \w+\)$", "", said)


class RefusedError(ShoplakeError):
    """The login is refused, or the broker's certificate is not believed or cannot be judged: no reason to try again."""


def unreachable(settings: "Settings") -> ShoplakeError:
    """The error for a broker that does not answer."""
    return Complaints().explain(settings)
