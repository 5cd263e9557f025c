"""The connection: made, kept, made again. MQTT 3.1.1, since the embedded broker speaks no later one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiomqtt

from hub.capabilities import MqttMessage, Receive
from hub.sdk import InvalidInput, LimitExceeded, Unavailable

from .receivers import Overflow, Receivers, Subscription, check_name, shown

MAX_PAYLOAD = 256 << 10
MAX_WAITING = 1_000
MAX_INBOX = 5_000
ANSWER_WITHIN_S, SUBSCRIBED_WITHIN_S = 8.0, 60.0
MAX_AT_ONCE = 100
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how it knows us."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 15

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """aiomqtt's queue. When it is full nothing of QoS 1 or 2 is lost: it is not acknowledged yet, and ``overflowed``
    makes the connection begin again, upon which the broker sends it once more."""

    overflowed = False
    dropped = 0

    def put_nowait(self, item: aiomqtt.Message) -> None:
        try:
            super().put_nowait(item)
        except asyncio.QueueFull:
            self.dropped += not item.qos
            self.overflowed = self.overflowed or item.qos > 0
            raise


Changed = Callable[[bool, str], Awaitable[None]]
Follower = Callable[[bool], Awaitable[None]]


@dataclass
class _Watch:
    """Somebody who is told of gains and losses."""

    followers: list[_Watch]
    changed: Follower

    async def end(self) -> None:
        with contextlib.suppress(ValueError):
            self.followers.remove(self)


class Connection:
    """Implements ``hub.capabilities.Mqtt``. ``where`` gives the broker before each attempt; ``changed`` is told of
    each gain and loss with its reason."""

    def __init__(
        self, identifier: str, where: Callable[[], Awaitable[Broker]], changed: Changed, log: logging.Logger,
        rng: random.Random,
    ) -> None:  # fmt: skip
        self._identifier, self._where, self._changed, self._log, self._rng = identifier, where, changed, log, rng
        self._client: aiomqtt.Client | None = None
        self._unasked: set[str] = set()
        self._ask_now = asyncio.Event()
        self._followers: list[_Watch] = []
        self._waiting = 0
        self._leaving: set[asyncio.Task[None]] = set()
        self.receivers = Receivers(log, self._leave_filter)
        self.broker: Broker | None = None

    # --- the service

    async def connected(self) -> bool:
        return self._client is not None

    async def publish(self, topic: str, payload: bytes | str, qos: int = 0, retain: bool = False) -> None:
        body = _checked(topic, payload, qos)
        client = self._client
        if client is None:
            raise Unavailable("the MQTT broker is not reached", where=topic, hint="see the mqtt plugin's page")
        if self._waiting >= MAX_WAITING:
            raise LimitExceeded(f"{MAX_WAITING} messages wait for the MQTT broker", where=topic)
        self._waiting += 1
        try:
            await client.publish(topic, body, qos, retain, timeout=ANSWER_WITHIN_S)
            _end_if_cancelled()
        except aiomqtt.MqttError as away:
            raise Unavailable(f"the MQTT broker did not take it: {away}", where=topic) from None
        finally:
            self._waiting -= 1

    async def subscribe(self, filter: str, receive: Receive, qos: int = 1) -> Subscription:
        made = self.receivers.add(filter, receive, qos)
        self._unasked.add(filter)
        self._ask_now.set()
        return made

    async def on_connection(self, changed: Follower) -> _Watch:
        watch = _Watch(self._followers, changed)
        self._followers.append(watch)
        if self._client is not None:
            await changed(True)
        return watch

    # --- the connection

    async def run(self) -> None:
        """Keep the connection until cancelled: whatever ends it, that is told, and it is made again."""
        turn = 0
        while True:
            held = False
            try:
                self.broker = await self._where()
                client = self._make(self.broker)
                await _enter(client)
                held = True
                await self._hold(client)
            except (aiomqtt.MqttError, Overflow, Unavailable, OSError) as gone:
                turn = 0 if held and not isinstance(gone, Overflow) else turn + 1
                await self._tell(False, str(gone) or type(gone).__name__)
            except Exception as fault:  # nobody foresaw it
                turn += 1
                self._log.error("the MQTT connection failed; it is made again", exc_info=fault)
                await self._tell(False, f"{type(fault).__name__}: {fault}"[:300])
            wait = BACK_OFF_S[min(turn, len(BACK_OFF_S) - 1)]
            await asyncio.sleep(wait * self._rng.uniform(0.7, 1.3))  # many hubs must not come back in one moment

    async def _hold(self, client: aiomqtt.Client) -> None:
        self._client, self._unasked = client, set(self.receivers.wanted())
        asking = asyncio.create_task(self._asking(client), name="mqtt: subscriptions")
        try:
            async for message in client.messages:
                self._take(client, message)
        finally:
            self._client = None
            self.receivers.cut()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await _leave(client)

    async def _asking(self, client: aiomqtt.Client) -> None:
        """Ask for subscriptions beside the reading: a broker may hold back its answer until retained messages of the
        one before were acknowledged (amqtt does)."""
        refused: list[str] = []
        try:
            refused += await self._ask(client)
            await self._tell(True, _refusal(refused))
            while True:
                await self._ask_now.wait()
                self._ask_now.clear()
                if more := await self._ask(client):
                    refused += more
                    await self._say(True, _refusal(refused))
        except Exception as gone:  # whatever it is: the connection is made again, with all subscriptions
            if not isinstance(gone, aiomqtt.MqttError):
                self._log.warning("the subscriptions could not be made; it is tried again", exc_info=True)
            if not client._disconnected.done():
                client._disconnected.set_exception(gone)

    async def _ask(self, client: aiomqtt.Client) -> list[str]:
        """Make what is not made; the filters that the broker refuses."""
        refused = []
        while self._unasked:
            wanted = self.receivers.wanted()
            asked = {one: wanted[one] for one in sorted(self._unasked)[:MAX_AT_ONCE] if one in wanted}
            self._unasked -= {*sorted(self._unasked)[:MAX_AT_ONCE]}
            answer = await client.subscribe(list(asked.items()), timeout=SUBSCRIBED_WITHIN_S) if asked else ()
            _end_if_cancelled()
            refused += [one for one, code in zip(asked, answer, strict=False) if _is_failure(code)]
        return refused

    def _make(self, broker: Broker) -> aiomqtt.Client:
        client = aiomqtt.Client(
            broker.host, broker.port, username=broker.username, password=broker.password, tls_context=broker.tls,
            identifier=self._identifier, clean_session=False, keepalive=broker.keepalive_s, timeout=ANSWER_WITHIN_S,
            queue_type=_Inbox, max_queued_incoming_messages=MAX_INBOX, max_queued_outgoing_messages=MAX_WAITING,
            logger=self._log.getChild("paho"),
        )  # fmt: skip
        client._client.manual_ack_set(True)  # aiomqtt has no word for it
        client.pending_calls_threshold = MAX_WAITING
        return client

    def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        inbox = client._queue
        if isinstance(inbox, _Inbox):
            self.receivers.dropped += inbox.dropped
            inbox.dropped = 0
            if inbox.overflowed:
                raise Overflow("more messages came than the hub could take; the broker is asked for them again")

        def acknowledge() -> None:
            client._client.ack(message.mid, message.qos)

        size = len(message.payload)
        if size > MAX_PAYLOAD:
            self.receivers.dropped += 1
            self.receivers.trouble(f"{message.topic}: {size >> 10} KiB dropped; at most {MAX_PAYLOAD >> 10} KiB")
            acknowledge()
            return
        told = MqttMessage(message.topic.value, bytes(message.payload), message.qos, bool(message.retain))
        self.receivers.deliver(told, acknowledge)

    async def _say(self, connected: bool, reason: str) -> None:
        try:
            await self._changed(connected, reason)
        except Exception as fault:  # a full journal, say: the connection goes on, and is shown with the next look
            self._log.warning("the connection's state could not be shown: %s", fault)

    async def _tell(self, connected: bool, reason: str) -> None:
        await self._say(connected, reason)
        for watch in list(self._followers):
            try:
                await watch.changed(connected)
            except Exception:  # another plugin's mistake
                self._log.warning("a follower of the connection failed", exc_info=True)

    def last_heard(self) -> float | None:
        """When the broker last sent anything, answers to pings too (seconds of the monotonic clock); ``None`` when it
        is not reached or owes an answer to a ping."""
        paho = self._client._client if self._client is not None else None
        return paho._last_bytes_received if paho is not None and paho._ping_t == 0 else None

    def _leave_filter(self, filter: str) -> None:
        client = self._client
        if client is None:
            return

        async def leave() -> None:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.unsubscribe(filter, timeout=ANSWER_WITHIN_S)

        task = asyncio.get_running_loop().create_task(leave(), name=f"mqtt: leave {filter}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _enter(client: aiomqtt.Client) -> None:
    """Connect. paho does so in a thread, which is waited for also when we are cancelled, so that nothing is left."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait([entering], timeout=2 * ANSWER_WITHIN_S)
        await _leave(client)
        raise
    except BaseException:
        await _leave(client)
        raise


