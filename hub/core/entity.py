"""Entities: the addressable things of the zone, as their plugin describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.error import InvalidInput
from hub.core.text import Text

_ENTITY_ID = re.compile(r"[a-z][a-z0-9_]{0,39}\.[a-z0-9][a-z0-9_]{0,79}")
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Entity:
    """One addressable thing. ``id`` is ``domain.object`` in small ASCII letters, digits and underscores.

    ``capabilities`` are names of ``hub.capabilities`` (``camera``, ``light`` …). ``position`` is (latitude,
    longitude) in degrees, WGS 84. ``owner`` is the partner whose property it is. ``simulated`` shows จำลอง.
    ``silent_after`` is how many seconds without an event mean that something is wrong.
    """

    id: str
    name: Text
    capabilities: tuple[str, ...] = ()
    area: str | None = None
    position: tuple[float, float] | None = None
    owner: str | None = None
    simulated: bool = False
    silent_after: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ENTITY_ID.fullmatch(self.id):
            raise InvalidInput(
                f"{self.id!r} is no entity id", where="entity", hint="use domain.object, as in camera.gold_shop_3"
            )
        if len(self.name.th) > MAX_NAME or len(self.name.en) > MAX_NAME:
            raise InvalidInput(f"the name is longer than {MAX_NAME} characters", where=self.id)

    def describe(self, instance: str) -> dict[str, Any]:
        """The attributes under which the description stands in the state."""
        return {
            **self.attributes,
            "name": self.name.as_data(),
            "capabilities": list(self.capabilities),
            "area": self.area,
            **({"lat": self.position[0], "lon": self.position[1]} if self.position else {}),
            "owner": self.owner,
            "simulated": self.simulated,
            "silent_after": self.silent_after,
            "instance": instance,
            "available": True,
        }
