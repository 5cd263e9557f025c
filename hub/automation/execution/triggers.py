"""Which kind of trigger is armed how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.automation.execution.arming import Arm, Armed, Values
from hub.automation.execution.on_events import arm_event, arm_hub, arm_mqtt, arm_tag
from hub.automation.execution.on_states import NumericWatch, StateWatch, ZoneWatch
from hub.automation.execution.on_templates import TemplateWatch
from hub.automation.execution.on_times import arm_pattern, arm_sun, arm_time
from hub.automation.language.model import (
    EventTrigger,
    ForeignTrigger,
    HubTrigger,
    MqttTrigger,
    NumericTrigger,
    PatternTrigger,
    StateTrigger,
    SunTrigger,
    TagTrigger,
    TemplateTrigger,
    TimeTrigger,
    Trigger,
    ZoneTrigger,
)


def _nothing(_armed: Armed, _trigger: ForeignTrigger, _variables: Values) -> None:
    """There is nothing to listen to."""


_KINDS: dict[Any, Any] = {
    EventTrigger: arm_event, MqttTrigger: arm_mqtt, TagTrigger: arm_tag, HubTrigger: arm_hub, StateTrigger: StateWatch,
    NumericTrigger: NumericWatch, ZoneTrigger: ZoneWatch, TemplateTrigger: TemplateWatch, TimeTrigger: arm_time,
    PatternTrigger: arm_pattern, SunTrigger: arm_sun, ForeignTrigger: _nothing,
}  # fmt: skip
KINDS: Mapping[type[Trigger], Arm] = _KINDS
