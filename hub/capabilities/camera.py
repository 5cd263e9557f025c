"""Cameras, what moves before them, and plates they read."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import Field, model_validator

from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal


class Camera(Protocol):
    """Something that shows pictures."""

    @action("ถ่ายภาพนิ่ง", "Take a snapshot", right="camera.view", idempotent=True)
    async def snapshot(self) -> str:
        """Keep the newest picture; the media id. ``Unavailable`` when there is none."""

    @action("เก็บคลิปเป็นหลักฐาน", "Keep a clip as evidence", right="camera.clip", timeout=120)
    async def clip(
        self,
        before_s: Annotated[float, Field(ge=0, le=60)] = 10.0,
        after_s: Annotated[float, Field(ge=0, le=60)] = 10.0,
        incident: Annotated[str | None, Field(max_length=120)] = None,
    ) -> list[str]:
        """Keep the video around now, for ``incident`` when one is named; the media ids, in order."""


class PlateReader(Protocol):
    """Something whose entity reports ``plate_read``. It has no actions."""


@event_type(
    "motion_started", "เริ่มมีการเคลื่อนไหว", "Motion started", retention="operational",
    projection=Projection(state="motion", attributes={"boxes": "boxes"}),
)  # fmt: skip
class MotionStarted(EventData):
    """Something moves. ``boxes``: [x, y, width, height] as fractions of the picture."""

    boxes: list[list[float]] = []


@event_type("motion_ended", "การเคลื่อนไหวสิ้นสุด", "Motion ended", projection=Projection(state="idle"))
class MotionEnded(EventData):
    """Nothing has moved for the quiet time."""


@event_type("line_crossed", "มีผู้ข้ามเส้น", "Line crossed", retention="operational")
class LineCrossed(EventData):
    """Something that moves went over a line drawn in the picture. ``way``: to its ``left`` or ``right``, looking from
    its first point to its second."""

    line: Annotated[str, Field(max_length=60)]
    way: str


@event_type("loitering", "มีผู้อยู่ในพื้นที่นาน", "Somebody stays in an area", retention="operational")
class Loitering(EventData):
    """Something that moves has stayed in an area drawn in the picture for ``seconds``."""

    area: Annotated[str, Field(max_length=60)]
    seconds: float


@event_type(
    "video_changed", "สัญญาณภาพเปลี่ยน", "Video changed",
    projection=Projection(attributes={"video": "video", "video_reason": "reason"}),
)  # fmt: skip
class VideoChanged(EventData):
    """The picture's source: ``connecting``, ``running`` or ``retrying`` with its reason."""

    video: str
    reason: str = ""


@event_type("clip_saved", "เก็บคลิปแล้ว", "Clip kept", retention="incidents", lane=Lane.NORMAL)
class ClipSaved(EventData):
    """Video of the event's entity was kept as evidence. ``media`` is its id and also the SHA-256 of its bytes;
    ``begins`` and ``ends``: seconds since 1970 of its first and last picture by the hub's clock."""

    media: str
    sha256: str
    begins: float
    ends: float
    camera: str
    incident: str | None = None


Choices = Annotated[
    list[tuple[Annotated[str, Field(max_length=2)], Annotated[float, Field(ge=0, le=1)]]], Field(max_length=8)
]


class PlateGuess(EventData):
    """Another way to read the same plate."""

    series: str
    number: str
    province: str = ""
    confidence: float = Field(0.0, ge=0, le=1)


@event_type("plate_read", "อ่านป้ายทะเบียน", "Plate read", retention="plates", lane=Lane.NORMAL)
class PlateRead(EventData):
    """A licence plate was read at the event's entity.

    ``series``: optional digit and two consonants (``1กข``), ``number``: one to four digits, ``confidence``: 0–1,
    ``crop``: media id of the picture, ``plate``: series and number as one word, by which rules and lists match.
    ``lattice``: where the reader tells, of each character of ``plate`` what it may be: [character, probability] pairs.
    """

    series: Annotated[str, Field(max_length=12), personal(Personal.PLATE)]
    number: Annotated[str, Field(max_length=12), personal(Personal.PLATE)]
    province: Annotated[str, Field(max_length=60), personal(Personal.PLATE)] = ""
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    alternatives: Annotated[list[PlateGuess], Field(max_length=16), personal(Personal.PLATE)] = []
    lattice: Annotated[list[Choices], Field(max_length=12), personal(Personal.PLATE)] = []
    crop: str | None = None
    box: list[float] | None = None
    plate: Annotated[str, Field(max_length=24), personal(Personal.PLATE)] = ""

    @model_validator(mode="before")
    @classmethod
    def _join(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("series"), str) and isinstance(data.get("number"), str):
            return {**data, "plate": data["series"] + data["number"]}
        return data
