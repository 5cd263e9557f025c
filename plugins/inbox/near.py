"""Which reports come from one place at about one time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.capabilities import ReportReceived
from hub.sdk import EntityState, distance_m


@dataclass(frozen=True, slots=True)
class Near:
    """``count`` reports within ``metres`` (or at the same sticker, camera …) and ``minutes`` are a repetition."""

    count: int
    metres: float
    minutes: float

    def with_(self, states: Iterable[EntityState], data: ReportReceived, now: float) -> list[str]:
        """Receipts of the reports that belong to ``data``'s place, its own included, oldest first."""
        fresh = [
            (float(state.attributes["received_at"]), str(state.attributes["receipt"]))
            for state in states
            if now - float(state.attributes.get("received_at") or 0) <= self.minutes * 60 and self._same(state, data)
        ]
        return [receipt for _, receipt in sorted(fresh)]

    def _same(self, state: EntityState, data: ReportReceived) -> bool:
        about = state.attributes
        if about.get("receipt") == data.receipt:
            return True
        if data.place_entity is not None and about.get("place_entity") == data.place_entity:
            return True
        lat, lon = about.get("lat"), about.get("lon")
        if lat is None or lon is None or data.lat is None or data.lon is None:
            return False
        return distance_m((lat, lon), (data.lat, data.lon)) <= self.metres
