"""Services that one instance offers to others under a Protocol both know."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from hub.host.claims import Claims


class Needer(Protocol):
    """An instance that uses a service."""

    def broken(self, reason: str) -> None:
        """What it used went away: begin again."""


def key_of(protocol: type) -> str:
    """A Protocol's name, the same in every process."""
    return f"{protocol.__module__}.{protocol.__qualname__}"


class Services:
    """Offers by the Protocol's name."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._offers: dict[str, Any] = {}
        self._needers: dict[str, list[Needer]] = {}
        self._changed = asyncio.Event()

    def offer(self, key: str, service: Any, holder: object, instance: str) -> None:
        """Offer it until the holder's claims are given up; ``Conflict`` when another instance offers it."""
        self._claims.take(
            "service", key, holder, instance, lambda: self._put(key, service), lambda: self._drop(key)
        )  # fmt: skip

    async def need(self, key: str, needer: Needer) -> Any:
        """The service; waits until there is one. The caller bounds the time."""
        while key not in self._offers:
            await self._changed.wait()
        self._needers.setdefault(key, []).append(needer)
        return self._offers[key]

    def forget(self, needer: Needer) -> None:
        """The instance is unloaded."""
        for needers in self._needers.values():
            if needer in needers:
                needers.remove(needer)

    def _put(self, key: str, service: Any) -> None:
        self._gone(key)
        self._offers[key] = service
        self._changed.set()
        self._changed.clear()

    def _drop(self, key: str) -> None:
        self._offers.pop(key, None)
        self._gone(key)

    def _gone(self, key: str) -> None:
        for needer in self._needers.pop(key, []):
            needer.broken(f"the service {key.rpartition('.')[2]} that it uses went away")
