"""The zone's one connection to its MQTT broker, as a service: ``mqtt = await ctx.need(Mqtt)``. No entity has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One message. ``retain``: the broker kept it from before (MQTT 3.1.1, 3.3.1.3)."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


Receive = Callable[[MqttMessage], Awaitable[None]]


class MqttSubscription(Protocol):
    """One subscription."""

    async def end(self) -> None:
        """No more messages; harmless when it has ended."""


class Mqtt(Protocol):
    """A connection shared by all plugins, for plugins that run in the hub's process."""

    async def connected(self) -> bool:
        """Is the broker reached now?"""

    async def publish(self, topic: str, payload: bytes | str, qos: int = 0, retain: bool = False) -> None:
        """Send one message of at most 256 KiB; with ``qos`` 1 or 2 it returns when the broker has acknowledged it.

        ``Unavailable`` when the broker is not reached or does not acknowledge, ``LimitExceeded`` when 1,000 wait,
        ``InvalidInput`` for a topic that is none.
        """

    async def subscribe(self, filter: str, receive: Receive, qos: int = 1) -> MqttSubscription:
        """Call ``receive`` with each message that fits ``filter`` (MQTT 3.1.1, 4.7), in order, one at a time.

        It returns at once: the broker is asked beside, now or when it is back, and again after each reconnection; what
        was sent before that is not heard unless it is retained. A message of QoS 1 or 2 is acknowledged
        when every receiver has returned, so one that comes during a crash comes again: receivers must bear it twice. At
        each (re)connection the broker sends the retained messages once more. ``receive`` that raises
        ``Unavailable`` is called again after a moment, five times; any other error is noted and the message is over.
        ``LimitExceeded`` over 4,000 subscriptions.
        """

    async def on_connection(self, changed: Callable[[bool], Awaitable[None]]) -> MqttSubscription:
        """Call ``changed`` with each gain (``True``, after the subscriptions were made again) and loss of the broker,
        and once at the beginning when it is reached already."""
