"""Radio: talk channels in which officers hear each other; announcements of joined recordings with the text beside."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from hub.capabilities.incident import Priority
from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same

RadioText = Annotated[str, Field(max_length=2000)]
Speaker = Annotated[str, Field(max_length=120), personal(Personal.NAME)]
ClipIds = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=60)]
Blanks = Annotated[dict[str, Annotated[str, Field(max_length=60)]], Field(max_length=20)]
ANNOUNCE_LIMIT_S = 150.0


class Radio(Protocol):
    """One talk channel, ``radio.CHANNEL``."""

    @action("ประกาศทางวิทยุ", "Announce on the radio", idempotent=True, timeout=ANNOUNCE_LIMIT_S)
    async def announce(
        self, template: Annotated[str, Field(max_length=60)] = "", clips: ClipIds | None = None,
        params: Blanks | None = None, text: RadioText = "", priority: Priority = Priority.HIGH,
    ) -> dict[str, Any]:  # fmt: skip
        """Play recorded phrases one after another, with their text sent beside: those of ``template`` with its blanks
        filled from ``params``, or ``clips``. ``text`` replaces the phrases' own text. One announcement at a time; the
        more urgent goes first. A recording that is missing does not hold the text back.

        Answers ``{"text", "clips", "missing", "duration_s", "listeners", "waited_s"}`` when it has been said.
        """

    @action("ส่งข้อความวิทยุ", "Send text on the radio", idempotent=True)
    async def say_text(self, text: Annotated[str, Field(min_length=1, max_length=2000)]) -> dict[str, Any]:
        """Send text to the channel without sound; ``{"listeners"}``."""


@event_type(
    "radio_channel_changed", "ช่องวิทยุเปลี่ยน", "Radio channel changed",
    projection=Projection(state_from="state", attributes=same("users", "count", "reason", "since")),
)  # fmt: skip
class RadioChannelChanged(EventData):
    """Who is in the channel. ``state``: ``quiet``, ``talking``, ``announcing``, ``unavailable`` (with ``reason``).
    ``users``: names, without the hub's own."""

    state: Literal["quiet", "talking", "announcing", "unavailable"]
    users: Annotated[list[str], Field(max_length=500), personal(Personal.NAME)] = []
    count: int = 0
    reason: Annotated[str, Field(max_length=300)] = ""
    since: float


@event_type(
    "radio_talk_started", "เริ่มพูดวิทยุ", "Radio talk started", retention="messages",
    projection=Projection(attributes={"speaker": "speaker", "talk_started_at": "started_at"}),
)  # fmt: skip
class RadioTalkStarted(EventData):
    """Somebody presses to talk. That, and who, is kept; what is said is neither recorded nor decoded."""

    speaker: Speaker
    started_at: float


@event_type(
    "radio_talk_ended", "หยุดพูดวิทยุ", "Radio talk ended", retention="messages",
    projection=Projection(attributes={"speaker": "nobody", "last_speaker": "speaker", "talk_ended_at": "ended_at"}),
)  # fmt: skip
class RadioTalkEnded(EventData):
    """They let go, or nothing came for a while. ``cut``: over the channel's time limit."""

    speaker: Speaker
    ended_at: float
    duration_s: Annotated[float, Field(ge=0)]
    cut: bool = False
    nobody: None = None


@event_type("radio_text_received", "ข้อความวิทยุ", "Radio text received", retention="messages",
            projection=Projection(attributes={"last_text": "text", "last_text_from": "sender"}))  # fmt: skip
class RadioTextReceived(EventData):
    """Somebody wrote. ``private``: to the hub alone, not to the channel."""

    sender: Speaker
    text: Annotated[str, Field(max_length=5000), personal(Personal.TEXT)]
    private: bool = False


@event_type("radio_text_sent", "ส่งข้อความวิทยุแล้ว", "Radio text sent", retention="messages")
class RadioTextSent(EventData):
    """The hub wrote to the channel."""

    text: Annotated[str, Field(max_length=5000), personal(Personal.TEXT)]
    listeners: int
    by: str


@event_type(
    "radio_announced", "ประกาศวิทยุแล้ว", "Announced on the radio", retention="messages",
    projection=Projection(attributes={"announced_at": "said_at", "announcement": "text", "missing_clips": "missing"}),
)  # fmt: skip
class RadioAnnounced(EventData):
    """An announcement was said. ``clips``: the recordings played, ``missing``: those that were not there.
    ``simulated``: tones of a demo stood for recorded speech. ``cut``: it was longer than the time limit."""

    text: Annotated[str, Field(max_length=5000), personal(Personal.TEXT)]
    clips: list[str]
    missing: list[str]
    duration_s: float
    listeners: int
    priority: Priority
    said_at: float
    by: str
    simulated: bool = False
    cut: bool = False


@event_type("radio_alarm", "สัญญาณฉุกเฉินทางวิทยุ", "Alarm on the radio", lane=Lane.EMERGENCY, retention="incidents",
            projection=Projection(attributes={"alarm_at": "raised_at", "alarm_callsign": "callsign"}))  # fmt: skip
class RadioAlarm(EventData):
    """A unit calls for help on the radio; entity: the channel. ``callsign`` as it was sent, ``unit``: its entity where
    the hub knows one. ``kind``: the word of the pattern (``sos`` …). ``sender``: who was signed in at that radio."""

    callsign: Annotated[str, Field(max_length=60)]
    unit: str | None = None
    kind: Annotated[str, Field(max_length=40)] = "sos"
    sender: Speaker = ""
    text: Annotated[str, Field(max_length=2000), personal(Personal.TEXT)] = ""
    raised_at: float
    simulated: bool = False
