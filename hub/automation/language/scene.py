"""Scenes: how things are to be, as a script of the actions that bring it about."""

from __future__ import annotations

from typing import Any

from hub.automation.language.reader import ENTITY_ID, Reader
from hub.automation.language.source import Map, Place, Seq

_SCENE = {"id", "name", "icon", "entities", "actions", "metadata"}
_VERBS = {"on": "turn_on", "off": "turn_off", "locked": "lock", "unlocked": "unlock", "open": "open_cover",
          "closed": "close_cover"}  # fmt: skip


def scene_source(reader: Reader, value: Any, place: Place) -> tuple[str, Map] | None:
    """``scene.NAME`` and its script: ``actions`` as they stand, and for each of ``entities`` the action that brings it
    into that state, its attributes as fields."""
    source = reader.mapping(value, place, "a scene")
    if source is None:
        return None
    reader.known(source, "a scene", _SCENE)
    name = reader.text(source, "id") or reader.text(source, "name")
    made, steps = Map(place), Seq(place)
    for item, at in reader.items(source.get("actions"), place):
        steps.put(item, at)
    given = source.get("entities") or Map(place)
    entities = reader.mapping(given, source.values_at.get("entities", place), "'entities'")
    if entities is None:
        return None
    for entity, wanted in entities.items():
        at = entities.values_at[entity]
        if not ENTITY_ID.fullmatch(entity):
            reader.wrong(at, f"{entity!r} is no entity id")
        else:
            steps.put(_step(entity, wanted, at), at)
    made.put("alias", place, source.get("name") or name, place)
    made.put("sequence", place, steps, place)
    return f"scene.{name.lower().replace(' ', '_')}", made


def _step(entity: str, wanted: Any, at: Place) -> Map:
    fields = Map(at)
    state = wanted
    if isinstance(wanted, Map):
        state = wanted.get("state", "on")
        for key, value in wanted.items():
            if key != "state":
                fields.put(key, at, value, at)
    word = ("on" if state else "off") if isinstance(state, bool) else str(state)
    step, target = Map(at), Map(at)
    target.put("entity_id", at, entity, at)
    step.put("action", at, f"{entity.partition('.')[0]}.{_VERBS.get(word, 'turn_on')}", at)
    step.put("target", at, target, at)
    if fields and word != "off":
        step.put("data", at, fields, at)
    return step
