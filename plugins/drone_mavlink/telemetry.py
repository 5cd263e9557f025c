"""What is known of a drone at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

MODES = {
    0: "STABILIZE", 2: "ALT_HOLD", 3: "AUTO", 4: "GUIDED", 5: "LOITER", 6: "RTL", 7: "CIRCLE", 9: "LAND", 11: "DRIFT",
    13: "SPORT", 16: "POSHOLD", 17: "BRAKE", 18: "THROW", 21: "SMART_RTL",
}  # fmt: skip
"""ArduCopter's custom modes by number."""
MAX_TEXTS, MAX_TEXT = 20, 300


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is known. Degrees WGS 84, metres, m/s, percent, volts; ``None`` is not known (yet).

    ``alt_m`` above sea level, ``relative_alt_m`` above the take-off point. ``gps_fix``: GPS_FIX_TYPE, 3 is a 3-D fix.
    Times are seconds since the epoch. ``status_text``: the newest 20 words of the autopilot, oldest first.
    """

    armed: bool = False
    mode: str = ""
    lat: float | None = None
    lon: float | None = None
    alt_m: float | None = None
    relative_alt_m: float | None = None
    heading_deg: float | None = None
    ground_speed_mps: float | None = None
    battery_pct: float | None = None
    voltage: float | None = None
    gps_fix: int | None = None
    satellites: int | None = None
    status_text: tuple[str, ...] = ()
    heartbeat_at: float | None = None
    fix_at: float | None = None

    def distance_m(self, lat: float, lon: float) -> float | None:
        """Metres over ground to a place; flat earth, right within 0.1 % over the few kilometres of a flight."""
        if self.lat is None or self.lon is None:
            return None
        north = math.radians(lat - self.lat) * 6_371_008.8
        east = math.radians(lon - self.lon) * 6_371_008.8 * math.cos(math.radians((lat + self.lat) / 2))
        return math.hypot(north, east)
