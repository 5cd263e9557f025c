"""Messages to and from people outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hub.core.event import EventData, Personal, event_type, personal


@event_type("message_received", "ได้รับข้อความ", "Message received", retention="messages")
class MessageReceived(EventData):
    """A citizen wrote. ``sender`` is the channel's own id of the person."""

    channel: str
    sender: Annotated[str, personal(Personal.PHONE)]
    text: Annotated[str, Field(max_length=5000), personal(Personal.TEXT)] = ""
    message_id: str
    media: str | None = None
    lat: float | None = None
    lon: float | None = None


@event_type("message_sent", "ส่งข้อความแล้ว", "Message sent", retention="messages")
class MessageSent(EventData):
    """The channel accepted a message. ``quota_left``: how many pushes remain this month, when known."""

    channel: str
    to: Annotated[str, personal(Personal.PHONE)]
    text: Annotated[str, personal(Personal.TEXT)]
    quota_left: int | None = None
    incident: str | None = None
