"""Who owns which entity, and how it was last described: records, so that a restart knows what is new."""

from __future__ import annotations

from typing import Any

from hub.core.entity import Entity
from hub.core.error import Denied
from hub.core.event import Draft, EventData
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.system import AvailabilityChanged, EntityAdded, EntityRemoved
from hub.host.text import check_data, plain

TABLE = "entities"
HUB_DOMAINS = frozenset({"plugin", "confirmation"})


class Entities:
    """Runs on the loop thread; writes in the open commit group."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._rows: dict[str, dict[str, Any]] = {}
        pipeline.on_recover.append(self.load)

    def load(self) -> None:
        """Take them from the journal: at start, and after a failed commit."""
        self._rows = dict(self._pipeline.journal.records(TABLE))

    def owner(self, entity: str) -> str | None:
        """The instance that brought the entity in."""
        row = self._rows.get(entity)
        return row["instance"] if row else None

    def of(self, instance: str) -> list[str]:
        """The entities of an instance."""
        return [entity for entity, row in self._rows.items() if row["instance"] == instance]

    def owners(self) -> set[str]:
        """All instances that own something."""
        return {row["instance"] for row in self._rows.values()}

    def need(self, entity: str, instance: str) -> None:
        """``Denied`` unless the entity belongs to the instance."""
        owner = self.owner(entity)
        if owner != instance:
            words = f"it belongs to {owner}" if owner else "the instance has not added it"
            raise Denied(f"{instance} may not speak for {entity}: {words}", where=entity, hint="ctx.add it first")

    def add(self, entity: Entity, instance: str) -> None:
        """Bring in, describe anew, or bring back; events only for what changed."""
        if entity.id.partition(".")[0] in HUB_DOMAINS:
            raise Denied(f"{entity.id}: this domain is the hub's own", where=entity.id, hint="choose another domain")
        owner = self.owner(entity.id)
        if owner not in (None, instance):
            raise Denied(f"{entity.id} belongs to {owner}", where=entity.id, hint="choose another id")
        description = entity.describe(instance)
        check_data(description, entity.id)
        row = {"instance": instance, "description": description}
        state = self._pipeline.state.get(entity.id)
        if self._rows.get(entity.id) != row or state is None:
            self._rows[entity.id] = row
            self._pipeline.put(Put(TABLE, entity.id, row))
            self._emit(EntityAdded(description=description), instance, entity.id)
        elif not state.attributes.get("available", True):
            self._emit(AvailabilityChanged(available=True), instance, entity.id)

    def remove(self, entity: str, instance: str, reason: str = "") -> None:
        """Take out."""
        self.need(entity, instance)
        del self._rows[entity]
        self._pipeline.put(Drop(TABLE, entity))
        self._emit(EntityRemoved(reason=reason), instance, entity)

    def unavailable(self, entity: str, instance: str, reason: str) -> None:
        """Say that nobody serves it now."""
        state = self._pipeline.state.get(entity)
        if state is not None and state.attributes.get("available", True):
            self._emit(AvailabilityChanged(available=False, reason=plain(reason)), instance, entity)

    def _emit(self, data: EventData, instance: str, entity: str) -> None:
        draft = Draft(type(data).type.name, data.model_dump(mode="json"), f"instance:{instance}", entity)
        self._pipeline.emit(draft)
