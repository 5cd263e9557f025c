"""Duty: who is on duty at the control centre, shift by shift, and how one shift hands over to the next."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same

Officers = Annotated[list[dict[str, Any]], Field(max_length=20), personal(Personal.NAME)]
Account = Annotated[str, Field(max_length=80)]
Names = Annotated[list[str], Field(max_length=20), personal(Personal.NAME)]
SoundResult = Literal["heard", "weak", "not_heard"]


class Roster(Protocol):
    """The service of who knows who is on duty."""

    async def on_duty(self) -> list[str]:
        """The actors (``user:NAME``) on duty now, by name. Empty: nobody is."""


class Shift(Protocol):
    """The shift that is running, ``shift.current``: ``running``, ``short`` (too few officers) or ``none``."""

    @action("ลงชื่อเข้าเวร", "Sign in to the shift", right="duty.sign", idempotent=True)
    async def sign_in(self) -> dict[str, Any]:
        """The caller is on duty from now; ``{"shift", "on_duty"}``."""

    @action("ลงชื่อออกเวร", "Sign out of the shift", right="duty.sign", idempotent=True)
    async def sign_out(self, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> dict[str, Any]:
        """The caller leaves before the shift's end."""

    @action("ผลทดสอบเสียง", "Sound test", right="duty.sign", idempotent=True)
    async def sound_test(
        self, result: SoundResult, note: Annotated[str, Field(max_length=300)] = ""
    ) -> None:
        """What the caller heard of the alarm sound at this desk."""

    @action("ส่งเวร", "Hand over the shift", right="duty.sign", idempotent=True)
    async def hand_over(self, note: Annotated[str, Field(max_length=4000)] = "") -> dict[str, Any]:
        """Sign the handover note, which the hub writes, with the caller's own words; ``{"handover", "hash"}``."""

    @action("รับเวร", "Accept the shift", right="duty.sign", idempotent=True)
    async def accept(self) -> dict[str, Any]:
        """A second person signs that they have read the note and take over; ``{"handover", "hash"}``."""


@event_type(
    "shift_planned", "ตารางเวร", "Shift planned", retention="actions",
    projection=Projection(
        state_from="state", attributes=same("shift", "date", "since", "until", "officers", "names", "planned_by")
    ),
)  # fmt: skip
class ShiftPlanned(EventData):
    """Who is to be on duty; entity ``roster.DATE_NAME``. ``state``: ``planned``, ``short`` (fewer than are needed),
    ``running`` or ``past``. ``officers``: ``{account, name, title}``. Times: seconds since 1970."""

    state: Literal["planned", "short", "running", "past"]
    shift: str
    date: str
    since: float
    until: float
    officers: Officers
    names: Names = []
    planned_by: str = ""


@event_type(
    "shift_started", "เริ่มเวร", "Shift started", retention="actions",
    projection=Projection(
        state="running",
        attributes={"shift": "shift", "since": "since", "until": "until", "rostered": "officers",
                    "sound_test": "nothing", "sound_test_at": "nothing", "handover": "nothing",
                    "handover_state": "nothing", "handover_by": "nothing"},
    ),
)  # fmt: skip
class ShiftStarted(EventData):
    """A shift begins; entity ``shift.current``. ``nothing`` empties what was said of the one before."""

    shift: str
    since: float
    until: float
    officers: Officers
    nothing: None = None


@event_type("shift_ended", "สิ้นสุดเวร", "Shift ended", retention="actions", projection=Projection(state="none"))
class ShiftEnded(EventData):
    """Its time is over. ``sound_test``: its result, or ``None`` when it was never done. ``handed_over``: was it
    signed by both by then?"""

    shift: str
    since: float
    until: float
    sound_test: str | None = None
    handed_over: bool = False


