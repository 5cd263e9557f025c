"""The hub's own certificate, as a TLS client sees it that trusts the station's authority."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from pathlib import Path

import pytest

from hub.core.clock import ManualClock, SystemClock
from hub.web import tls
from hub.web.tls import names_host, names_of, own_context


async def greeted(folder: Path, context: ssl.SSLContext, address: str, name: str) -> str:
    """Why a client that wants ``name`` refuses; empty when it does not."""

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(nothing, address, 0, ssl=context)
    trusting = ssl.create_default_context(cafile=folder / "ca.pem")
    try:
        _, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname()[:2], ssl=trusting, server_hostname=name
        )
        writer.close()
    except ssl.SSLCertVerificationError as wrong:
        return wrong.verify_message
    finally:
        server.close()
    return ""


def own_addresses() -> list[str]:
    """What the kernel says that this machine sends from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_listener_on_all_addresses_is_named_by_each_and_by_the_machines_name(host: str, tmp_path: Path) -> None:
    context = own_context(tmp_path, host, SystemClock(), ["zone.example"])
    own = [one for one in own_addresses() if not ipaddress.ip_address(one).is_loopback]
    names = [*own, socket.gethostname(), "127.0.0.1", "localhost", "zone.example"]
    assert [await greeted(tmp_path, context, "127.0.0.1", name) for name in names] == [""] * len(names)
    assert "mismatch" in await greeted(tmp_path, context, "127.0.0.1", "192.0.2.99")


def test_it_is_made_anew_for_another_name_and_not_for_the_same(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    first, again, other = [
        (own_context(tmp_path, "10.20.0.5", clock, also), (tmp_path / "10.20.0.5.pem").read_bytes())[1]
        for also in ([], [], ["Zone.Example"])
    ]
    assert first == again != other
    assert names_of(tmp_path / "10.20.0.5.pem") == {"localhost", "127.0.0.1", "10.20.0.5", "zone.example"}


@pytest.mark.parametrize(
    ("host", "fits"),
    [("zone.example", True), ("ZONE.example", True), ("a.zone.example", False), ("10.20.0.5", True),
     ("10.20.0.6", False), ("a.star.example", True), ("star.example", False), ("a.b.star.example", False)],
)  # fmt: skip
def test_what_a_certificate_names(host: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_NAME", re.compile(r".+"))  # the hub's own holds no stars
    own_context(tmp_path, "10.20.0.5", SystemClock(), ["zone.example", "*.star.example"])
    assert names_host(tmp_path / "10.20.0.5.pem", host) is fits
