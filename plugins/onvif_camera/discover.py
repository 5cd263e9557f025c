"""WS-Discovery (OASIS WS-Discovery 1.1, ONVIF Core 7): ask the network which cameras there are.

The question goes out from a port of our own. The libraries bind 3702, which fails when anything else holds it, and
found nothing where this did. What answers is listed and never added by itself.
"""

from __future__ import annotations

import asyncio
import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

GROUP, PORT = "239.255.255.250", 3702
MAX_ANSWERS, MAX_BYTES = 256, 65_507
_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_TYPES: Final = ("dn:NetworkVideoTransmitter", "tds:Device")
_SCOPE: Final = re.compile(r"onvif://www\.onvif\.org/(name|hardware|location)/([^\s/]{1,120})")


@dataclass(frozen=True)
class Found:
    """One device. ``address``: who answered, ``xaddrs``: where it says that its device service is."""

    address: str
    xaddrs: list[str]
    name: str = ""
    hardware: str = ""
    location: str = ""


def probe(kind: str, message_id: uuid.UUID) -> bytes:
    """The question for one type of device."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{_SOAP}" xmlns:w="{_ADDRESSING}" '
        f'xmlns:d="{_DISCOVERY}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" '
        f'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><e:Header><w:MessageID>urn:uuid:{message_id}'
        f"</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action>{_DISCOVERY}/Probe"
        f"</w:Action></e:Header><e:Body><d:Probe><d:Types>{kind}</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()


def understand(content: bytes, address: str) -> list[Found]:
    """The devices in an answer; none when it is not one. Document types and entities are refused."""
    if len(content) > MAX_BYTES or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return []
    try:
        root = ET.fromstring(content)  # noqa: S314 - no entities: refused above
    except ET.ParseError:
        return []
    found = []
    for match in root.iter(f"{{{_DISCOVERY}}}ProbeMatch"):
        words = (match.findtext(f"{{{_DISCOVERY}}}XAddrs") or "").split()
        scopes = match.findtext(f"{{{_DISCOVERY}}}Scopes") or ""
        told = {kind: unquote(value)[:120] for kind, value in _SCOPE.findall(scopes)}
        xaddrs = [one for one in words if len(one) <= 300 and _is_web(one)][:8]
        if xaddrs:
            found.append(Found(address, xaddrs, **told))
    return found


def _is_web(address: str) -> bool:
    try:
        return urlsplit(address).scheme in ("http", "https") and bool(urlsplit(address).hostname)
    except ValueError:
        return False


class _Ear(asyncio.DatagramProtocol):
    """Keeps what answers, at most ``MAX_ANSWERS``."""

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.strange = 0

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """An answer came."""
        heard = understand(data, str(addr[0]))
        self.strange += not heard
        for one in heard:
            if len(self.found) < MAX_ANSWERS:
                self.found.setdefault(one.xaddrs[0], one)


async def discover(seconds: float, group: str = GROUP, port: int = PORT) -> dict[str, Any]:
    """Ask and listen: ``{"devices": [Found…], "strange": n}``, ``strange`` being answers that were none."""
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(_Ear, local_addr=("0.0.0.0", 0))  # noqa: S104 - it asks only
    try:
        for kind in _TYPES:
            transport.sendto(probe(kind, uuid.uuid4()), (group, port))
        await asyncio.sleep(seconds)
    finally:
        transport.close()
    devices = sorted(ear.found.values(), key=lambda one: (one.address, one.xaddrs))
    return {"devices": [asdict(one) for one in devices], "strange": ear.strange}
