"""Signs of life: an instance or an entity that is silent for longer than it declared is reported, once, and again
when it comes back. A silent device is a failure that an officer must see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.clock import Timer
from hub.core.event import Draft
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import EntityHeard, EntitySilent
from hub.host.instance import Instance

LOOK_S = 2.0


class Heartbeat:
    """Watches all instances and the entities with ``silent_after``."""

    def __init__(self, pipeline: Pipeline, instances: Mapping[str, Instance]) -> None:
        self._pipeline, self._clock, self._instances = pipeline, pipeline.clock, instances
        self._since = 0.0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin; what was not heard yet has its limit from now on."""
        self._since = self._clock.now()
        self._look_later()

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = self._clock.call_at(self._clock.now() + LOOK_S, self._look_at_all)

    def _look_at_all(self) -> None:
        self._look_later()
        now = self._clock.now()
        for instance in self._instances.values():
            instance.look(now, self._since)
        for state in [state for state in self._pipeline.state if state.attributes.get("silent_after")]:
            self._look(state, now)

    def _look(self, state: EntityState, now: float) -> None:
        limit, silent = float(state.attributes["silent_after"]), state.attributes.get("silent") is True
        instance = self._instances.get(str(state.attributes.get("instance")))
        if instance is None:
            return
        last = instance.signs.get(state.entity)
        if now - (last or self._since) <= limit:
            if silent and last is not None:
                self._emit(state.entity, EntityHeard())
        elif not silent and not instance.silent and state.attributes.get("available") is not False:
            # what a silent plugin or a device that is known to be away explains is not said again
            self._emit(state.entity, EntitySilent(last_sign=last or self._since, limit_s=limit))

    def _emit(self, entity: str, data: Any) -> None:
        kind = type(data).type
        self._pipeline.emit(Draft(kind.name, data.model_dump(mode="json"), "hub", entity, lane=kind.lane))
