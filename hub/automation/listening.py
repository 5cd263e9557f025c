"""Which automations hear their triggers. One that cannot be set yet is tried again, each minute."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.automation.entry import Entry
from hub.automation.execution.arming import Armed, Arming
from hub.automation.execution.values import with_variables
from hub.automation.language.model import Trigger
from hub.automation.templates.template import TemplateFailed
from hub.core.clock import Timer
from hub.core.error import HubError
from hub.core.event import Event

log = logging.getLogger(__name__)

AGAIN_S = 60.0  # what a trigger's template reads may not be there yet: a sensor whose plugin is starting

Fire = Callable[[Entry, Trigger, dict[str, Any], Event | None], None]
Fault = Callable[[Entry, str, Event | None], None]


class Listening:
    """Arms and disarms the triggers of automations. ``fire`` and ``fault``: what becomes of them."""

    def __init__(self, arming: Arming, fire: Fire, fault: Fault) -> None:
        self._arming, self._fire, self._fault = arming, fire, fault
        self._again: dict[Entry, tuple[Timer, str]] = {}  # those that could not be armed, and why

    def set(self, entry: Entry, *, keep_holds: bool = False) -> None:
        """Let it hear, or not, as it is enabled; whatever was set before is undone."""
        self.stop(entry, keep_holds=keep_holds)
        if entry.enabled:
            self._arm(entry, "")

    def stop(self, entry: Entry, *, keep_holds: bool = False) -> None:
        """It hears nothing more."""
        if entry.armed is not None:
            entry.armed.disarm(keep_holds=keep_holds)
            entry.armed = None
        if entry in self._again:
            self._again.pop(entry)[0].cancel()

    def _arm(self, entry: Entry, known: str) -> None:
        """``known``: why it could not be armed before, which is not told again."""
        made = entry.automation
        try:
            entry.armed = Armed(
                self._arming, made.id, made.hash, made.triggers, with_variables({}, made.trigger_variables),
                lambda trigger, told, event: self._fire(entry, trigger, told, event),
                lambda words, event: self._fault(entry, words, event),
            )  # fmt: skip
            return
        except (HubError, TemplateFailed, ValueError) as wrong:
            words = f"its triggers could not be set: {wrong}"
        except Exception as fault:  # one automation's fault must not cost the others their triggers
            log.exception("the triggers of automation %s could not be set", made.id)
            words = f"its triggers could not be set: {type(fault).__name__}: {fault}"
        if words != known:
            self._fault(entry, words, None)
        clock = self._arming.host.clock
        self._again[entry] = (clock.call_at(clock.now() + AGAIN_S, lambda: self._try_again(entry)), words)

    def _try_again(self, entry: Entry) -> None:
        _, known = self._again.pop(entry)
        self._arm(entry, known)

    def reset(self, entries: Iterable[Entry]) -> None:
        """Let all triggers look at the world as it is now; what lasts goes on lasting."""
        for entry in entries:
            self.set(entry, keep_holds=True)

    @staticmethod
    def armed(entries: Mapping[str, Entry]) -> dict[str, Armed]:
        """Those that hear."""
        return {name: entry.armed for name, entry in entries.items() if entry.armed is not None}
