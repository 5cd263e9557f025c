"""The event types of the hub itself. None of them has an outside door: only the hub emits them."""

from __future__ import annotations

from typing import Annotated, Any

from hub.core.event import EventData, EventType, Lane, Personal, Projection, event_type, personal, same


@event_type(
    "entity_added", "เพิ่มอุปกรณ์", "Entity added",
    projection=Projection(merge_from="description"), outside=False,
)  # fmt: skip
class EntityAdded(EventData):
    """An instance brought an entity in; ``description`` is ``Entity.describe()``."""

    description: dict[str, Any]


@event_type("entity_removed", "ถอดอุปกรณ์", "Entity removed", projection=Projection(remove=True), outside=False)
class EntityRemoved(EventData):
    """The entity is gone."""

    reason: str = ""


@event_type(
    "state_changed", "สถานะเปลี่ยน", "State changed", lane=Lane.TELEMETRY,
    projection=Projection(state_from="state", merge_from="attributes"),
)  # fmt: skip
class StateChanged(EventData):
    """A plugin's report of its own entity's state, where no more telling event type exists."""

    state: str | None = None
    attributes: dict[str, Any] = {}


@event_type(
    "availability_changed", "การติดต่ออุปกรณ์เปลี่ยน", "Availability changed",
    projection=Projection(attributes={"available": "available", "reason": "reason"}), outside=False,
)  # fmt: skip
class AvailabilityChanged(EventData):
    """The hub can or cannot reach the entity."""

    available: bool
    reason: str = ""


@event_type("hub_started", "ระบบเริ่มทำงาน", "Hub started", outside=False)
class HubStarted(EventData):
    """Everything is loaded; automations may begin."""


@event_type("hub_stopping", "ระบบกำลังหยุด", "Hub stops", outside=False)
class HubStopping(EventData):
    """It was asked to stop; what automations do now is done after the next start."""


@event_type(
    "instance_changed", "สถานะปลั๊กอินเปลี่ยน", "Plugin instance changed",
    projection=Projection(state_from="state", attributes={"reason": "reason", "plugin": "plugin"}), outside=False,
)  # fmt: skip
class InstanceChanged(EventData):
    """Health of a plugin instance, entity ``plugin.INSTANCE``: starting, running, retrying, failed, stopped."""

    plugin: str
    state: str
    reason: str = ""


@event_type(
    "instance_silent", "ปลั๊กอินเงียบ", "Plugin instance silent", lane=Lane.EMERGENCY,
    projection=Projection(attributes=same("silent", "last_sign")), outside=False,
)  # fmt: skip
class InstanceSilent(EventData):
    """What a plugin speaks with gave no sign of life for ``limit_s`` seconds; entity ``plugin.INSTANCE``.
    ``last_sign``: when it was last heard, seconds since 1970; ``None`` when never since the hub's start."""

    plugin: str
    last_sign: float | None
    limit_s: float
    silent: bool = True


@event_type(
    "instance_heard", "ปลั๊กอินกลับมา", "Plugin instance heard again",
    projection=Projection(attributes=same("silent")), outside=False,
)  # fmt: skip
class InstanceHeard(EventData):
    """It gave a sign of life again."""

    plugin: str
    silent: bool = False


@event_type(
    "entity_silent", "อุปกรณ์เงียบ", "Device silent", lane=Lane.EMERGENCY,
    projection=Projection(attributes=same("silent")), outside=False,
)  # fmt: skip
class EntitySilent(EventData):
    """Nothing came from the entity for the ``silent_after`` seconds of its description."""

    last_sign: float
    limit_s: float
    silent: bool = True


@event_type(
    "entity_heard", "อุปกรณ์กลับมา", "Device heard again",
    projection=Projection(attributes=same("silent")), outside=False,
)  # fmt: skip
class EntityHeard(EventData):
    """Something came from it again."""

    silent: bool = False


@event_type(
    "clock_changed", "นาฬิกาของศูนย์", "The hub's clock",
    projection=Projection(state_from="state"), outside=False,
)  # fmt: skip
class ClockChanged(EventData):
    """Whether something keeps the clock right; entity ``hub.clock``: ``kept``, ``adrift``, or
    ``unknown`` where the kernel may not be asked."""

    state: str


@event_type("retention_applied", "ลบข้อมูลตามกำหนด", "Retention applied", retention="actions", outside=False)
class RetentionApplied(EventData):
    """Personal data whose time was over is gone. ``receipts``: class, first day that is kept, and how many keys, media
    and drafts were destroyed."""

    receipts: list[dict[str, Any]]


@event_type("fault", "ข้อผิดพลาด", "Fault", outside=False)
class Fault(EventData):
    """Something inside failed that an officer or technician should see."""

    where: str
    message: str
    hint: str = ""


@event_type("action_requested", "สั่งการ", "Action requested", retention="actions", outside=False)
class ActionRequested(EventData):
    """Somebody or something asked for an action; the target is the event's entity."""

    action: str
    key: str
    actor: str
    params: Annotated[dict[str, Any], personal(Personal.TEXT)]


@event_type("action_finished", "ผลการสั่งการ", "Action finished", retention="actions", outside=False)
class ActionFinished(EventData):
    """The outcome of an action; the target is the event's entity."""

    action: str
    key: str
    status: str
    error: dict[str, Any] | None = None
    result: Annotated[Any, personal(Personal.TEXT)] = None
    ms: float = 0.0


@event_type("action_gave_up", "สั่งการไม่สำเร็จหลังลองซ้ำ", "Action given up", retention="actions", outside=False)
class ActionGaveUp(EventData):
    """An owed action failed for good after ``tries`` tries and lies among the dead letters (``GET /api/outbox``); the
    target is the event's entity."""

    action: str
    key: str
    tries: int
    error: dict[str, Any] | None = None


@event_type(
    "confirmation_requested", "รอยืนยัน", "Confirmation requested", lane=Lane.EMERGENCY, retention="actions",
    projection=Projection(
        state="pending",
        attributes=same(
            "action", "target", "params", "actor", "title", "right", "expires_at", "cause"
        ),
    ),
    outside=False,
)  # fmt: skip
class ConfirmationRequested(EventData):
    """A dangerous action waits for a person; entity ``confirmation.KEY``."""

    action: str
    target: str | None
    params: Annotated[dict[str, Any], personal(Personal.TEXT)]
    actor: str
    title: dict[str, str]
    right: str
    expires_at: float
    cause: str | None = None


@event_type(
    "confirmation_answered", "ตอบการยืนยัน", "Confirmation answered", retention="actions",
    projection=Projection(remove=True), outside=False,
)  # fmt: skip
class ConfirmationAnswered(EventData):
    """A person answered, or nobody did in time (``answer``: yes, no, expired)."""

    answer: str
    by: str


SYSTEM_TYPES: tuple[EventType, ...] = tuple(
    data.type
    for data in (
        EntityAdded, EntityRemoved, StateChanged, AvailabilityChanged, HubStarted, HubStopping, InstanceChanged,
        InstanceSilent, InstanceHeard,
        EntitySilent, EntityHeard, ClockChanged, RetentionApplied, Fault, ActionRequested, ActionFinished,
        ActionGaveUp, ConfirmationRequested, ConfirmationAnswered,
    )
)  # fmt: skip
