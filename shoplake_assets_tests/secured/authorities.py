"""Authorities that vouch for a server on this machine, made for one test.

Belongs here: keys and certificates. Does not belong here: servers.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """An authority, and the certificate of the one server that it vouches for.

    Attributes:
        file: Its own certificate, as clients are given it.
        server: Key and certificate of a server at 127.0.0.1 and localhost, in one file.
    """

    file: Path
    server: Path


def authority(folder: Path, name: str) -> Authority:
    """Make an authority with files of that name."""
    own_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    own = (
        _certificate(subject=name, issuer=name, key=own_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(own_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")])
    server = (
        _certificate(subject="broker", issuer=name, key=server_key.public_key())
        .add_extension(names, critical=False)
        .sign(own_key, hashes.SHA256())
    )
    made = Authority(file=folder / f"{name}.pem", server=folder / f"{name}-server.pem")
    made.file.write_bytes(own.public_bytes(Encoding.PEM))
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made.server.write_bytes(key + server.public_bytes(Encoding.PEM) + own.public_bytes(Encoding.PEM))
    return made


def _certificate(*, subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
