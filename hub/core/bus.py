"""The bus: who wants to hear which events, found by index, so that cost does not grow with the number of listeners.

Listeners are plain functions on the loop thread. There are two buses: one serves inside the commit group (the
automation engine), the other serves what was committed (plugins, browsers).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from hub.core.event import Event
from hub.core.state import Change

log = logging.getLogger(__name__)

ANY = "*"
Listener = Callable[[Event, Change | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """A registered listener; ``Bus.remove`` takes it out again.

    ``type`` is an event type or ``ANY``. With ``key``, only events whose field ``key`` equals ``value``;
    with ``entity``, only changes of that entity's state (``type`` is then ``ANY``).
    """

    listener: Listener
    type: str = ANY
    key: str | None = None
    value: Hashable = None
    entity: str | None = None


class Bus:
    """The index. A listener that raises is logged and reported to ``on_fault``; the others are still served."""

    def __init__(self, on_fault: Callable[[Subscription, Exception], None] | None = None) -> None:
        self._all: list[Subscription] = []
        self._by_type: dict[str, list[Subscription]] = {}
        self._keys: dict[str, dict[str, dict[Hashable, list[Subscription]]]] = {}
        self._by_entity: dict[str, list[Subscription]] = {}
        self.on_fault = on_fault

    def add(self, subscription: Subscription) -> Subscription:
        """Register."""
        self._list_for(subscription).append(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Take out; harmless when it is gone."""
        listed = self._list_for(subscription)
        if subscription in listed:
            listed.remove(subscription)
        if not listed:
            self._prune(subscription)

    def deliver(self, event: Event, change: Change | None) -> None:
        """Serve each listener of this event, and of the entity whose state it changed."""
        for subscription in self._matching(event, change):
            try:
                subscription.listener(event, change)
            except Exception as fault:  # one listener's fault must not cost another its event
                log.exception("a listener of %s failed", event.type)
                if self.on_fault is not None:
                    self.on_fault(subscription, fault)

    def _matching(self, event: Event, change: Change | None) -> list[Subscription]:
        # a list of its own: a listener may add or remove listeners
        found = self._all.copy()
        if listed := self._by_type.get(event.type):
            found += listed
        if keys := self._keys.get(event.type):
            for key, values in keys.items():
                try:
                    listed = values.get(event.data.get(key))
                except TypeError:  # a list or a mapping, which nobody can wait for
                    continue
                if listed:
                    found += listed
        if change is not None and (listed := self._by_entity.get(change.entity)):
            found += listed
        return found

    def _list_for(self, wanted: Subscription) -> list[Subscription]:
        if wanted.entity is not None:
            return self._by_entity.setdefault(wanted.entity, [])
        if wanted.key is not None:
            return self._keys.setdefault(wanted.type, {}).setdefault(wanted.key, {}).setdefault(wanted.value, [])
        if wanted.type == ANY:
            return self._all
        return self._by_type.setdefault(wanted.type, [])

    def _prune(self, gone: Subscription) -> None:
        if gone.entity is not None:
            self._by_entity.pop(gone.entity, None)
        elif gone.key is not None:
            values = self._keys[gone.type][gone.key]
            values.pop(gone.value, None)
            if not values:
                del self._keys[gone.type][gone.key]
        elif gone.type != ANY:
            self._by_type.pop(gone.type, None)


def matcher(match: dict[str, Any]) -> Callable[[Event], bool]:
    """A test of several fields for equality; the caller indexes one of them and checks the rest with this."""
    items = tuple(match.items())
    return lambda event: all(event.data.get(key) == value for key, value in items)
