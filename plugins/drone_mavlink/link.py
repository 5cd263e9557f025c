"""The UDP link to one autopilot: datagrams in, MAVLink 2 messages out."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pymavlink.dialects.v20 import common as mavlink

MAX_DATAGRAM = 2048
"""Seven of the largest MAVLink 2 packets; autopilots send one to three a datagram."""
_EPOCH_2015 = 1_420_070_400.0
GROUND_STATION = 245
_COMPONENT = mavlink.MAV_COMP_ID_MISSIONPLANNER


class BadEndpoint(ValueError):
    """The endpoint or the signing key cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the autopilot is (``listen`` false) or where we wait for it (``listen`` true)."""

    listen: bool
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether nothing outside this machine can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


def parse_endpoint(text: str) -> Endpoint:
    """``udpout:HOST:PORT`` (we send first) or ``udpin:HOST:PORT`` (the autopilot does). HOST is an IP address."""
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    host = host.strip("[]")
    if kind not in ("udpout", "udpin") or not host or not port.isdecimal() or int(port) > 65535:
        raise BadEndpoint(f"{text!r} is no endpoint: write udpout:ADDRESS:PORT or udpin:ADDRESS:PORT")
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise BadEndpoint(f"{host!r} is no IP address; names are not looked up for drones") from None
    if kind == "udpout" and int(port) == 0:
        raise BadEndpoint("udpout needs a port")
    return Endpoint(kind == "udpin", "127.0.0.1" if host == "localhost" else host, int(port))


class _Outlet:
    """What pymavlink writes packets to."""

    def __init__(self) -> None:
        self.send: Callable[[bytes], None] = lambda packet: None

    def write(self, packet: bytes) -> None:
        self.send(packet)


class Codec:
    """Packs and unpacks MAVLink 2, signed when there is a key (32 bytes; MAVLink 2 message signing)."""

    def __init__(self, system: int, component: int, signing_key: bytes | None, now: float) -> None:
        if signing_key is not None and len(signing_key) != 32:
            raise BadEndpoint(f"the signing key has {len(signing_key)} bytes, not 32")
        self.outlet = _Outlet()
        self.mav: Any = mavlink.MAVLink(self.outlet, system, component)
        self.mav.robust_parsing = True
        if signing_key is not None:
            self.mav.signing.secret_key = signing_key
            self.mav.signing.sign_outgoing = True
            self.mav.signing.timestamp = int((now - _EPOCH_2015) * 100_000)

    def unpack(self, datagram: bytes) -> tuple[list[Any], bool]:
        """Messages of one datagram, and whether it held anything that is none (also a wrong or missing signature)."""
        if len(datagram) > MAX_DATAGRAM:
            return [], True
        signing = self.mav.signing
        seen, bad = dict(signing.stream_timestamps), signing.badsig_count
        try:
            parsed = self.mav.parse_buffer(datagram) or []
        except Exception:  # the library raises many kinds for packets made to confuse it
            parsed = [None]
        whole = not self.mav.buf
        self.mav.buf, self.mav.buf_index = bytearray(), 0  # a packet never goes on in the next datagram
        if signing.badsig_count != bad:  # a forged time would lock the true sender out
            signing.stream_timestamps = seen
        good = [m for m in parsed if m is not None and m.get_type() != "BAD_DATA" and m.get_msgId() >= 0]
        return good, len(good) != len(parsed) or not whole


class Link(asyncio.DatagramProtocol):
    """An open link. ``garbage``: datagrams that held anything but MAVLink; ``foreign``: those of other senders."""

    def __init__(self, endpoint: Endpoint, codec: Codec, on_message: Callable[[Any], None]) -> None:
        self._endpoint, self._codec, self._on_message = endpoint, codec, on_message
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[Any, ...] | None = None if endpoint.listen else (endpoint.host, endpoint.port)
        self.mav = codec.mav
        self.garbage = self.foreign = 0
        codec.outlet.send = self._send

    @classmethod
    async def open(
        cls, endpoint: Endpoint, on_message: Callable[[Any], None], *, now: float, signing_key: bytes | None = None
    ) -> Link:
        """Open the socket. Off loopback a signing key is required: else anybody there could fly the drone."""
        if not endpoint.loopback and signing_key is None:
            raise BadEndpoint(f"{endpoint.host} is not this machine: MAVLink 2 signing is required, give a signing key")
        link = cls(endpoint, Codec(GROUND_STATION, _COMPONENT, signing_key, now), on_message)
        address = (endpoint.host, endpoint.port)
        # A connected socket for udpout: the kernel drops what comes from anybody else.
        local, remote = (address, None) if endpoint.listen else (None, address)
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: link, local, remote)
        except OSError as fault:
            raise BadEndpoint(f"UDP {address[0]}:{address[1]} cannot be opened: {fault.strerror}") from None
        return link

    @property
    def port(self) -> int:
        """The local port."""
        return 0 if self._transport is None else int(self._transport.get_extra_info("sockname")[1])

    def forget(self) -> None:
        """After silence: a listening link takes the next sender as the autopilot."""
        if self._endpoint.listen:
            self._peer = None

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Of asyncio."""
        if self._peer is not None and addr[:2] != self._peer:
            self.foreign += 1
            return
        messages, garbled = self._codec.unpack(data)
        self.garbage += garbled
        for message in messages:
            if self._peer is None and message.get_type() == "HEARTBEAT":
                self._peer = addr[:2]
            self._on_message(message)

    def error_received(self, exc: Exception) -> None:
        """Of asyncio: the port is closed at the moment; the heartbeat's age tells it."""

    def _send(self, packet: bytes) -> None:
        if self._transport is not None and self._peer is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.sendto(packet, self._peer if self._endpoint.listen else None)
