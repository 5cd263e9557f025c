"""The connection by itself, against a broker made by hand that can behave badly."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import pytest

from hub.capabilities import MqttMessage
from hub.sdk import InvalidInput, LimitExceeded, Unavailable
from plugins.mqtt import device
from plugins.mqtt.device import Broker, Connection
from plugins.mqtt.fake import Bench, publish
from plugins.mqtt.receivers import MAX_QUEUE, MAX_SUBSCRIPTIONS, Receivers

LOG = logging.getLogger("test.mqtt")


@dataclass
class Seen:
    """What a connection told."""

    reasons: list[str] = field(default_factory=list)
    connected: bool = False

    def __post_init__(self) -> None:
        self.turned = asyncio.Event()

    async def changed(self, connected: bool, reason: str) -> None:
        self.connected = connected
        if reason:
            self.reasons.append(reason)
        self.turned.set()

    async def until(self, connected: bool) -> None:
        async with asyncio.timeout(15):
            while self.connected is not connected:
                self.turned.clear()
                await self.turned.wait()


@asynccontextmanager
async def connection(bench: Bench, keepalive_s: int = 15) -> AsyncIterator[tuple[Connection, Seen]]:
    port, seen = await bench.start(), Seen()

    async def where() -> Broker:
        return Broker("127.0.0.1", port, keepalive_s=keepalive_s)

    made = Connection("hub-test", where, seen.changed, LOG, random.Random(7))
    keeping = asyncio.create_task(made.run())
    try:
        yield made, seen
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await made.receivers.end()
        await bench.stop()


class Box:
    """A receiver that notes, and can be held."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.held = asyncio.Event()
        self.held.set()
        self._more = asyncio.Event()

    async def __call__(self, message: MqttMessage) -> None:
        await self.held.wait()
        self.got.append(message.payload)
        self._more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.got) < count:
                self._more.clear()
                await self._more.wait()


async def test_a_message_is_acknowledged_when_it_was_had_and_not_before() -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        await mqtt.subscribe("zone/+/state", box)
        await bench.until(lambda: bench.subscribed == ["zone/+/state"])
        box.held.clear()
        bench.send(publish("zone/a/state", b"one", 1, 1) + publish("zone/b/state", b"two", 2, 1))
        bench.send(publish("other/topic", b"nobody's", 3, 1))
        await mqtt.publish("zone/ping", b"x", qos=1)  # the broker has read all that came before
        assert (bench.acked, box.got) == ([], [])
        box.held.set()
        await bench.until(lambda: len(bench.acked) == 3)
        assert (bench.acked, box.got) == ([1, 2, 3], [b"one", b"two"])  # in the order in which they came


async def test_what_was_not_done_is_not_acknowledged_when_the_connection_breaks() -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await mqtt.subscribe("zone/#", box)
        await seen.until(True)
        box.held.clear()
        bench.send(publish("zone/a", b"one", 7, 1))
        await bench.until(lambda: bench.connected == 1)
        await mqtt.publish("zone/ping", b"x", qos=1)
        bench.hang_up()
        await seen.until(False)
        await bench.until(lambda: bench.connected == 2 and bench.subscribed.count('zone/#') == 2)
        box.held.set()
        bench.send(publish("zone/a", b"one", 7, 1))  # as a broker does with what it has no answer for
        await box.until(2)
        await bench.until(lambda: bench.acked == [7])


async def test_a_flood_loses_nothing_of_qos_1_and_counts_what_it_drops_of_qos_0() -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await mqtt.subscribe("zone/#", box)
        await seen.until(True)
        box.held.clear()
        flood = b"".join(publish("zone/a", b"%d" % n) for n in range(MAX_QUEUE + 501))
        bench.send(flood)
        sync = Box()
        await mqtt.subscribe("sync", sync)
        bench.send(publish("sync", b""))  # what came before has been read by then
        await sync.until(1)
        assert mqtt.receivers.dropped == 500  # one is in the receiver's hand
        assert "does not keep up" in mqtt.receivers.problem
        bench.send(publish("zone/a", b"alarm", 9, 1))
        await seen.until(False)  # it begins again instead of losing it
        assert "does not keep up" in seen.reasons[-1]
        box.held.set()
        await seen.until(True)
        assert 9 not in bench.acked
        bench.send(publish("zone/a", b"alarm", 9, 1))
        await bench.until(lambda: 9 in bench.acked)
        assert box.got[-1] == b"alarm"


