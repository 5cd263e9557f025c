"""Names a template may use: functions, filters and tests. What is not here does not exist.

Meanings follow Home Assistant's templating (docs: "Templating"), times are in the zone's own time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.automation.templates import lists, numbers, text
from hub.automation.templates.bounds import Budget, bounded_range
from hub.automation.templates.nearby import area_functions, place_functions
from hub.automation.templates.times import time_functions
from hub.automation.templates.views import States, World
from hub.core.state import UNAVAILABLE, UNKNOWN

# What a limited template (one that is rendered when a file is loaded) may not use.
STATEFUL = frozenset(
    "states state_attr is_state is_state_attr has_value expand distance closest now utcnow today_at relative_time "
    "time_since time_until area_id area_name area_entities areas area_devices device_id device_attr device_entities "
    "integration_entities is_device_attr is_hidden_entity state_translated".split()
)


@dataclass(frozen=True, slots=True)
class Names:
    """All of them, over one world."""

    functions: Mapping[str, Any]
    filters: Mapping[str, Callable[..., Any]]
    tests: Mapping[str, Callable[..., Any]]


def names(world: World, budget: Budget) -> Names:
    """Everything that a template over this world may name. ``budget``: of what takes long by itself."""
    states = _state_functions(world)
    times, time_filters = time_functions(world)
    places, areas = place_functions(world), area_functions(world)
    draw, draw_filters = lists.chosen(world.random)
    by_state = {name: states[name] for name in ("states", "state_attr", "is_state", "is_state_attr", "has_value")}
    patterns = text.Patterns(budget)
    closest_of = places.pop("closest_filter")
    functions = {
        **states, **times, **places, **areas, **numbers.BOTH, **numbers.CONSTANTS, **text.BOTH, **lists.BOTH, **draw,
        "range": bounded_range, "dict": dict,
    }  # fmt: skip
    filters = {
        **by_state, **time_filters, **places, "closest": closest_of, **areas, **numbers.BOTH, **text.FILTERS,
        **patterns.filters, **lists.BOTH, **draw_filters, "sum": numbers.summed, "abs": abs,
    }  # fmt: skip
    tests = {
        **lists.TESTS, "is_number": numbers.is_number, **patterns.tests,
        **{name: states[name] for name in ("is_state", "is_state_attr", "has_value")},
    }  # fmt: skip
    return Names(functions, filters, tests)


def _state_functions(world: World) -> dict[str, Any]:
    def state_attr(entity: str, name: str) -> Any:
        raw = world.get(entity)
        return raw.attributes.get(name) if raw else None

    def is_state(entity: str, value: Any) -> bool:
        raw = world.get(entity)
        return raw is not None and (raw.state in value if isinstance(value, list) else raw.state == value)

    def is_state_attr(entity: str, name: str, value: Any) -> bool:
        return bool(state_attr(entity, name) == value) and world.get(entity) is not None

    def has_value(entity: str) -> bool:
        raw = world.get(entity)
        return raw is not None and raw.state not in (UNKNOWN, UNAVAILABLE)

    return {
        "states": States(world), "state_attr": state_attr, "is_state": is_state, "is_state_attr": is_state_attr,
        "has_value": has_value,
    }  # fmt: skip
