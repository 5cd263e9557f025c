"""Who gets which message, and when it may be acknowledged.

aiomqtt acknowledges a message of QoS 1 as it comes in and then may drop it when its queue is full. Here a message is
acknowledged when all that wanted it have had it, in the order in which they came (MQTT 3.1.1, 4.6), so that the broker
keeps what the hub has not done, and sends it again after a crash.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable

import aiomqtt

from hub.capabilities import MqttMessage, Receive
from hub.sdk import InvalidInput, LimitExceeded, Unavailable

MAX_SUBSCRIPTIONS = 4_000
MAX_QUEUE = 1_000
RECEIVE_WITHIN_S = 30.0
TRIES, AGAIN_S = 5, 1.0
MAX_NAME = 65_535
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Overflow(Exception):
    """A message that the broker must keep does not fit: the connection begins again, and the broker sends it again."""


def check_name(name: object) -> None:
    """``ValueError`` for a topic or filter over which a broker may end the connection (MQTT 3.1.1, 1.5.3): all other
    subscriptions would be lost with it."""
    if not isinstance(name, str):
        raise TypeError(f"{shown(name)} is no text")
    if _FORBIDDEN.search(name):
        raise ValueError(f"{shown(name)} holds control characters or half a surrogate pair")
    if len(name.encode()) > MAX_NAME:
        raise ValueError(f"{shown(name)}… has over {MAX_NAME} bytes")


def shown(name: object) -> str:
    """A topic or filter as it can be written anywhere."""
    return str(name)[:200].encode("utf-8", "replace").decode()


class Delivery:
    """One message on its way to its receivers."""

    __slots__ = ("acknowledge", "message", "waiting")

    def __init__(self, message: MqttMessage, waiting: int, acknowledge: Callable[[], None]) -> None:
        self.message, self.waiting, self.acknowledge = message, waiting, acknowledge


class Subscription:
    """One receiver with its queue. Implements ``hub.capabilities.MqttSubscription``."""

    def __init__(self, board: Receivers, filter: str, receive: Receive, qos: int) -> None:
        self.filter, self.qos = filter, qos
        self._board, self._receive = board, receive
        self.queue: asyncio.Queue[Delivery] = asyncio.Queue(MAX_QUEUE)
        self.worker = asyncio.create_task(self._work(), name=f"mqtt: {filter}")

    async def end(self) -> None:
        await self._board.drop(self)
        self.worker.cancel()

    async def _work(self) -> None:
        try:
            while True:
                delivery = await self.queue.get()
                await self._hand_on(delivery.message)
                self._board.done(delivery)
        finally:
            self._board.forget(self)

    async def _hand_on(self, message: MqttMessage) -> None:
        for turn in range(TRIES):
            try:
                async with asyncio.timeout(RECEIVE_WITHIN_S):
                    return await self._receive(message)
            except Unavailable as away:  # the journal, say: it may be back in a moment
                self._board.trouble(f"{message.topic}: {away.message}")
                if turn + 1 < TRIES:
                    await asyncio.sleep(AGAIN_S)
            except Exception as fault:  # one receiver's mistake stops nobody
                self._board.log.warning("the receiver of %s failed on %s", self.filter, message.topic, exc_info=True)
                return self._board.trouble(f"{message.topic}: {type(fault).__name__}: {fault}"[:200])
        return None


class Receivers:
    """All subscriptions. ``leave``: told of a filter that nobody wants any more."""

    def __init__(self, log: logging.Logger, leave: Callable[[str], None]) -> None:
        self.log, self._leave = log, leave
        self._all: dict[str, list[Subscription]] = {}  # by filter
        self._wild: set[str] = set()  # those filters that fit more than one topic
        self._open: deque[Delivery] = deque()  # in the order of their coming, as they are to be acknowledged
        self.received = self.dropped = 0
        self.problem = ""

    def add(self, filter: str, receive: Receive, qos: int) -> Subscription:
        """A new subscription; ``InvalidInput`` for a filter that is none, ``LimitExceeded`` for one too many."""
        try:
            check_name(filter)
            aiomqtt.Wildcard(filter)
        except (TypeError, ValueError) as wrong:
            hint = "a filter such as home/+/state or home/#"
            raise InvalidInput(str(wrong), where=shown(filter), hint=hint) from None
        if qos not in (0, 1, 2):
            raise InvalidInput(f"{qos} is no QoS", where=filter, hint="0, 1 or 2")
        if sum(map(len, self._all.values())) >= MAX_SUBSCRIPTIONS:
            raise LimitExceeded(f"over {MAX_SUBSCRIPTIONS} subscriptions", where=filter)
        made = Subscription(self, filter, receive, qos)
        self._all.setdefault(filter, []).append(made)
        if "+" in filter or "#" in filter:
            self._wild.add(filter)
        return made

    def wanted(self) -> dict[str, int]:
        """Filters, each with the highest QoS that somebody asked for."""
        return {name: max(one.qos for one in held) for name, held in self._all.items()}

    def deliver(self, message: MqttMessage, acknowledge: Callable[[], None]) -> None:
        """Hand a message to all it fits. ``Overflow`` when it must not be lost and does not fit."""
        self.received += 1
        topic = aiomqtt.Topic(message.topic)
        takers = [*self._all.get(message.topic, ())]
        takers += [one for wild in self._wild if topic.matches(wild) for one in self._all[wild]]
        full = [one for one in takers if one.queue.full()]
        if full and message.qos:
            raise Overflow(f"the receiver of {full[0].filter} does not keep up")
        if full:
            self.dropped += 1
            self.problem = f"{message.topic}: dropped, the receiver of {full[0].filter} does not keep up"
            takers = [one for one in takers if one not in full]
        delivery = Delivery(message, len(takers), acknowledge)
        if message.qos:
            self._open.append(delivery)
        for one in takers:
            one.queue.put_nowait(delivery)
        if not takers:
            self._settle()

    def done(self, delivery: Delivery) -> None:
        """One receiver has had it."""
        delivery.waiting -= 1
        self._settle()

    def _settle(self) -> None:
        while self._open and self._open[0].waiting <= 0:
            delivery = self._open.popleft()
            try:
                delivery.acknowledge()
            except Exception as fault:  # the broker sends it again; its receiver goes on
                self.log.warning("%s could not be acknowledged", shown(delivery.message.topic), exc_info=True)
                self.trouble(f"{delivery.message.topic}: not acknowledged: {type(fault).__name__}")

    def cut(self) -> None:
        """The connection is gone: nothing of it can be acknowledged any more, the broker sends it again."""
        self._open.clear()

    def trouble(self, words: str) -> None:
        """What went wrong last, for the broker's page."""
        self.problem = words

    async def drop(self, subscription: Subscription) -> None:
        """It wants no more."""
        self.forget(subscription)

    def forget(self, subscription: Subscription) -> None:
        """Its worker has ended: what it had not done counts as had."""
        held = self._all.get(subscription.filter, [])
        if subscription not in held:
            return
        held.remove(subscription)
        while not subscription.queue.empty():
            self.done(subscription.queue.get_nowait())
        if not held:
            del self._all[subscription.filter]
            self._wild.discard(subscription.filter)
            self._leave(subscription.filter)

    async def end(self) -> None:
        """Stop all."""
        workers = [one.worker for held in self._all.values() for one in held]
        self._all.clear()
        self._wild.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
