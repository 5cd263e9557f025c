"""Another machine on the network: announces services by DNS-SD with a zeroconf of its own.

As a program: ``python plugins/lan_discovery/fake.py --service "Gate camera:_rtsp._tcp:554"``.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from hub.sdk.program import end_asked, say_ready


class Neighbour:
    """The machine."""

    def __init__(self, interface: str = "127.0.0.1") -> None:
        self._interface = interface
        self.zeroconf = AsyncZeroconf(interfaces=[interface], ip_version=IPVersion.V4Only)

    async def announce(self, name: str, service: str, port: int, **properties: str) -> AsyncServiceInfo:
        kind = f"{service}.local."
        info = AsyncServiceInfo(
            kind, f"{name}.{kind}", port=port, addresses=[socket.inet_aton(self._interface)], properties=properties,
            server="neighbour.local.",
        )  # fmt: skip
        await self.zeroconf.async_register_service(info)
        return info

    async def withdraw(self, info: AsyncServiceInfo) -> None:
        await self.zeroconf.async_unregister_service(info)

    async def close(self) -> None:
        await self.zeroconf.async_close()


def parse_service(text: str) -> tuple[str, str, int]:
    """``NAME:TYPE:PORT`` of the command line."""
    name, _, rest = text.partition(":")
    kind, _, port = rest.partition(":")
    if not name or not kind.startswith("_") or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:_type._tcp:PORT")
    return name, kind, int(port)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a machine that announces services (simulated)")
    parser.add_argument("--interface", default="127.0.0.1")
    parser.add_argument("--service", type=parse_service, action="append", required=True, metavar="NAME:TYPE:PORT")
    given = parser.parse_args(arguments)
    neighbour = Neighbour(given.interface)
    for name, kind, port in given.service:
        await neighbour.announce(name, kind, port)
    told = end_asked()
    say_ready(port=None, services=len(given.service))
    await told.wait()
    await neighbour.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
