"""What a scan says and how far it can be believed. Nothing here refuses a scan: doubts are told, a person judges."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hub.capabilities import Doubt
from hub.sdk import distance_m

OLDEST_S = 95 * 86_400.0
_CODE = re.compile(r"[?&]c=([^&#\s]+)")


@dataclass(frozen=True, slots=True)
class Box:
    """One red box. ``secret``: what stands in its QR behind the id; ``old``: secrets that were replaced."""

    id: str
    th: str
    en: str
    lat: float
    lon: float
    radius_m: float
    windows: tuple[str, ...]
    secret: str
    old: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def entity(self) -> str:
        """Its entity id."""
        return f"checkpoint.{self.id}"

    @property
    def code(self) -> str:
        """What its QR holds and a person can type: ``RB1-K7M2QX4P``."""
        return f"{self.id.upper()}-{self.secret}"


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as it came. Times in seconds since 1970: ``device_at`` by the phone's clock, ``sent_at`` by the same clock
    when it was sent, ``received_at`` by the hub's. ``secret``: from the code, "" when the source knows the id only."""

    scan_id: str
    secret: str
    source: str
    received_at: float
    device_at: float | None = None
    sent_at: float | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    unit: str | None = None
    officer: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is not doubted yet."""

    clock_off_s: float
    max_accuracy_m: float
    max_speed_mps: float


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a unit was before or after: for the speed between boxes."""

    box: str
    at: float
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Judged:
    """``at``: when it was, as far as can be known. ``distance_m``: from the box."""

    at: float
    distance_m: float | None
    doubts: list[Doubt] = field(default_factory=list)


def split_code(text: str) -> tuple[str, str]:
    """Box id and secret of a code: of the QR's address, typed in any case, or an id alone. ("", "") for nothing."""
    found = _CODE.search(text)
    code = (found.group(1) if found else text).strip().lower().replace(" ", "")[:64]
    box, _, secret = code.partition("-")
    # Crockford's base 32: what is misread is read rightly
    return box, secret.upper().replace("O", "0").replace("I", "1").replace("L", "1")


def when(scan: Scan, clock_off_s: float) -> tuple[float, bool]:
    """The time of the scan, and whether the phone's clock is off. A clock that is off by ``sent_at`` is corrected."""
    if scan.device_at is None:
        return scan.received_at, False
    skew = scan.received_at - scan.sent_at if scan.sent_at is not None else 0.0
    off = abs(skew) > clock_off_s
    at = scan.device_at + skew if off else scan.device_at
    if at > scan.received_at + clock_off_s or at < scan.received_at - OLDEST_S:
        return scan.received_at, True
    return min(at, scan.received_at), off


def judge(scan: Scan, box: Box, limits: Limits, in_window: bool, near: list[Visit]) -> Judged:
    """All doubts about a scan. ``in_window``: was it in a window of the box; ``near``: the unit's visits before and
    after it."""
    at, off = when(scan, limits.clock_off_s)
    doubts: list[Doubt] = ["clock_off"] if off else []
    distance = None
    if scan.lat is None or scan.lon is None:
        doubts.append("no_position")
    else:
        distance = distance_m((scan.lat, scan.lon), (box.lat, box.lon))
        sure = scan.accuracy_m or 0.0
        if sure > limits.max_accuracy_m:
            doubts.append("poor_position")
        if distance - min(sure, limits.max_accuracy_m) > box.radius_m:
            doubts.append("out_of_radius")
    if not in_window:
        doubts.append("outside_window")
    if any(_too_fast(visit, box, at, limits.max_speed_mps) for visit in near):
        doubts.append("too_fast")
    if scan.secret and scan.secret != box.secret:
        doubts.append("old_challenge")
    if scan.unit is None and not scan.officer:
        doubts.append("unknown_officer")
    return Judged(at, distance, doubts)


def _too_fast(visit: Visit, box: Box, at: float, most_mps: float) -> bool:
    if visit.box == box.id:
        return False
    way = max(0.0, distance_m((visit.lat, visit.lon), (box.lat, box.lon)) - 2 * box.radius_m)
    return way > most_mps * abs(at - visit.at)
