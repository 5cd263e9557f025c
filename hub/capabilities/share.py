"""What owners of private cameras decide. The hub itself emits these."""

from __future__ import annotations

from typing import Literal

from hub.core.event import EventData, event_type


@event_type("share_changed", "การแบ่งปันกล้องเปลี่ยน", "Sharing of a camera changed", retention="actions", outside=False)
class ShareChanged(EventData):
    """A private camera was shared or is no more, or somebody asks for it; entity: the camera. ``by``: whose doing."""

    change: Literal["given", "revoked", "asked", "refused"]
    share: str
    owner: str
    kinds: list[str]
    to: list[str]
    by: str
    until: float
