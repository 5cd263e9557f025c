"""Lights that can be dimmed: what is asked of them, and what they report. The two are shown beside each other."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Personal, Projection, event_type, personal, same

Percent = Annotated[float, Field(ge=0, le=100)]
Minutes = Annotated[float, Field(gt=0, le=10_080)]
Reason = Annotated[str, Field(max_length=300)]


class Light(Protocol):
    """One light, or a group of them, ``light.NAME``.

    Each answers ``{"level_pct", "until", "limited_by"}``: what it will be, to when (seconds since 1970 or ``None``),
    and which limit of the owner made it less than was asked. A manual override wins over all the others: while one
    holds, they are refused with ``Conflict``, which names who holds it and to when.
    """

    @action("เปิดไฟ", "Turn on", idempotent=True)
    async def turn_on(self, brightness_pct: Annotated[float, Field(ge=1, le=100)] = 100.0) -> dict[str, Any]:
        """To this level until the schedule's next change."""

    @action("ปิดไฟ", "Turn off", idempotent=True)
    async def turn_off(self) -> dict[str, Any]:
        """Off until the schedule's next change."""

    @action("เร่งความสว่าง", "Boost", idempotent=True)
    async def boost(
        self, brightness_pct: Annotated[float, Field(ge=1, le=100)] = 100.0, minutes: Minutes = 15.0,
        reason: Reason = "",
    ) -> dict[str, Any]:  # fmt: skip
        """To this level for so long; then back to the level that it should have at that time, also after a restart.
        The same call sent again does not lengthen it."""

    @action("ควบคุมด้วยมือ", "Override by hand", idempotent=True)
    async def override(
        self, level_pct: Percent, reason: Annotated[str, Field(min_length=1, max_length=300)],
        minutes: Minutes = 60.0, until: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Hold this level (0 is off) in the caller's name against schedule, boosts and rules. ``until``: ISO 8601
        with its offset, instead of ``minutes``; at most a week ahead."""

    @action("คืนสู่ตารางเวลา", "Release", idempotent=True)
    async def release(self) -> dict[str, Any]:
        """End an override and a boost: back to the level that it should have now."""


@event_type(
    "light_reported", "ไฟรายงานสถานะ", "Light reported",
    projection=Projection(state_from="state", attributes=same("level_pct", "reported_at")),
)  # fmt: skip
class LightReported(EventData):
    """What the light says of itself: ``on``, ``off``, ``unavailable`` (it or its connection is gone) or ``unknown``
    (it has not said). ``level_pct``: 0–100, ``None`` when it does not say."""

    state: Annotated[str, Field(pattern="^(on|off|unavailable|unknown)$")]
    level_pct: float | None = None
    reported_at: float | None = None


@event_type(
    "light_commanded", "สั่งไฟ", "Light commanded",
    projection=Projection(attributes=same("commanded_pct", "commanded_at", "why")),
)  # fmt: skip
class LightCommanded(EventData):
    """What the light was told. ``why``: schedule, command, boost or override."""

    commanded_pct: float
    commanded_at: float
    why: str


@event_type(
    "light_scheduled", "ตารางเวลาไฟ", "Light's schedule",
    projection=Projection(attributes=same("scheduled_pct", "next_change_at")),
)  # fmt: skip
class LightScheduled(EventData):
    """What the schedule alone wants now, and when that changes; ``None``: it has no schedule."""

    scheduled_pct: float | None
    next_change_at: float | None


@event_type(
    "light_boosted", "เร่งความสว่างไฟ", "Light boosted", retention="actions",
    projection=Projection(attributes=same("boost_pct", "boost_until", "boost_by", "boost_reason")),
)  # fmt: skip
class LightBoosted(EventData):
    """A boost began, or, with ``None``, ended."""

    boost_pct: float | None
    boost_until: float | None
    boost_by: str | None = None
    boost_reason: Annotated[str | None, Field(max_length=300), personal(Personal.TEXT)] = None


@event_type(
    "light_overridden", "ควบคุมไฟด้วยมือ", "Light overridden by hand", retention="actions",
    projection=Projection(attributes=same("override_pct", "override_until", "override_by", "override_reason")),
)  # fmt: skip
class LightOverridden(EventData):
    """A manual override began, or, with ``None``, ended."""

    override_pct: float | None
    override_until: float | None
    override_by: str | None = None
    override_reason: Annotated[str | None, Field(max_length=300), personal(Personal.TEXT)] = None


@event_type(
    "light_fault", "ไฟขัดข้อง", "Light faulty",
    projection=Projection(attributes={"fault": "detail", "fault_kind": "kind"}),
)  # fmt: skip
class LightFault(EventData):
    """Something is wrong with the light. ``kind``: ``unavailable`` (it cannot be reached) or ``disobeys`` (commanded
    on but reports off, or the other way round). ``by_day``: the schedule wants it dark anyway."""

    kind: Annotated[str, Field(pattern="^(unavailable|disobeys)$")]
    detail: Annotated[str, Field(max_length=300)]
    commanded_pct: float | None = None
    by_day: bool = False


@event_type(
    "light_fault_cleared", "ไฟกลับเป็นปกติ", "Light works again",
    projection=Projection(attributes={"fault": "detail", "fault_kind": "kind"}),
)  # fmt: skip
class LightFaultCleared(EventData):
    """It works again."""

    kind: None = None
    detail: None = None
