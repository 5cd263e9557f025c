"""Triggers on templates: looked at again when something they read changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.automation.execution.arming import Armed, Values
from hub.automation.execution.values import truth
from hub.automation.host import Host
from hub.automation.language.model import TemplateTrigger
from hub.automation.templates.views import Reads, StateView
from hub.core.bus import ANY, Subscription
from hub.core.clock import Timer
from hub.core.event import Event
from hub.core.state import Change

MINUTE = 60.0
# As in Home Assistant: a template that reads all states is looked at so often, one that reads a whole domain so often.
ALL_S, DOMAIN_S = 60.0, 1.0
EVERYTHING = "*"


class Shared:
    """One listener for all templates that read whole domains, one clock tick for all that read the time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._domains: dict[str, dict[Any, Callable[[Event, Change], None]]] = {}
        self._minute: dict[Any, Callable[[], None]] = {}
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def watch_domains(self, owner: Any, domains: set[str], call: Callable[[Event, Change], None]) -> None:
        """Call when an entity of one of these domains changes."""
        self.leave_domains(owner)
        for name in {EVERYTHING} if EVERYTHING in domains else domains:
            self._domains.setdefault(name, {})[owner] = call
        if self._domains and self._subscription is None:
            self._subscription = self._host.rules.add(Subscription(self._heard))

    def leave_domains(self, owner: Any) -> None:
        for name in [name for name, owners in self._domains.items() if owner in owners]:
            del self._domains[name][owner]
            if not self._domains[name]:
                del self._domains[name]
        if not self._domains and self._subscription is not None:
            self._host.rules.remove(self._subscription)
            self._subscription = None

    def _heard(self, event: Event, change: Change | None) -> None:
        if change is None:
            return
        for name in (change.entity.partition(".")[0], EVERYTHING):
            for call in tuple(self._domains.get(name, {}).values()):
                call(event, change)

    def watch_minutes(self, owner: Any, call: Callable[[], None]) -> None:
        """Call at each full minute."""
        self._minute[owner] = call
        if self._timer is None:
            self._schedule()

    def leave_minutes(self, owner: Any) -> None:
        self._minute.pop(owner, None)
        if not self._minute and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._timer = self._host.clock.call_at((self._host.clock.now() // MINUTE + 1) * MINUTE, self._tick)

    def _tick(self) -> None:
        self._schedule()
        for call in tuple(self._minute.values()):
            call()


class TemplateWatch:
    """Fires when the template becomes true; looks again when something it read changes. One that reads whole domains
    is looked at by the first change, and then by those of a period together when it ends."""

    def __init__(self, armed: Armed, trigger: TemplateTrigger, variables: Values) -> None:
        self._armed, self._trigger, self._variables = armed, trigger, variables
        self._holds = armed.arming.holds
        self._listening: dict[str, Subscription] = {}
        self._reads = Reads()
        self._looked: float | None = None  # when, by a change
        self._timer: Timer | None = None
        self._was, self._reads_now = self._look()
        self._follow(self._reads_now)
        armed.undo.append(self._leave)
        if trigger.for_ is not None:
            armed.stills[trigger.path] = lambda _entity: self._was

    def _look(self) -> tuple[bool, Reads]:
        result, reads = self._armed.arming.templates.watching(self._trigger.template, self._variables)
        return truth(result), reads

    def _follow(self, reads: Reads) -> None:
        rules, shared = self._armed.arming.host.rules, self._armed.arming.shared
        wanted = reads.entities | self._trigger.template.entities
        for entity in self._listening.keys() - wanted:
            rules.remove(self._listening.pop(entity))
        for entity in wanted - self._listening.keys():
            self._listening[entity] = rules.add(Subscription(self._changed, ANY, entity=entity))
        if reads.domains != self._reads.domains:
            shared.watch_domains(self, reads.domains, self._wide)
        if reads.time and not self._reads.time:
            shared.watch_minutes(self, lambda: self._again(None, None))
        elif self._reads.time and not reads.time:
            shared.leave_minutes(self)
        self._reads = reads

    def _leave(self) -> None:
        self._stop_timer()
        self._follow(Reads())
        for subscription in self._listening.values():
            self._armed.arming.host.rules.remove(subscription)
        self._listening.clear()

    def _changed(self, event: Event, change: Change | None) -> None:
        self._again(event, change)

    def _wide(self, event: Event, change: Change) -> None:
        if change.entity in self._listening or self._timer is not None:  # looked at for itself, or when the time comes
            return
        clock = self._armed.arming.host.clock
        period = ALL_S if EVERYTHING in self._reads.domains else DOMAIN_S
        if self._looked is None or clock.now() >= self._looked + period:
            self._again(event, None)
        else:
            self._timer = clock.call_at(self._looked + period, lambda: self._again(event, None))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, event: Event | None, change: Change | None) -> None:
        self._stop_timer()
        self._looked = self._armed.arming.host.clock.now()
        before, (self._was, reads) = self._was, self._look()
        self._follow(reads)
        identity = self._armed.name, self._trigger.path, "-"
        if not self._was:
            self._holds.check(*identity, lambda _hold: False)
            return
        if before:
            return
        zone = self._armed.arming.templates.world.zone
        values: dict[str, Any] = {
            "platform": "template", "entity_id": change.entity if change else None, "for": None,
            "from_state": StateView(change.old, zone) if change and change.old else None,
            "to_state": StateView(change.new, zone) if change and change.new else None,
        }  # fmt: skip
        if self._trigger.for_ is None:
            self._armed.fire(self._trigger, values, event)
            return
        self._armed.hold(self._trigger, self._trigger.for_, "-", self._variables, values, event, [])