@event_type(
    "duty_changed", "ผู้เข้าเวรเปลี่ยน", "Duty changed", retention="actions",
    projection=Projection(attributes=same("officers", "names", "count", "needed")),
)  # fmt: skip
class DutyChanged(EventData):
    """Who is on duty now: ``{account, name, title, since}``; ``count`` of them, of ``needed``. ``change``: what
    happened, ``signed_in``, ``signed_out``, ``shift_started``, ``relieved`` or ``roster``."""

    officers: Officers
    names: Names = []
    count: int
    needed: int
    change: Annotated[str, Field(max_length=40)]
    by: Account = ""
    reason: Annotated[str, Field(max_length=300), personal(Personal.TEXT)] = ""


@event_type(
    "duty_short", "ผู้เข้าเวรไม่ครบ", "Too few on duty", lane=Lane.EMERGENCY, retention="actions",
    projection=Projection(state="short"),
)  # fmt: skip
class DutyShort(EventData):
    """Fewer are on duty than are needed, and the time to sign in is over."""

    shift: str
    count: int
    needed: int


@event_type("duty_filled", "ผู้เข้าเวรครบแล้ว", "Enough on duty again", retention="actions",
            projection=Projection(state="running"))  # fmt: skip
class DutyFilled(EventData):
    """As many are on duty as are needed."""

    shift: str
    count: int
    needed: int


@event_type(
    "sound_test_done", "ทดสอบเสียงแล้ว", "Sound test done", retention="actions",
    projection=Projection(attributes={"sound_test": "result", "sound_test_at": "at", "sound_test_by": "by"}),
)  # fmt: skip
class SoundTestDone(EventData):
    """Somebody listened for the alarm sound at the desk."""

    shift: str
    result: SoundResult
    at: float
    by: Account
    note: Annotated[str, Field(max_length=300), personal(Personal.TEXT)] = ""


@event_type("sound_test_overdue", "ยังไม่ทดสอบเสียง", "Sound test overdue", lane=Lane.EMERGENCY, retention="actions",
            projection=Projection(attributes={"sound_test": "result"}))  # fmt: skip
class SoundTestOverdue(EventData):
    """Nobody has done the sound test within ``minutes`` of the shift's start."""

    shift: str
    minutes: float
    result: Literal["overdue"] = "overdue"


@event_type(
    "shift_handover_signed", "ลงนามส่งเวร", "Handover signed", retention="actions",
    projection=Projection(attributes={"handover": "handover", "handover_state": "state", "handover_by": "by"}),
)  # fmt: skip
class ShiftHandoverSigned(EventData):
    """The first of the two signed; the other's signature is waited for. ``hash``: SHA-256 (hex) of the note."""

    handover: str
    shift: str
    by: Account
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    state: Literal["waiting"] = "waiting"


@event_type(
    "shift_handed_over", "ส่งเวรแล้ว", "Shift handed over", retention="actions",
    projection=Projection(
        attributes={"handover": "handover", "handover_state": "state", "handover_at": "at", "handover_hash": "hash"}
    ),
)  # fmt: skip
class ShiftHandedOver(EventData):
    """Both signed. ``hash``: SHA-256 (hex) over the note as canonical JSON, signatures included. ``counts``: how many
    things of each kind it lists."""

    handover: str
    shift: str
    given_by: Account
    accepted_by: Account
    at: float
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    counts: dict[str, int]
    state: Literal["signed"] = "signed"


@event_type(
    "officer_listed", "รายชื่อเจ้าหน้าที่เวร", "Officer listed", retention="actions",
    projection=Projection(state_from="state", attributes=same("account", "officer", "title", "since")),
)  # fmt: skip
class OfficerListed(EventData):
    """Somebody of the roster; entity ``officer.ACCOUNT``: ``on_duty`` (``since`` then) or ``off_duty``."""

    state: Literal["on_duty", "off_duty"]
    account: Account
    officer: Annotated[str, Field(max_length=120), personal(Personal.NAME)]
    title: Annotated[str, Field(max_length=120)] = ""
    since: float | None = None
