"""The page of the automation language, from its parsers and templates."""

from __future__ import annotations

import inspect
from datetime import UTC
from typing import Any

from hub.automation.language import model, parse_conditions, parse_steps, parse_triggers, steps
from hub.automation.language.known import _LOCAL
from hub.automation.templates.bounds import Budget
from hub.automation.templates.functions import names
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.core.clock import ManualClock
from hub.core.event import EventTypes
from hub.core.state import State

_TRIGGERS = {
    "event": model.EventTrigger, "state": model.StateTrigger, "numeric_state": model.NumericTrigger,
    "template": model.TemplateTrigger, "time": model.TimeTrigger, "time_pattern": model.PatternTrigger,
    "sun": model.SunTrigger, "zone": model.ZoneTrigger, "homeassistant": model.HubTrigger, "mqtt": model.MqttTrigger,
    "webhook": model.EventTrigger, "tag": model.TagTrigger,
}  # fmt: skip
_CONDITIONS = {
    "state": model.StateCondition, "numeric_state": model.NumericCondition, "template": model.TemplateCondition,
    "time": model.TimeCondition, "sun": model.SunCondition, "zone": model.ZoneCondition,
    "trigger": model.TriggerCondition, "and, or, not": model.GroupCondition,
}  # fmt: skip
_STEPS: dict[str, Any] = {
    "action": steps.ActionStep, "delay": steps.DelayStep, "wait_template, wait_for_trigger": steps.WaitStep,
    "choose, if": steps.ChooseStep, "repeat": steps.RepeatStep, "parallel": steps.ParallelStep,
    "sequence": steps.SequenceStep, "variables": steps.VariablesStep, "event": steps.EventStep, "stop": steps.StopStep,
    "condition": steps.ConditionStep, "escalate": parse_steps.escalate,
}  # fmt: skip


def language() -> list[str]:
    """Its lines."""
    return [
        "Home Assistant's YAML, in the old spelling (`platform:`, `service:`) and the new (`trigger:`, `action:`).",
        "[What differs](differences-from-home-assistant.md). `hub check FILE` names each mistake with line and column.",
        "", "A file is a list of automations, or a mapping of `automation:`, `script:` and `scene:`. Fields beside the",
        "usual ones: `on_restart: resume | expire | {run_late_within: 5m}` says what becomes of a deadline that passed",
        "while the hub was down; `shadow` is chosen when publishing.",
        "", "## Triggers", "", *_rows(_TRIGGERS, parse_triggers._TRIGGERS), "", "## Conditions", "",
        *_rows(_CONDITIONS, parse_conditions.KINDS), "", "## Steps", "", *_rows(_STEPS, parse_steps._STEPS),
        "", "## Actions of the engine itself", "",
        f"{', '.join(f'`{name}`' for name in sorted(_LOCAL))}, `script.NAME`. All others: [actions](actions.md).",
        "", "## Templates", "", *_templates(),
    ]  # fmt: skip


def _rows(table: dict[str, Any], known: Any) -> list[str]:
    """Each kind with its words; ``KeyError`` when a parser has one that the page does not name."""
    named = {part.strip() for key in table for part in key.split(",")}
    other = {"service", "service_template", "scene", "device_id", "set_conversation_response"}
    if missing := set(known) - named - other:
        raise KeyError(f"the page of the language does not name {', '.join(sorted(missing))}")
    return ["| | |", "|---|---|", *(f"| `{name}` | {_doc(thing)} |" for name, thing in table.items())]


def _doc(thing: Any) -> str:
    return " ".join(inspect.cleandoc(thing.__doc__ or "").split()).replace("``", "`").replace("|", "\\|")


def _templates() -> list[str]:
    world = World(State(EventTypes()), ManualClock(), UTC)
    made, env = names(world, Budget()), Templates(world)._env
    parts = {
        "Functions": [*made.functions, "namespace", "cycler", "joiner"], "Filters": env.filters, "Tests": env.tests,
    }  # fmt: skip
    return [f"{title}: {', '.join(f'`{name}`' for name in sorted(found))}.\n" for title, found in parts.items()]
