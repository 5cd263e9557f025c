"""Where things are: positions of entities, and places that have a middle and a radius or a border."""

from __future__ import annotations

from typing import Any

from hub.core.geo import distance_m
from hub.core.state import EntityState

RADIUS_M = 100.0  # of a place that does not say


def position(state: EntityState | None) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, WGS 84; ``None`` when it has none."""
    if state is None:
        return None
    about = state.attributes
    lat, lon = about.get("lat", about.get("latitude")), about.get("lon", about.get("longitude"))
    return (float(lat), float(lon)) if isinstance(lat, int | float) and isinstance(lon, int | float) else None


def inside(place: EntityState, state: EntityState | None) -> bool:
    """Is the entity in the place? Its accuracy counts for it, as in Home Assistant."""
    middle, at = position(place), position(state)
    if middle is None or at is None or state is None:
        return False
    accuracy = _number(state.attributes.get("accuracy_m", state.attributes.get("gps_accuracy")), 0.0)
    radius = _number(place.attributes.get("radius_m", place.attributes.get("radius")), RADIUS_M)
    return distance_m(middle, at) - accuracy < radius


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
