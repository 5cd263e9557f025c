"""Places for sockets of plugins: of one sender few, the staff's apart from the public's, none held by a farewell."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.core.clock import ManualClock
from hub.core.error import NotFound
from hub.host.claims import Claims
from hub.host.rate import network
from hub.host.routes import MAX_SOCKETS, MAX_SOCKETS_EACH, Routes, Served
from hub.sdk.context import WebRequest, WebResponse


class Line:
    """A socket; its farewell ends when ``gone`` is set."""

    def __init__(self, remote: str, actor: str | None = None, gone: bool = True) -> None:
        self.request = WebRequest("GET", "/call", {}, {}, b"", remote, actor)
        self.said: list[str] = []
        self.gone = asyncio.Event()
        if gone:
            self.gone.set()

    async def receive(self) -> str | bytes | None:
        return None

    async def send(self, message: str | bytes) -> None:
        return

    async def close(self, reason: str = "") -> None:
        self.said.append(reason)
        await self.gone.wait()


class Desk:
    """A plugin that speaks until it is told to end."""

    def __init__(self, right: str | None = None, fault: Exception | None = None) -> None:
        self.open, self.end, self.fault = list[Any](), asyncio.Event(), fault
        self.served = Served(self.talk, lambda *_: None, right)

    async def talk(self, socket: Line) -> None:
        self.open.append(socket.request.remote)
        await self.end.wait()
        if self.fault is not None:
            raise self.fault


async def ring(routes: Routes, desk: Desk, line: Line) -> asyncio.Task[None]:
    task = asyncio.create_task(routes.talk(desk.served, "door", line))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_one_address_cannot_close_the_line_for_others() -> None:
    routes, desk, staff = Routes(ManualClock(), Claims()), Desk(), Desk("call.take")
    mine = [Line("203.0.113.7") for _ in range(MAX_SOCKETS_EACH + 4)]
    tasks = [await ring(routes, desk, line) for line in mine]
    assert [bool(line.said) for line in mine] == [False] * MAX_SOCKETS_EACH + [True] * 4
    assert mine[-1].said == ["too many connections; close one, or try again later"]
    house = [Line(f"2001:db8:1:2:{n:x}::1") for n in range(1, MAX_SOCKETS_EACH + 4)]
    tasks += [await ring(routes, desk, line) for line in house]
    assert [bool(line.said) for line in house] == [False] * MAX_SOCKETS_EACH + [True] * 3
    rest = [Line(f"198.51.100.{n}") for n in range(MAX_SOCKETS - 2 * MAX_SOCKETS_EACH + 1)]
    tasks += [await ring(routes, desk, line) for line in rest]
    assert [bool(line.said) for line in rest] == [False] * (len(rest) - 1) + [True]
    officers = [Line("192.0.2.1", "user:ccoc") for _ in range(20)]  # all of one station
    tasks += [await ring(routes, staff, line) for line in officers]
    assert not any(line.said for line in officers)
    desk.end.set()
    staff.end.set()
    await asyncio.gather(*tasks)
    assert routes._open == {}


async def test_a_farewell_that_is_not_taken_holds_no_place() -> None:
    routes, desk = Routes(ManualClock(), Claims()), Desk(fault=NotFound("this call is over"))
    slow = [Line("203.0.113.7", gone=False) for _ in range(MAX_SOCKETS_EACH)]
    tasks = [await ring(routes, desk, line) for line in slow]
    desk.end.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert all(line.said for line in slow)
    assert slow[0].said == ["this call is over"]
    again = Desk()
    line = Line("203.0.113.7")
    tasks.append(await ring(routes, again, line))
    assert (again.open, line.said) == (["203.0.113.7"], [])
    again.end.set()
    for one in slow:
        one.gone.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("remote", "sender"),
    [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("2001:db8::5", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unix", "unix"),
    ],
)  # fmt: skip
def test_who_an_address_stands_for(remote: str, sender: str) -> None:
    assert network(remote) == sender


async def test_a_fault_names_the_route_and_not_the_address_that_was_asked() -> None:
    told: list[str] = []

    async def failing(_request: WebRequest) -> WebResponse:
        raise ValueError("no")

    served = Served(failing, lambda where, _fault: told.append(where), None, "/*")
    request = WebRequest("POST", "/panic/a-secret-in-the-address", {}, {}, b"", "127.0.0.1")
    answer = await Routes(ManualClock(), Claims()).ask(served, request)
    assert (answer.status, told) == (500, ["route /*"])
