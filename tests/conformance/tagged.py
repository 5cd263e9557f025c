"""Values of the vectors: tagged JSON to what the hub is given, and what it says to what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from hub.automation.templates.views import StateView, World


def as_config(value: Any) -> Any:
    """Configuration as an operator writes it: templates are text, durations are seconds."""
    if isinstance(value, list):
        return [as_config(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        if tag in ("__template__", "__datetime__", "__date__", "__time__"):
            return inner
        if tag == "__seconds__":
            return {"seconds": inner}
        if tag in ("__script_variables__", "__tuple__", "__set__"):
            return as_config(inner)
    return {key: as_config(item) for key, item in value.items()}


def as_value(value: Any, world: World) -> Any:
    """A variable of a run or rendering."""
    if isinstance(value, list):
        return [as_value(item, world) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "__state__" in value:
        return world.view(str(value["__state__"]))
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        kinds: dict[str, Any] = {
            "__datetime__": datetime.fromisoformat, "__date__": date.fromisoformat, "__time__": time.fromisoformat,
            "__template__": str, "__seconds__": lambda seconds: timedelta(seconds=seconds),
        }  # fmt: skip
        if tag in kinds:
            return kinds[tag](inner)
        if tag == "__tuple__":
            return tuple(as_value(item, world) for item in inner)
        if tag == "__set__":
            return {as_value(item, world) for item in inner}
    return {key: as_value(item, world) for key, item in value.items()}


def comparable(value: Any) -> Any:
    """Two values that mean the same become equal: tags and kinds of list, moments as seconds, targets as lists."""
    if isinstance(value, StateView):
        return {"__state__": value.raw.entity, "state": value.raw.state}
    if isinstance(value, datetime):
        return {"__datetime__": value.timestamp() if value.tzinfo else value.isoformat()}
    if isinstance(value, date | time):
        return {f"__{type(value).__name__}__": value.isoformat()}
    if isinstance(value, timedelta):
        return {"__seconds__": value.total_seconds()}
    if isinstance(value, set | frozenset):
        return {"__set__": sorted(map(repr, value))}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _mapping(value: Mapping[str, Any]) -> Any:
    if "__tuple__" in value:
        return comparable(value["__tuple__"])
    if "__set__" in value:
        return {"__set__": sorted(map(repr, value["__set__"]))}
    if "__datetime__" in value:
        moment = datetime.fromisoformat(str(value["__datetime__"]))
        return {"__datetime__": moment.timestamp() if moment.tzinfo else moment.isoformat()}
    made = {str(key): comparable(item) for key, item in value.items()}
    if isinstance(made.get("entity_id"), str):
        made["entity_id"] = [part.strip() for part in made["entity_id"].split(",")]
    return made
