"""Reverse proxies: whose word about the sender's address and about https is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

MAX_HOPS = 20


def sender(remote: str | None, forwarded: str, proxies: frozenset[str]) -> str | None:
    """Who sent the request: walking ``X-Forwarded-For`` from its end, the first address that is no proxy of ours.

    What a stranger writes into the header stands before what our proxies add, and is never reached.
    """
    if remote not in proxies:
        return remote
    for hop in reversed(forwarded.split(",")[-MAX_HOPS:]):
        try:
            address = str(ipaddress.ip_address(hop.strip()))
        except ValueError:
            return remote
        if address not in proxies:
            return address
    return remote


def behind(proxies: frozenset[str]) -> Any:
    """A middleware under which handlers see the sender and the sender's scheme instead of the proxy's."""

    @web.middleware
    async def told(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.remote not in proxies:
            return await handler(request)
        known = sender(request.remote, ",".join(request.headers.getall("X-Forwarded-For", [])), proxies)
        scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
        return await handler(request.clone(remote=known or request.remote or "", scheme=scheme))

    return told
