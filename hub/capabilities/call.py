"""Emergency calls: a citizen's browser rings, one named officer has the call, and what was said and seen is kept.

ringing → talking → ended; a transfer makes it ring again. A call that nobody takes says so (``call_unanswered``).
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from hub.capabilities.report import Receipt
from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same

CallEnd = Literal["caller", "officer", "caller_lost", "too_long", "hub"]


class Call(Protocol):
    """One call, ``call.ID``: ringing → talking → ended."""

    @action("รับสาย", "Answer the call", right="call.control", idempotent=True)
    async def answer(self) -> None:
        """Become the officer who has it. ``Conflict`` when another one has."""

    @action("วางสาย", "End the call", right="call.control", idempotent=True)
    async def end(self, reason: Annotated[str, Field(max_length=300)] = "") -> None:
        """End it for both sides."""

    @action("โอนสาย", "Transfer the call", right="call.control", idempotent=True)
    async def transfer(self, to: Annotated[str, Field(max_length=100)] = "") -> None:
        """Let it ring again for somebody else. ``to``: an account, a desk or nothing for everybody."""

    @action("ขอตำแหน่งผู้โทร", "Ask where the caller is", right="call.control", idempotent=True)
    async def locate(self) -> None:
        """Ask the caller's phone for its position; it asks its owner first, and ``call_located`` tells it."""


@event_type(
    "call_started", "สายเข้า", "Call rings", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(state="ringing", attributes=same(
        "receipt", "place", "place_entity", "lat", "lon", "language", "started_at", "simulated",
    )),
)  # fmt: skip
class CallStarted(EventData):
    """A citizen rings; entity ``call.ID``. ``lat``/``lon``: of the sticker, degrees (WGS 84)."""

    receipt: Receipt
    place: Annotated[str, Field(max_length=300)] = ""
    place_entity: str | None = None
    lat: float | None = None
    lon: float | None = None
    language: Literal["th", "en"] = "th"
    started_at: float
    simulated: bool = False


@event_type(
    "call_answered", "รับสายแล้ว", "Call answered", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(state="talking", attributes={"officer": "by", "answered_at": "at", "waited_s": "waited_s"}),
)  # fmt: skip
class CallAnswered(EventData):
    """One named officer has it. ``waited_s``: how long it rang before."""

    by: str
    at: float
    waited_s: float


@event_type(
    "call_transferred", "โอนสาย", "Call transferred", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(
        state="ringing", attributes={"officer": "officer", "forwarded_to": "to", "rings_since": "at"}
    ),
)  # fmt: skip
class CallTransferred(EventData):
    """It rings again: ``to`` an account or desk, or "" for everybody. ``officer`` is nobody now."""

    by: str
    to: Annotated[str, Field(max_length=100)]
    at: float
    officer: None = None


@event_type(
    "call_unanswered", "ไม่มีผู้รับสาย", "Nobody answers a call", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(attributes={"unanswered": "count"}),
)  # fmt: skip
class CallUnanswered(EventData):
    """It rings for ``waited_s`` seconds and nobody took it; the ``count``-th time this is said."""

    receipt: Receipt
    place: Annotated[str, Field(max_length=300)] = ""
    waited_s: float
    count: Annotated[int, Field(ge=1)]
    simulated: bool = False


@event_type(
    "call_link_changed", "การเชื่อมต่อของสาย", "Call's link changed", retention="incidents",
    projection=Projection(attributes={"link": "link"}),
)  # fmt: skip
class CallLinkChanged(EventData):
    """Whether the caller is there: ``up``, or ``lost`` and awaited."""

    link: Literal["up", "lost"]


@event_type(
    "call_located", "ตำแหน่งผู้โทร", "Caller located", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(attributes={
        "caller_lat": "lat", "caller_lon": "lon", "accuracy_m": "accuracy_m", "located_at": "at",
    }),
)  # fmt: skip
class CallLocated(EventData):
    """Where the caller's phone says it is: degrees (WGS 84), and metres of doubt."""

    lat: Annotated[float, Field(ge=-90, le=90), personal(Personal.POSITION)]
    lon: Annotated[float, Field(ge=-180, le=180), personal(Personal.POSITION)]
    accuracy_m: Annotated[float, Field(ge=0)] | None = None
    at: float


@event_type(
    "call_recorded", "บันทึกสายแล้ว", "Call recorded", retention="incidents",
    projection=Projection(attributes={"recordings": "recordings"}),
)  # fmt: skip
class CallRecorded(EventData):
    """One piece of the call is kept. ``sha256`` (FIPS 180-4) is of its bytes; ``interrupted``: it was cut by a fault
    and holds what came until then. ``recordings``: the media ids of all pieces, oldest first."""

    media: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=1)]
    mime: str
    interrupted: bool = False
    recordings: Annotated[list[str], Field(max_length=100)]


@event_type(
    "recording_failed", "บันทึกสายไม่ได้", "Recording failed", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(attributes={"recording_fault": "reason"}),
)  # fmt: skip
class RecordingFailed(EventData):
    """The call is not recorded, or no longer: why, and who has it."""

    reason: Annotated[str, Field(max_length=300)]
    officer: str | None = None


@event_type(
    "call_ended", "จบสาย", "Call ended", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(state="ended", attributes=same("ended_by", "ended_at", "talked_s", "reason")),
)  # fmt: skip
class CallEnded(EventData):
    """It is over. ``ended_by``: the caller, the officer, a link that did not come back, the longest time, the hub."""

    ended_by: CallEnd
    ended_at: float
    talked_s: float = 0.0
    reason: Annotated[str, Field(max_length=300), personal(Personal.TEXT)] = ""
