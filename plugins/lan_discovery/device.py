"""DNS-SD over multicast DNS (RFC 6762, RFC 6763): says that the hub is there, and hears who else is.

Whatever goes wrong here is told and tried again: the network may not be there yet, and nothing else needs this.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

RESOLVE_MS = 3000
MAX_TEXT = 200
MAX_PENDING = 500
END_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """One service that somebody announces. ``properties``: its TXT record, cut to what a screen shows."""

    key: str
    name: str
    service: str
    address: str
    port: int
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def object(self) -> str:
        """Its entity's name: the same for the same service, of small ASCII letters."""
        plain = re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")[:40].strip("_")
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:8]
        return f"{plain}_{digest}" if plain else digest


Told = Callable[[str, Found | None], Coroutine[Any, Any, None]]


class Network:
    """Announces and listens on one interface. ``told(key, found)`` hears of each service, ``None`` when it went."""

    def __init__(self, interface: str, types: list[str], told: Told, own: str) -> None:
        self._interface, self._types, self._told, self._own = interface, types, told, own
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self.lost = 0

    async def start(self, name: str, service: str, port: int, properties: dict[str, str]) -> None:
        """Join the network and announce. ``OSError`` when there is none."""
        made = AsyncZeroconf(interfaces=[self._interface], ip_version=IPVersion.V4Only)
        self._zeroconf = made
        info = AsyncServiceInfo(
            service, f"{name}.{service}", port=port, addresses=[socket.inet_aton(self._interface)],
            properties=dict(properties), server=f"{self._own}.local.",
        )  # fmt: skip
        await made.async_register_service(info, allow_name_change=True)
        if self._types:
            self._browser = AsyncServiceBrowser(made.zeroconf, self._types, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if len(self._asking) >= MAX_PENDING:  # a storm of announcements: the rest is heard with their next one
            self.lost += 1
            return
        if state_change is ServiceStateChange.Removed:
            task = asyncio.get_running_loop().create_task(self._told(name[:255], None))
        else:
            task = asyncio.get_running_loop().create_task(self._resolve(zeroconf, service_type, name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf, RESOLVE_MS) and (found := read(info)) is not None:
            await self._told(found.key, found)

    async def stop(self) -> None:
        """Say good-bye and leave."""
        for task in list(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(END_WITHIN_S):
                if self._browser is not None:
                    await self._browser.async_cancel()
                if self._zeroconf is not None:
                    await self._zeroconf.async_close()
        self._browser = self._zeroconf = None


def read(info: AsyncServiceInfo) -> Found | None:
    """What a service says of itself; ``None`` when it has no address or port."""
    addresses = info.parsed_addresses(IPVersion.V4Only)
    if not addresses or not info.port or not 0 < info.port < 65536:
        return None
    name = info.name.removesuffix(f".{info.type}")
    rows = []
    for key, value in list(info.properties.items())[:20]:
        words = (value or b"").decode("utf-8", "replace")
        rows.append((key.decode("utf-8", "replace")[:40], _shown(words)))
    return Found(info.name[:255], _shown(name), info.type, addresses[0], info.port, tuple(sorted(rows)))


def _shown(text: str) -> str:
    """Without what no screen should get."""
    return "".join(letter for letter in text if letter.isprintable())[:MAX_TEXT]


def default_interface() -> str:
    """The address of the interface that leads outside. Binding all of them storms hosts with many bridges.

    A UDP socket is only connected, nothing is sent: the kernel then says which address it would use. ``OSError`` when
    there is no way out.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("224.0.0.251", 5353))
        return str(ip_address(probe.getsockname()[0]))
