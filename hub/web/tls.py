"""TLS by default off loopback: a given certificate, or one of the station's own authority.

Phones need HTTPS for camera and position; the authority's certificate (``ca.pem``) is what they are told to trust.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
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
MAX_ADDRESSES = 50
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context, TLS 1.2 or newer; ``InvalidInput`` when the files do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as wrong:
        raise InvalidInput(f"the certificate cannot be used: {wrong}", where=str(certificate)) from None
    return made


def own_context(folder: Path, host: str, clock: Clock, also: Iterable[str] = ()) -> ssl.SSLContext:
    """The context of a certificate for ``host`` (of 0.0.0.0 and ::, for the machine's addresses and name) and for what
    it is ``also`` called, signed by the station's own authority in ``folder``; both are made when they are missing,
    and the certificate anew 30 days before it ends and when it lacks a name."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.datetime.fromtimestamp(clock.now(), datetime.UTC)
    ca_key, ca = _authority(folder, now)
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    called = (str(_address(one) or one.lower()) for one in (*_called(host), *also))
    names = {"localhost", "127.0.0.1", *(one for one in called if _address(one) or _NAME.fullmatch(one))}
    if not _still_good(certificate, now) or not names <= names_of(certificate):
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(host, sorted(names), leaf_key.public_key(), ca, ca_key, now)
        _write(key, _private(leaf_key), 0o600)
        _write(certificate, _pem(leaf) + _pem(ca), 0o644)
    return context(certificate, key)


def names_of(certificate: Path) -> frozenset[str]:
    """The names and addresses that a certificate (PEM) is for; ``OSError`` or ``ValueError`` when it cannot be read."""
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:  # browsers do not look at the common name
        return frozenset()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return frozenset(name.lower() for name in found.get_values_for_type(x509.DNSName)) | frozenset(addresses)


def names_host(certificate: Path, host: str) -> bool:
    """Would a browser take it for that host (RFC 6125: a * stands for one label)? Raises as ``names_of``."""
    names, host = names_of(certificate), host.strip("[]").lower()
    if (address := _address(host)) is not None:
        return str(address) in names
    return host in names or f"*.{host.partition('.')[2]}" in names


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _called(host: str) -> set[str]:
    """What a listener on ``host`` is called: itself, or all that the machine is called."""
    address = _address(host)
    return {socket.gethostname(), *_addresses()} if address is not None and address.is_unspecified else {host}


def _addresses() -> list[str]:
    """The machine's own addresses (proc(5)) that others reach it under."""
    trie, six = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
    four = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie.read_text()) if trie.exists() else []
    hexes = [line.split()[0] for line in six.read_text().splitlines()] if six.exists() else []
    all_of_them = {*map(ipaddress.ip_address, four), *(ipaddress.IPv6Address(bytes.fromhex(one)) for one in hexes)}
    outside = [str(one) for one in all_of_them if not one.is_loopback and not one.is_link_local]
    return sorted(outside)[:MAX_ADDRESSES]


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
    host: str, called: Iterable[str], key: ec.EllipticCurvePublicKey, ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey, now: datetime.datetime,
) -> x509.Certificate:  # fmt: skip
    names = [
        x509.DNSName(name) if (address := _address(name)) is None else x509.IPAddress(address) for name in called
    ]
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
