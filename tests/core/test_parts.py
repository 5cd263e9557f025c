"""Clock, ids, bus, errors, the wire: the small parts that everything stands on."""

from __future__ import annotations

import asyncio
import socket
from random import Random
from typing import Any, cast

import pytest

from hub.core.bus import Bus, Subscription
from hub.core.clock import ManualClock
from hub.core.error import Denied, LimitExceeded, NotFound, Unavailable, from_data
from hub.core.event import Event
from hub.core.ids import Ids
from hub.core.wire import MAX_BLOB, Message, Peer, Reply, WireError, encode


def event(kind: str, **data: Any) -> Event:
    return Event(1, "e", kind, 0.0, 0.0, None, "test", data)


def test_the_clock_makes_its_calls_in_order_at_their_own_time() -> None:
    clock, seen = ManualClock(100.0), list[tuple[str, float]]()
    for name, when in (("b", 103.0), ("a", 101.0), ("never", 102.0), ("late", 111.0)):
        timer = clock.call_at(when, lambda name=name: seen.append((name, clock.now())))  # type: ignore[misc]
        if name == "never":
            timer.cancel()
    clock.advance(10)
    assert (seen, clock.now(), clock.next_due()) == ([("a", 101.0), ("b", 103.0)], 110.0, 111.0)


def test_ids_sort_by_time_and_repeat_with_the_seed() -> None:
    def some() -> list[str]:
        clock = ManualClock()
        ids, made = Ids(clock, Random(5)), []
        for _ in range(50):
            clock.advance(0.01)
            made.append(ids.new())
        return made

    first = some()
    assert first == some() == sorted(set(first)) and {len(name) for name in first} == {26}


def test_the_bus_serves_who_asked_and_nobody_else() -> None:
    bus, seen = Bus(), list[str]()

    def hear(name: str, **wanted: Any) -> Subscription:
        return bus.add(Subscription(lambda event, change: seen.append(name), **wanted))

    hear("all")
    hear("type", type="plate_read")
    gone = hear("key", type="plate_read", key="plate", value="1กข1234")
    hear("other", type="plate_read", key="plate", value="9กข9")
    bus.deliver(event("plate_read", plate="1กข1234"), None)
    bus.remove(gone)
    bus.deliver(event("plate_read", plate="1กข1234"), None)
    bus.deliver(event("plate_read", plate=["no", "key"]), None)
    assert seen == ["all", "type", "key", "all", "type", "all", "type"]


def test_a_listener_that_raises_costs_the_others_nothing() -> None:
    faults: list[str] = []
    bus, seen = Bus(lambda subscription, fault: faults.append(str(fault))), list[str]()
    bus.add(Subscription(lambda event, change: 1 / 0))  # type: ignore[arg-type]
    bus.add(Subscription(lambda event, change: seen.append("served")))
    bus.deliver(event("x"), None)
    assert (seen, faults) == (["served"], ["division by zero"])


@pytest.mark.parametrize("kind", [Denied, NotFound, LimitExceeded, Unavailable])
def test_errors_travel_as_data(kind: type[Denied]) -> None:
    back = from_data(kind("no", where="here", hint="do that").as_data())
    assert (type(back), str(back)) == (kind, "here: no (do that)")


async def pair(left: Any, right: Any) -> tuple[Peer, Peer, list[asyncio.Task[None]]]:
    peers = []
    for end, handler in zip(socket.socketpair(), (left, right), strict=True):
        reader, writer = await asyncio.open_connection(sock=end)
        peers.append(Peer(reader, writer, handler, "the other end"))
    return peers[0], peers[1], [asyncio.create_task(peer.run()) for peer in peers]


async def silent(name: str, args: dict[str, Any], blob: bytes) -> Any:
    return None


async def test_calls_answers_refusals_and_bytes_cross_the_wire() -> None:
    async def answer(name: str, args: dict[str, Any], blob: bytes) -> Any:
        if name == "refuse":
            raise Denied("not you", where="door")
        return Reply({"name": name, **args}, blob[::-1])

    asking, _, runs = await pair(silent, answer)
    got = await asking.call("turn", {"n": 1}, b"abc")
    assert (got.header["result"], got.blob) == ({"name": "turn", "n": 1}, b"cba")
    with pytest.raises(Denied, match="door: not you"):
        await asking.call("refuse", {})
    await asking.close()
    await asyncio.gather(*runs)


async def test_who_waits_is_told_when_the_other_end_goes() -> None:
    async def hang(name: str, args: dict[str, Any], blob: bytes) -> Any:
        await asyncio.Event().wait()

    asking, other, runs = await pair(silent, hang)
    waiting = asyncio.create_task(asking.call("x", {}))
    await asyncio.sleep(0)
    await other.close()
    with pytest.raises(Unavailable, match="went away"):
        await waiting
    await asyncio.gather(*runs)
    with pytest.raises(Unavailable, match="is not running"):
        await asking.call("x", {})


async def test_garbage_and_oversize_close_the_connection() -> None:
    left, right = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=left)
    peer = Peer(reader, writer, silent)
    right.sendall(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(5):
        await peer.run()
    assert writer.is_closing()
    right.close()
    with pytest.raises(WireError, match="over the limit"):
        encode(Message({}, b"x" * (MAX_BLOB + 1)))


async def test_who_asks_faster_than_it_takes_answers_is_cut() -> None:
    async def hang(name: str, args: dict[str, Any], blob: bytes) -> Any:
        await asyncio.Event().wait()

    left, right = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=left)
    peer = Peer(reader, writer, hang)
    flood = b"".join(encode(Message({"id": n, "call": "x", "args": {}})) for n in range(2_000))
    right.setblocking(False)
    sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(right, flood))
    async with asyncio.timeout(10):
        await peer.run()
    assert writer.is_closing()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    right.close()


async def test_what_waited_while_the_hub_was_held_up_is_taken_and_not_a_flood() -> None:
    heard: list[int] = []

    async def listen(name: str, args: dict[str, Any], _: bytes) -> None:
        heard.append(args["n"])

    reader = asyncio.StreamReader(limit=1 << 24)
    peer = Peer(reader, cast(asyncio.StreamWriter, _Closed()), listen)
    reader.feed_data(b"".join(encode(Message({"call": "live", "args": {"n": n}}, b"p")) for n in range(3_000)))
    reader.feed_eof()
    await asyncio.wait_for(peer.run(), 10)
    assert heard[:2_700] == list(range(2_700))  # the end of the connection cancels what has not begun


class _Closed:
    def close(self) -> None:
        """Nothing is behind it."""
