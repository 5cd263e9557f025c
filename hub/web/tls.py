"""TLS by default off loopback: a given certificate, or one of the station's own authority.

Phones need HTTPS for camera and position; the authority's certificate (``ca.pem``) is what they are told to trust.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.core.clock import Clock
from hub.core.error import InvalidInput

CA_DAYS = 3650
LEAF_DAYS = 397  # browsers refuse longer ones
RENEW_DAYS = 30


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context, TLS 1.2 or newer; ``InvalidInput`` when the files do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as wrong:
        raise InvalidInput(f"the certificate cannot be used: {wrong}", where=str(certificate)) from None
    return made


def own_context(folder: Path, host: str, clock: Clock) -> ssl.SSLContext:
    """The context of a certificate for ``host``, signed by the station's own authority in ``folder``; both are made
    when they are missing, and the certificate anew 30 days before it ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.datetime.fromtimestamp(clock.now(), datetime.UTC)
    ca_key, ca = _authority(folder, now)
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    if not _still_good(certificate, now):
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(host, leaf_key.public_key(), ca, ca_key, now)
        _write(key, _private(leaf_key), 0o600)
        _write(certificate, _pem(leaf) + _pem(ca), 0o644)
    return context(certificate, key)


def _authority(folder: Path, now: datetime.datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, file = folder / "ca.key", folder / "ca.pem"
    if key_file.exists() and file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, x509.load_pem_x509_certificate(file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Safe Zone hub authority")])
    made = (
        _builder(name, name, key.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _private(key), 0o600)
    _write(file, _pem(made), 0o644)
    return key, made


def _leaf(
    host: str, key: ec.EllipticCurvePublicKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
) -> x509.Certificate:  # fmt: skip
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    return (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])]), ca.subject, key, now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _still_good(file: Path, now: datetime.datetime) -> bool:
    if not file.exists():
        return False
    ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    return ends - now > datetime.timedelta(days=RENEW_DAYS)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(file: Path, content: bytes, mode: int) -> None:
    file.touch(mode=mode, exist_ok=True)
    file.chmod(mode)
    file.write_bytes(content)
