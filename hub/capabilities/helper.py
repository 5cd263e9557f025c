"""Helpers: values that people and rules keep for rules. Their domains, actions and states are Home Assistant's, so that
automations written for it find what they name."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Projection, event_type

RIGHT = "helper.control"

Number = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Moment = Annotated[str, Field(max_length=40)]


class InputBoolean(Protocol):
    """A switch, ``input_boolean.NAME``: ``on`` or ``off``."""

    @action("เปิดสวิตช์", "Switch on", right=RIGHT, idempotent=True)
    async def turn_on(self) -> None:
        """On."""

    @action("ปิดสวิตช์", "Switch off", right=RIGHT, idempotent=True)
    async def turn_off(self) -> None:
        """Off."""

    @action("สลับสวิตช์", "Toggle the switch", right=RIGHT)
    async def toggle(self) -> None:
        """The other of the two."""


class InputNumber(Protocol):
    """A number between two limits, ``input_number.NAME``; its state is text such as ``5.0``."""

    @action("ตั้งค่าตัวเลข", "Set the number", right=RIGHT, idempotent=True)
    async def set_value(self, value: Number) -> None:
        """This value; ``InvalidInput`` outside the limits."""

    @action("เพิ่มตัวเลข", "Increase the number", right=RIGHT)
    async def increment(self) -> None:
        """One step up, at most to the upper limit."""

    @action("ลดตัวเลข", "Decrease the number", right=RIGHT)
    async def decrement(self) -> None:
        """One step down, at most to the lower limit."""


class InputSelect(Protocol):
    """One of several options, ``input_select.NAME``."""

    @action("เลือกตัวเลือก", "Select an option", right=RIGHT, idempotent=True)
    async def select_option(self, option: Word) -> None:
        """This one; ``InvalidInput`` names the options when it is none of them."""

    @action("เลือกตัวถัดไป", "Select the next option", right=RIGHT)
    async def select_next(self, cycle: bool = True) -> None:
        """The next; after the last the first, unless ``cycle`` is false."""

    @action("เลือกตัวก่อนหน้า", "Select the previous option", right=RIGHT)
    async def select_previous(self, cycle: bool = True) -> None:
        """The one before; before the first the last, unless ``cycle`` is false."""

    @action("เลือกตัวแรก", "Select the first option", right=RIGHT, idempotent=True)
    async def select_first(self) -> None:
        """The first."""

    @action("เลือกตัวสุดท้าย", "Select the last option", right=RIGHT, idempotent=True)
    async def select_last(self) -> None:
        """The last."""

    @action("เปลี่ยนรายการตัวเลือก", "Change the options", right=RIGHT, idempotent=True)
    async def set_options(self, options: Annotated[list[Word], Field(min_length=1, max_length=100)]) -> None:
        """These options until the next start; the first of them is selected when the selected one is not among
        them."""


class InputText(Protocol):
    """A text, ``input_text.NAME``. It is no place for people's data: it is not sealed and not masked."""

    @action("ตั้งข้อความ", "Set the text", right=RIGHT, idempotent=True)
    async def set_value(self, value: Annotated[str, Field(max_length=255)]) -> None:
        """This text; ``InvalidInput`` when it is too short, too long, or not of the pattern."""


class InputDatetime(Protocol):
    """A date, a time of day, or both, ``input_datetime.NAME``, in the zone's own time."""

    @action("ตั้งวันเวลา", "Set date and time", right=RIGHT, idempotent=True)
    async def set_datetime(
        self, date: Moment | None = None, time: Moment | None = None, datetime: Moment | None = None,
        timestamp: Annotated[float | None, Field(ge=-6e10, le=2e11)] = None,
    ) -> None:  # fmt: skip
        """``datetime`` (2026-01-31 22:00:00), ``timestamp`` (seconds since 1970), or ``date`` (2026-01-31) and ``time``
        (22:00) or one of the two; a part that it does not have is passed over."""


class Counter(Protocol):
    """A whole number that counts, ``counter.NAME``."""

    @action("นับเพิ่ม", "Count up", right=RIGHT)
    async def increment(self) -> None:
        """One step up, at most to the maximum."""

    @action("นับลด", "Count down", right=RIGHT)
    async def decrement(self) -> None:
        """One step down, at most to the minimum."""

    @action("เริ่มนับใหม่", "Reset the counter", right=RIGHT, idempotent=True)
    async def reset(self) -> None:
        """Back to its first value."""

    @action("ตั้งค่าตัวนับ", "Set the counter", right=RIGHT, idempotent=True)
    async def set_value(self, value: int) -> None:
        """This value; ``InvalidInput`` outside its limits."""


@event_type(
    "helper_changed", "ตัวช่วยเปลี่ยนค่า", "Helper changed",
    projection=Projection(state_from="state", merge_from="attributes"),
)  # fmt: skip
class HelperChanged(EventData):
    """The value of a helper. Unlike ``state_changed`` none is passed over under load: rules count on each."""

    state: Annotated[str, Field(max_length=255)]
    attributes: dict[str, Any] = {}