async def test_a_receiver_that_fails_harms_nobody_else() -> None:
    bench, box = Bench(), Box()
    calls: list[bytes] = []

    async def bad(message: MqttMessage) -> None:
        calls.append(message.payload)
        raise ValueError("a slip")

    async def later(message: MqttMessage) -> None:
        calls.append(b"later")
        if calls.count(b"later") < 2:
            raise Unavailable("the journal is away")

    async with connection(bench) as (mqtt, seen):
        for receive in (bad, later, box):
            await mqtt.subscribe("zone/#", receive)
        await seen.until(True)
        bench.send(publish("zone/a", b"one", 1, 1))
        await bench.until(lambda: bench.acked == [1])
        assert (box.got, calls.count(b"one"), calls.count(b"later")) == ([b"one"], 1, 2)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\xff\xff\xff\xff\xff\xff garbage", ""),  # malformed: no packet begins so
        (b"\x30\x05\x00\x00", ""),  # a PUBLISH without a topic that ends in the middle
        (publish("zone/+/bad", b"wild", 0, 0), ""),  # a topic that may not be published to
    ],
)
async def test_malformed_bytes_of_a_broker_end_that_connection_only(raw: bytes, words: str) -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await mqtt.subscribe("zone/#", box)
        await seen.until(True)
        bench.send(raw)
        bench.hang_up()
        await seen.until(False)
        assert words in seen.reasons[-1]
        await bench.until(lambda: bench.connected >= 2 and bench.subscribed.count('zone/#') >= 2)
        await seen.until(True)
        bench.send(publish("zone/a", b"good", 1, 1))
        await bench.until(lambda: 1 in bench.acked)
        assert b"good" in box.got


async def test_an_oversized_message_is_named_and_the_next_one_comes() -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await mqtt.subscribe("zone/#", box)
        await seen.until(True)
        bench.send(publish("zone/huge", b"x" * (300 << 10), 1, 1) + publish("zone/a", b"good", 2, 1))
        await bench.until(lambda: bench.acked == [1, 2])
        assert box.got == [b"good"]
        assert mqtt.receivers.problem == "zone/huge: 300 KiB dropped; at most 256 KiB"


async def test_silence_in_the_middle_of_a_message_is_found_by_the_keepalive() -> None:
    bench = Bench(pings=False)
    async with connection(bench, keepalive_s=1) as (_, seen):
        await seen.until(True)
        bench.send(publish("zone/a", b"never ends")[:9])
        await seen.until(False)
        await bench.until(lambda: bench.connected >= 2)


async def test_a_broker_that_refuses_says_why() -> None:
    for bench, words in ((Bench(answer=5), "Not authorized"), (Bench(grants=0x80), "refuses the subscription")):
        async with connection(bench) as (mqtt, seen):
            await mqtt.subscribe("zone/#", Box())
            async with asyncio.timeout(15):
                while not seen.reasons:
                    seen.turned.clear()
                    await seen.turned.wait()
            assert words in seen.reasons[0]


async def test_what_is_wrong_is_refused_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        with pytest.raises(InvalidInput, match="without"):
            await mqtt.publish("zone/#", b"")
        with pytest.raises(InvalidInput, match="257 KiB"):
            await mqtt.publish("zone/a", b"x" * (257 << 10))
        with pytest.raises(InvalidInput, match="filter"):
            await mqtt.subscribe("zone/#/a", Box())
        for n in range(MAX_SUBSCRIPTIONS):
            mqtt.receivers.add(f"zone/{n}", Box(), 0)
        with pytest.raises(LimitExceeded, match="4000 subscriptions"):
            await mqtt.subscribe("zone/more", Box())
        monkeypatch.setattr(device, "MAX_WAITING", 0)
        with pytest.raises(LimitExceeded, match="wait for the MQTT broker"):
            await mqtt.publish("zone/a", b"")
        bench.hang_up()
        await seen.until(False)
        with pytest.raises(Unavailable, match="not reached"):
            await mqtt.publish("zone/a", b"")


