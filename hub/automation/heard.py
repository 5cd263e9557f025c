"""What automations can hear and read, from their text: so that a replay reads only that from the journal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from typing import Any

from hub.automation.language.known import event_name
from hub.automation.language.steps import Automation
from hub.automation.templates.named import named_in
from hub.automation.templates.template import is_template
from hub.core.event import Event
from hub.core.journal import Journal, Query

PAGE = 5_000
BEFORE = 500  # events of an entity that are folded to know its state at the start
MAX_ENTITIES = 2_000
_ENTITY = re.compile(r"\b[a-z][a-z0-9_]*\.[a-z0-9][a-z0-9_]*\b")
_CALLED = ("script.", "scene.")
# the beginning of a name that is known only when the rule runs
_CALLED_OPEN = re.compile(r"\b(?:script|scene)\.(?![a-z0-9])")
_KINDS = {
    "mqtt": ("mqtt_message",), "tag": ("tag_scanned", "checkpoint_scanned"), "webhook": ("webhook_received",),
    "homeassistant": ("hub_started", "hub_stopping"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """Event types and entities; ``everything`` when the text leaves it open."""

    types: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def of(cls, automations: Iterable[Automation]) -> Heard:
        """All of these."""
        return cls().and_of(automations)

    def __or__(self, other: Heard) -> Heard:
        """What either hears."""
        return Heard(self.types | other.types, self.entities | other.entities, self.everything or other.everything)

    @property
    def called(self) -> frozenset[str]:
        """Scripts and scenes that may be called; of ``everything``, all may."""
        return frozenset(name for name in self.entities if name.startswith(_CALLED))

    def and_of(self, automations: Iterable[Automation]) -> Heard:
        """These too."""
        found = _Found(set(self.types), set(self.entities), self.everything)
        for made in automations:
            found.look(made.tree)
        everything = found.everything or len(found.entities) > MAX_ENTITIES
        return Heard(frozenset(found.types), frozenset(found.entities), everything)


@dataclass(slots=True)
class _Found:
    types: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    everything: bool = False

    def look(self, value: Any) -> None:
        if isinstance(value, Mapping):
            kind = value.get("trigger", value.get("platform"))
            self.types.update(_KINDS.get(str(kind), ()))
            named = value.get("event_type")
            for name in named if isinstance(named, list) else [named] if named is not None else []:
                self.everything = self.everything or is_template(str(name))
                self.types.add(event_name(str(name)))
            for item in value.values():
                self.look(item)
        elif isinstance(value, list):
            for item in value:
                self.look(item)
        elif isinstance(value, str):
            self.entities.update(_ENTITY.findall(value.lower()))
            if is_template(value):
                named = named_in(value)
                self.entities |= named.entities
                self.everything |= named.open or _CALLED_OPEN.search(value) is not None


def history(journal: Journal, heard: Heard, start: float, end: float) -> Iterator[Event]:
    """The events of a span that are heard, in order, each once."""
    if heard.everything:
        yield from _pages(journal, Query(since=start, until=end, limit=PAGE))
        return
    queries = [Query(type=name, since=start, until=end, limit=PAGE) for name in sorted(heard.types)]
    queries += [Query(entity=name, since=start, until=end, limit=PAGE) for name in sorted(heard.entities)]
    last = 0
    for event in merge(*(_pages(journal, query) for query in queries), key=lambda event: event.seq):
        if event.seq > last:
            last = event.seq
            yield event


def state_before(journal: Journal, heard: Heard, start: float) -> Iterator[Event]:
    """The events from which the state at the start is folded: the newest of each entity that is read."""
    names = heard.entities
    if heard.everything:
        names = frozenset(row["entity"] for row in _snapshot(journal)) | heard.entities
    for name in sorted(names):
        yield from reversed(journal.read(Query(entity=name, until=start, limit=BEFORE, newest=True)))


def _snapshot(journal: Journal) -> list[dict[str, Any]]:
    kept = journal.load_snapshot()
    return kept.entities if kept is not None else []


def _pages(journal: Journal, query: Query) -> Iterator[Event]:
    after = query.after
    while True:
        page = journal.read(Query(
            type=query.type, entity=query.entity, after=after, since=query.since, until=query.until, limit=PAGE
        ))  # fmt: skip
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq
