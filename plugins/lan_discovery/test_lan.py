"""Against a second zeroconf on loopback, and the contract."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from hub.testing import Harness, contract, harness
from plugins.lan_discovery import Settings
from plugins.lan_discovery.device import default_interface
from plugins.lan_discovery.fake import Neighbour

HERE = Path(__file__).parent
LOOPBACK = {"interface": "127.0.0.1"}
HOST = {
    "id": "old_camera", "name": {"th": "กล้องเก่า", "en": "Old camera"}, "service": "_rtsp._tcp",
    "address": "192.0.2.7", "port": 554,
}  # fmt: skip
WITHIN_S = 15.0

test_contract = contract(
    HERE, LOOPBACK | {"hosts": [HOST], "types": []}, dead_config={"interface": "192.0.2.1", "hosts": [HOST]}
)


@asynccontextmanager
async def neighbour() -> AsyncIterator[Neighbour]:
    made = Neighbour()
    try:
        yield made
    finally:
        await made.close()


def found(hub: Harness, name: str) -> dict[str, Any] | None:
    rows = [one for one in hub.entities() if one.domain == "found" and one.attributes["name"]["en"] == name]
    return {"entity": rows[0].entity, "state": rows[0].state, **rows[0].attributes} if rows else None


def shown(hub: Harness) -> list[str]:
    return [one.entity for one in hub.entities() if one.domain == "found"]


def summary(hub: Harness) -> dict[str, Any]:
    held = hub.state("discovery.lan_discovery")
    return dict(held.attributes) if held else {}


def there(hub: Harness, name: str) -> dict[str, Any] | None:
    held = found(hub, name)
    return held if held and held["state"] == "there" else None


async def test_what_comes_and_goes_is_shown_and_nothing_is_added() -> None:
    async with neighbour() as other, harness(HERE, LOOPBACK | {"types": ["_gate-camera._tcp"]}) as hub:
        info = await other.announce("กล้องประตู Gate", "_gate-camera._tcp", 8554, path="/live", model="X1")
        await other.announce("Printer", "_ipp._tcp", 631)
        held = await hub.until(lambda: there(hub, "กล้องประตู Gate"), WITHIN_S)
        assert (held["service"], held["address"], held["port"]) == ("_gate-camera._tcp", "127.0.0.1", 8554)
        assert (held["properties"], held["origin"]) == ({"path": "/live", "model": "X1"}, "network")
        assert str(held["entity"]).startswith("found.gate_")
        assert found(hub, "Printer") is None  # nobody asked for its type
        assert shown(hub) == [held["entity"]]
        await other.withdraw(info)
        await hub.until(lambda: not shown(hub), WITHIN_S)


async def test_the_hub_is_found_by_others_and_says_good_bye() -> None:
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def changed(zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        told.put_nowait((name, state_change.name))

    async with neighbour() as other:
        browser = AsyncServiceBrowser(other.zeroconf.zeroconf, ["_safezone-hub._tcp.local."], handlers=[changed])
        async with harness(HERE, LOOPBACK | {"types": [], "name": "สภ.ทดสอบ"}) as hub:
            name = "สภ.ทดสอบ._safezone-hub._tcp.local."
            async with asyncio.timeout(WITHIN_S):
                while await told.get() != (name, "Added"):  # another hub may stand on this machine
                    pass
            info = AsyncServiceInfo("_safezone-hub._tcp.local.", name)
            assert await info.async_request(other.zeroconf.zeroconf, 5000)
            assert (info.port, info.parsed_addresses()) == (hub.port, ["127.0.0.1"])
            assert info.properties == {b"version": b"1", b"path": b"/", b"scheme": b"http"}
        async with asyncio.timeout(WITHIN_S):
            while (await told.get())[1] != "Removed":
                pass
        await browser.async_cancel()


async def test_no_more_than_the_configured_number_is_shown() -> None:
    async with neighbour() as other, harness(HERE, LOOPBACK | {"types": ["_http._tcp"], "most": 3}) as hub:
        for n in range(6):
            await other.announce(f"Box {n}", "_http._tcp", 8000 + n)
        await hub.until(lambda: len(shown(hub)) == 3, WITHIN_S)
        whole = await hub.until(lambda: (one := summary(hub)).get("hidden") and one, WITHIN_S)
        assert (whole["found"], whole["reason"]) == (3, "over 3 services: the rest is not shown")
        assert len(shown(hub)) == 3 and hub.supervised.state == "running"


async def test_a_network_that_is_not_there_stops_nobody() -> None:
    async with harness(HERE, {"interface": "192.0.2.1", "hosts": [HOST]}, running=False) as hub:
        assert "the network cannot be joined" in hub.supervised.reason
        held = found(hub, "Old camera")
        assert held is not None
        assert (held["state"], held["address"], held["origin"]) == ("configured", "192.0.2.7", "configuration")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00", b"\xff" * 9000, b"\x00\x00\x84\x00\xff\xff\xff\xff\xff\xff\xff\xff" + b"\xc0\x0c" * 200,
        b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x05_rtsp\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00",
    ],
)  # fmt: skip
async def test_packets_of_garbage_and_floods_harm_nothing(raw: bytes) -> None:
    """Malformed, oversized, of a wrong type (pointers in a circle), and one that ends in the middle; 500 of each."""
    async with neighbour() as other, harness(HERE, LOOPBACK | {"types": ["_rtsp._tcp"]}) as hub:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(500):
                sender.sendto(raw, ("127.0.0.1", 5353))
        await other.announce("Good", "_rtsp._tcp", 554)
        await hub.until(lambda: there(hub, "Good"), WITHIN_S)
        assert (hub.supervised.state, hub.supervised.faults) == ("running", 0)


async def test_names_are_shown_without_control_letters() -> None:
    async with neighbour() as other, harness(HERE, LOOPBACK | {"types": ["_http._tcp"]}) as hub:
        await other.announce("Odd", "_http._tcp", 80, note="a\x1b[31m\x00b" + "x" * 150)
        held = await hub.until(lambda: there(hub, "Odd"), WITHIN_S)
        assert held["properties"]["note"] == "a[31mb" + "x" * 150


def test_one_interface_is_chosen() -> None:
    try:
        address = default_interface()
    except OSError:
        pytest.skip("this machine has no way out")
    assert address not in ("0.0.0.0", "")


@pytest.mark.parametrize(
    "config", [{"types": ["rtsp"]}, {"types": ["_rtsp._sctp"]}, {"interface": "eth0"}, {"hosts": [HOST | {"port": 0}]}]
)
def test_a_configuration_that_is_wrong_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(config)


async def test_the_neighbour_runs_as_a_program() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "fake.py"), "--service", "Gate:_rtsp._tcp:554", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    async with harness(HERE, LOOPBACK | {"types": ["_rtsp._tcp"]}) as hub:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line == b'{"ready": true, "port": null, "services": 1}\n'
        await hub.until(lambda: there(hub, "Gate"), WITHIN_S)
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
        await hub.until(lambda: not shown(hub), WITHIN_S)
