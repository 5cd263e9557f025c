"""What the tests of the store share: two event types, events whose contents follow from their number, a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from hub.core.clock import Clock, ManualClock
from hub.core.event import Event, EventData, EventTypes, Personal, Projection, event_type, personal
from hub.core.journal import Put
from hub.store.driver import SQLITE, Driver
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
DAY = 86_400.0


@event_type("lamp_seen", "ไฟ", "Lamp", projection=Projection(state_from="state", attributes={"watts": "watts"}))
class LampSeen(EventData):
    """Nothing personal."""

    state: str
    watts: float = 0.0


@event_type(
    "car_seen", "รถ", "Car", retention="plates",
    projection=Projection(state="seen", attributes={"plate": "plate", "speed": "speed"}),
)  # fmt: skip
class CarSeen(EventData):
    """A plate, its province and free words are personal."""

    plate: Annotated[str | None, personal(Personal.PLATE)]
    province: Annotated[str | None, personal(Personal.PLATE)] = None
    words: Annotated[Any, personal(Personal.TEXT)] = None
    speed: float = 0.0


def types() -> EventTypes:
    return EventTypes((LampSeen.type, CarSeen.type))


def plate(seq: int) -> str:
    return f"กท{seq % 7}"


def event(seq: int, kind: str = "", *, received: float = NOON, **more: Any) -> Event:
    """Every third is a car, unless told."""
    kind = kind or ("car_seen" if seq % 3 == 0 else "lamp_seen")
    data: dict[str, Any] = {"state": "on", "watts": seq / 8}
    if kind == "car_seen":
        data = {"plate": plate(seq), "province": "สุโขทัย", "words": {"note": f"note {seq}"}, "speed": seq / 4}
    fields = {"entity": f"camera.c{seq % 5}", "source": "instance:cams", "cause": None, "depth": 0, "data": data}
    return Event(seq=seq, id=f"id{seq:024d}", type=kind, at=received - 0.25, received=received, **(fields | more))


def group(first: int, size: int) -> tuple[list[Event], list[Put]]:
    """Events and the record that must be there with them."""
    events = [event(seq) for seq in range(first, first + size)]
    return events, [Put("progress", "last", events[-1].seq), Put("secret", "last", events[-1].seq, sealed="plates")]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def open_journal(folder: Path, *, clock: Clock | None = None, driver: Driver = SQLITE) -> SqliteJournal:
    return SqliteJournal(
        folder / "journal.db", types(), KeyRing(bytes(range(32))), clock or ManualClock(NOON), driver=driver
    )
