"""How Shoplake's own clients talk to the broker.

Belongs here: the client options that the producer and the topic's queries share, and the one sentence for a broker
that does not answer. Does not belong here: what is sent or asked.
"""

from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
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
    if kafka.ca_file:
        options["ssl.ca.location"] = str(kafka.ca_file)
    return options


def unreachable(settings: "Settings") -> ShoplakeError:
    """The error for a broker that does not answer."""
    return ShoplakeError(
        f"cannot reach Kafka at {settings.bootstrap}; is it running? 'shoplake up' starts it, "
        "SHOPLAKE_KAFKA__BOOTSTRAP names another."
    )