@pytest.mark.parametrize("bad", ["zone/\ud800", "zone/\x00", "zone/\n", "ก" * 30_000])
async def test_a_name_over_which_a_broker_hangs_up_is_refused_alone(bad: str) -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        for ask in (mqtt.subscribe(bad, box), mqtt.publish(bad, b"")):
            with pytest.raises(InvalidInput, match=r"control characters|over 65535 bytes") as refused:
                await ask
            assert str(refused.value).encode()
        with pytest.raises(InvalidInput, match="no text in UTF-8"):
            await mqtt.publish("zone/a", "\ud800")
        await mqtt.subscribe("zone/#", box)
        await bench.until(lambda: bench.subscribed == ["zone/#"])
        assert bench.connected == 1


async def test_whatever_ends_the_asking_the_connection_is_made_again_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, box = Bench(), Box()
    real, slips = aiomqtt.Client.subscribe, [ValueError("a slip of the library")]

    async def subscribe(client: aiomqtt.Client, *args: Any, **kwargs: Any) -> Any:
        if slips:
            raise slips.pop()
        return await real(client, *args, **kwargs)

    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        monkeypatch.setattr(aiomqtt.Client, "subscribe", subscribe)
        await mqtt.subscribe("zone/#", box)
        await bench.until(lambda: bench.connected == 2 and bench.subscribed == ["zone/#"])
        bench.send(publish("zone/a", b"good", 1, 1))
        await bench.until(lambda: bench.acked == [1])
        assert box.got == [b"good"]


async def test_neither_a_desk_that_cannot_be_told_nor_a_slip_ends_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, box = Bench(), Box()
    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        told, hold, slips = mqtt._changed, mqtt._hold, [KeyError("a slip")]

        async def failing(connected: bool, reason: str) -> None:
            await told(connected, reason)
            raise Unavailable("the journal could not commit")

        async def slip(client: aiomqtt.Client) -> None:
            if slips:
                raise slips.pop()
            await hold(client)

        monkeypatch.setattr(mqtt, "_changed", failing)
        monkeypatch.setattr(mqtt, "_hold", slip)
        bench.hang_up()
        await bench.until(lambda: bench.connected == 3)  # lost, the slip, and there again
        assert "KeyError: 'a slip'" in seen.reasons
        await mqtt.subscribe("zone/#", box)
        await bench.until(lambda: "zone/#" in bench.subscribed)
        bench.send(publish("zone/a", b"good", 1, 1))
        await bench.until(lambda: bench.acked == [1])


async def test_a_message_that_cannot_be_acknowledged_does_not_end_its_receiver() -> None:
    box, receivers = Box(), Receivers(LOG, lambda left: None)
    receivers.add("zone/#", box, 1)

    def broken() -> None:
        raise ValueError("the socket is closed")

    receivers.deliver(MqttMessage("zone/a", b"one", 1, False), broken)
    receivers.deliver(MqttMessage("zone/a", b"two", 1, False), lambda: None)
    await box.until(2)
    assert (box.got, receivers.problem) == ([b"one", b"two"], "zone/a: not acknowledged: ValueError")
    await receivers.end()


async def test_the_last_receiver_of_a_filter_takes_the_subscription_with_it() -> None:
    bench, first, second = Bench(), Box(), Box()
    async with connection(bench) as (mqtt, seen):
        await seen.until(True)
        one, two = await mqtt.subscribe("zone/#", first), await mqtt.subscribe("zone/#", second)
        await one.end()
        assert mqtt.receivers.wanted() == {"zone/#": 1}
        bench.send(publish("zone/a", b"good", 1, 1))
        await second.until(1)
        assert first.got == []
        await two.end()
        await two.end()
        assert mqtt.receivers.wanted() == {}