async def _leave(client: aiomqtt.Client) -> None:
    """Say good-bye, and close the socket in any case: aiomqtt leaves it open after a refused or lost connection."""
    with contextlib.suppress(aiomqtt.MqttError, RuntimeError):
        if client._connected.done() and not client._connected.cancelled() and client._connected.exception() is None:
            async with asyncio.timeout(2):
                await client.__aexit__(None, None, None)
    client._client._sock_close()
    if (misc := client._misc_task) is not None:
        misc.cancel()
        await asyncio.gather(misc, return_exceptions=True)
    for future in (client._connected, client._disconnected):
        if future.done() and not future.cancelled():
            future.exception()  # it was seen: asyncio need not complain


def _end_if_cancelled() -> None:
    """aiomqtt waits with ``asyncio.wait_for``, which before Python 3.12 forgets a cancellation that comes together with
    the answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _refusal(filters: list[str]) -> str:
    return f"the broker refuses the subscription to {', '.join(filters[:5])}"[:300] if filters else ""


def _is_failure(code: object) -> bool:
    """SUBACK's return code 0x80 (MQTT 3.1.1, 3.9.3)."""
    value = getattr(code, "value", code)
    return isinstance(value, int) and value >= 0x80


def _checked(topic: str, payload: bytes | str, qos: int) -> bytes:
    """The payload's bytes; ``InvalidInput`` for what cannot be sent."""
    try:
        check_name(topic)
        aiomqtt.Topic(topic)
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(str(wrong), where="topic", hint="a topic such as zone/lamp/set, without + and #") from None
    try:
        body = payload.encode() if isinstance(payload, str) else payload
    except UnicodeEncodeError:
        raise InvalidInput("the payload is no text in UTF-8", where=shown(topic)) from None
    if len(body) > MAX_PAYLOAD:
        raise InvalidInput(f"{len(body) >> 10} KiB; at most {MAX_PAYLOAD >> 10} KiB", where=topic)
    if qos not in (0, 1, 2):
        raise InvalidInput(f"{qos} is no QoS", where=topic, hint="0, 1 or 2")
    return body
