"""Groups, places and areas in templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.automation.templates.bounds import TooCostly
from hub.automation.templates.views import Domain, States, StateView, World
from hub.core.geo import distance_m
from hub.core.state import EntityState

MAX_MEMBERS = 10_000
Function = Callable[..., Any]
Point = tuple[float, float]


def place_functions(world: World) -> dict[str, Function]:
    """Functions that are filters too."""

    def resolve(value: Any) -> EntityState | None:
        if isinstance(value, StateView):
            return value.raw
        return world.get(value) if isinstance(value, str) and "." in value else None

    def expand(*args: Any) -> list[StateView]:
        """Entities, and the members of groups in place of these; each once."""
        found: dict[str, StateView] = {}
        pending, looked = list(args), set[str]()
        while pending and len(looked) < MAX_MEMBERS:
            item = pending.pop()
            if isinstance(item, States | Domain | list | tuple | set):
                _add_bounded(pending, item)
                continue
            state = resolve(item)
            if state is None or state.entity in looked:
                continue
            looked.add(state.entity)
            members = state.attributes.get("persons" if state.domain == "zone" else "entity_id")
            if isinstance(members, list | tuple):
                pending += members
            else:
                found[state.entity] = StateView(state, world.zone)
        return sorted(found.values(), key=lambda view: view.raw.entity)

    def points(args: Iterable[Any]) -> list[Point] | None:
        made: list[Point] = []
        pending = list(args)
        while pending:
            value = pending.pop(0)
            state = resolve(value)
            if state is not None:
                at = position(state)
            elif isinstance(value, StateView) or not pending:
                at = None
            else:
                at = _point(value, pending.pop(0))
            if at is None:
                return None
            made.append(at)
        return made

    def distance(*args: Any) -> float | None:
        """Kilometres between two places, or between one and the zone's middle."""
        found = points(args)
        if not found:
            return None
        return distance_m(found[0], found[1] if len(found) > 1 else world.location) / 1000

    def closest(*args: Any) -> StateView | None:
        """Of entities, the one nearest to the zone's middle, to an entity or to a point."""
        near: Point | None = world.location
        if len(args) == 2:
            state = resolve(args[0])
            near = position(state) if state else None
        elif len(args) == 3:
            near = _point(args[0], args[1])
        if near is None:
            return None
        there = [(distance_m(near, at), view) for view in expand(args[-1]) if (at := position(view.raw))]
        return min(there, key=lambda pair: pair[0])[1] if there else None

    def closest_filter(*args: Any) -> StateView | None:
        return closest(*args[1:], args[0])

    return {"expand": expand, "distance": distance, "closest": closest, "closest_filter": closest_filter}


def _add_bounded(pending: list[Any], more: Iterable[Any]) -> None:
    pending += more
    if len(pending) > 2 * MAX_MEMBERS:
        raise TooCostly(f"more than {2 * MAX_MEMBERS} entities at once")


def position(state: EntityState) -> Point | None:
    """Latitude and longitude of an entity, degrees."""
    about = state.attributes
    lat, lon = about.get("lat", about.get("latitude")), about.get("lon", about.get("longitude"))
    return (float(lat), float(lon)) if isinstance(lat, int | float) and isinstance(lon, int | float) else None


def _point(lat: Any, lon: Any) -> Point | None:
    try:
        return float(lat), float(lon)
    except (ValueError, TypeError):
        return None


def area_functions(world: World) -> dict[str, Function]:
    """Areas are what entities say in their attribute ``area``. Devices, floors and labels there are none."""

    def area_of(entity: Any) -> Any:
        state = world.get(str(entity))
        return state.attributes.get("area") if state else None

    def areas() -> list[str]:
        return sorted({str(area) for view in world.domain("*") if (area := view.raw.attributes.get("area"))})

    def entities_of(area: Any) -> list[str]:
        return [view.raw.entity for view in world.domain("*") if view.raw.attributes.get("area") == area]

    def of_instance(name: Any) -> list[str]:
        return [view.raw.entity for view in world.domain("*") if view.raw.attributes.get("instance") == name]

    def none(*_args: Any) -> None:
        return None

    def empty(*_args: Any) -> list[Any]:
        return []

    return {
        "area_id": area_of, "area_name": lambda name: area_of(name) if "." in str(name) else name, "areas": areas,
        "area_entities": entities_of, "area_devices": empty, "device_id": none, "device_attr": none,
        "device_name": none, "device_entities": empty, "is_device_attr": lambda *_args: False,
        "integration_entities": of_instance, "config_entry_id": none, "labels": empty, "label_id": none,
        "label_name": none, "label_entities": empty, "label_devices": empty, "label_areas": empty, "floors": empty,
        "floor_id": none, "floor_name": none, "floor_areas": empty, "floor_entities": empty,
        "is_hidden_entity": lambda *_args: False, "state_translated": lambda name: _state(world, name),
    }  # fmt: skip


def _state(world: World, name: Any) -> str:
    state = world.get(str(name))
    return state.state if state else "unknown"
