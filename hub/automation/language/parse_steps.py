"""YAML of steps to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from hub.automation.language.known import check_action, check_event, check_fields, check_slip, is_local
from hub.automation.language.model import GroupCondition, TemplateCondition
from hub.automation.language.parse_conditions import GROUPS, common, condition, conditions
from hub.automation.language.parse_triggers import triggers
from hub.automation.language.reader import ENTITY_ID, Reader, as_number, kind_of
from hub.automation.language.source import Map, Place
from hub.automation.language.steps import (
    ActionStep,
    Branch,
    ChooseStep,
    ConditionStep,
    DelayStep,
    EventStep,
    ParallelStep,
    RepeatStep,
    SequenceStep,
    Step,
    StopStep,
    VariablesStep,
    WaitStep,
)
from hub.automation.templates.template import Template, is_template

_STEP = {"alias", "enabled", "continue_on_error", "id"}


def steps(reader: Reader, value: Any, place: Place, path: str) -> tuple[Step, ...]:
    """One step or a list of them."""
    found: list[Step] = []
    for index, (item, at) in enumerate(reader.items(value, place)):
        if found and isinstance(found[-1], StopStep) and found[-1].enabled and not reader.lenient:
            reader.wrong(at, "this is never reached: a stop stands before it")
        made = step(reader, item, at, f"{path}/{index}")
        if made is not None:
            found.append(made)
    return tuple(found)


def step(reader: Reader, value: Any, place: Place, path: str) -> Step | None:
    """One step."""
    if isinstance(value, str):
        made = condition(reader, value, place, path)
        return ConditionStep(path=path, place=place, condition=made) if made else None
    source = reader.mapping(value, place, "a step")
    if source is None:
        return None
    for key, build in _STEPS.items():
        if key in source:
            return build(reader, source, path)
    if any(group in source for group in GROUPS):
        return _condition_step(reader, source, path)
    first = next(iter(source), "")
    named = ", ".join(key for key in _STEPS if key not in _OLD)
    reader.wrong(place, f"this is no step: it has none of {named}", first, _STEPS)
    return None


def _shared(reader: Reader, source: Map, path: str) -> dict[str, Any]:
    return {**common(reader, source, path), "go_on": reader.flag(source, "continue_on_error", False)}


def _action(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "an action step", _ACTION)
    named = reader.either(source, "action", "service", "service_template")
    if named is None:
        return None
    name, at = named[1], named[2]
    if not isinstance(name, str) or ("." not in name and not is_template(name)):
        reader.wrong(at, f"{name!r} is no action; write domain.verb, as in light.turn_on")
        return None
    action = reader.template(name, at) if is_template(name) else name.strip()
    targets, areas, targets_at = _targets(reader, source)
    data, fields_at = _action_data(reader, source)
    if isinstance(data, dict) and "entity_id" in data:  # the old place of the target
        if targets:
            reader.wrong(fields_at["entity_id"], "the target is given twice; keep 'target'")
        targets, targets_at = _as_targets(data.pop("entity_id")), fields_at.pop("entity_id")
    if action is None:
        return None
    if reader.what is not None and isinstance(action, str) and reader.lenient:
        check_slip(reader.what, action, at, reader.wrong)
    elif reader.what is not None and isinstance(action, str) and not is_local(action):
        check_action(reader.what, action, at, targets or areas, targets_at, data, fields_at, reader.wrong)
    return ActionStep(
        **_shared(reader, source, path), action=action, targets=targets, areas=areas, data=data,
        response=reader.text(source, "response_variable") or None,
    )  # fmt: skip


def _as_targets(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return tuple(value) if isinstance(value, list) else (value,)


def _targets(reader: Reader, source: Map) -> tuple[tuple[str | Template, ...], tuple[str | Template, ...], Place]:
    """Entities and areas, and where they stand."""
    holder, value = source, source.get("target")
    if is_template(value):
        at = source.values_at["target"]
        template = reader.template(value, at)
        return ((template,) if template else ()), (), at
    if value is not None:
        target = reader.mapping(value, source.values_at["target"], "'target'")
        if target is None:
            return (), (), source.place
        reader.known(target, "'target'", {"entity_id", "area_id", *(_FOREIGN_TARGETS if reader.lenient else ())})
        holder = target
    areas = tuple(reader.names(holder, "area_id"))
    if holder.get("entity_id") is None:
        return (), areas, holder.values_at.get("area_id", source.place)
    found: list[str | Template] = []
    for name, place in reader.split(holder, "entity_id"):
        if isinstance(name, Template) or name in ("all", "none"):
            found.append(name)
        elif ENTITY_ID.fullmatch(name.lower()):
            found.append(name.lower())
            reader.entity(name.lower(), place)
        else:
            reader.wrong(place, f"{name!r} is no entity id; write domain.object, as in light.charot_12")
    return tuple(found), areas, holder.values_at["entity_id"]


def _action_data(reader: Reader, source: Map) -> tuple[Any, dict[str, Place]]:
    given = reader.either(source, "data", "data_template")
    if given is None or given[1] is None:
        return {}, {}
    if is_template(given[1]):
        return reader.template(given[1], given[2]) or {}, {}
    found = reader.mapping(given[1], given[2], f"{given[0]!r}")
    return (reader.data(found, found.place), dict(found.keys_at)) if found is not None else ({}, {})


def _delay(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a delay", _STEP | {"delay"})
    duration = reader.duration(source, "delay")
    return None if duration is None else DelayStep(**_shared(reader, source, path), duration=duration)


def _variables(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a variables step", _STEP | {"variables"})
    return VariablesStep(**_shared(reader, source, path), variables=reader.named_data(source, "variables"))


def _event(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "an event step", _STEP | {"event", "event_data", "event_data_template", "entity_id"})
    key = "event_data_template" if "event_data_template" in source else "event_data"
    reader.either(source, "event_data", "event_data_template")
    entity = source.get("entity_id")
    if entity is not None:
        at = source.values_at["entity_id"]
        entity = reader.template(entity, at) if is_template(entity) else next(iter(reader.entities(source)), None)
    name, data = reader.text(source, "event"), reader.named_data(source, key)
    kind = check_event(reader.what, name, source.values_at["event"], reader.wrong) if reader.what else None
    if kind is not None and not kind.outside:
        words = f"{name} is an event of the hub itself; an automation cannot fire it"
        reader.wrong(source.values_at["event"], words)
    elif kind is not None:
        fields_at = source[key].keys_at if isinstance(source.get(key), Map) else {}
        check_fields(kind.model, data, fields_at, source.place, name, reader.wrong)
    return EventStep(**_shared(reader, source, path), type=name, data=data, entity=entity)


def _stop(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a stop", _STEP | {"stop", "error", "response_variable"})
    reason = reader.data(source["stop"], source.values_at["stop"])
    return StopStep(
        **_shared(reader, source, path), reason=reason if isinstance(reason, Template) else str(reason or ""),
        error=reader.flag(source, "error", False), response=reader.text(source, "response_variable") or None,
    )  # fmt: skip


def _condition_step(reader: Reader, source: Map, path: str) -> Step | None:
    made = condition(reader, source, source.place, path)
    return ConditionStep(path=path, place=source.place, enabled=made.enabled, condition=made) if made else None


def _if(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "an if", _STEP | {"if", "then", "else"})
    if "then" not in source:
        reader.wrong(source.place, "'then' is missing")
        return None
    held = conditions(reader, source["if"], source.values_at["if"], f"{path}/if")
    then = steps(reader, source["then"], source.values_at["then"], f"{path}/then")
    other = steps(reader, source["else"], source.values_at["else"], f"{path}/else") if "else" in source else ()
    branch = Branch(conditions=held, steps=then, path=f"{path}/then")
    return ChooseStep(
        **_shared(reader, source, path), branches=(branch,), default=other, default_path=f"{path}/else"
    )


def _choose(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a choose", _STEP | {"choose", "default"})
    branches = []
    for index, (value, at) in enumerate(reader.items(source["choose"], source.values_at["choose"])):
        option = reader.mapping(value, at, "a choice")
        if option is None:
            continue
        reader.known(option, "a choice", {"conditions", "condition", "sequence", "alias"})
        held, inner = reader.either(option, "conditions", "condition"), f"{path}/choose/{index}"
        if held is None or "sequence" not in option:
            reader.wrong(at, "a choice needs 'conditions' and 'sequence'")
            continue
        branches.append(
            Branch(
                conditions=conditions(reader, held[1], held[2], f"{inner}/conditions"), path=f"{inner}/sequence",
                steps=steps(reader, option["sequence"], option.values_at["sequence"], f"{inner}/sequence"),
            )
        )  # fmt: skip
    at, other = source.values_at.get("default", source.place), source.get("default")
    return ChooseStep(
        **_shared(reader, source, path), branches=tuple(branches), default_path=f"{path}/default",
        default=steps(reader, other, at, f"{path}/default"),
    )  # fmt: skip


def _wait_template(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a wait_template", _STEP | {"wait_template", "timeout", "continue_on_timeout"})
    template = reader.template(source["wait_template"], source.values_at["wait_template"])
    return WaitStep(**_shared(reader, source, path), template=template, **_late(reader, source))


def _wait_for_trigger(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a wait_for_trigger", _STEP | {"wait_for_trigger", "timeout", "continue_on_timeout"})
    awaited = triggers(reader, source["wait_for_trigger"], source.values_at["wait_for_trigger"], f"{path}/trigger")
    if not awaited:
        reader.wrong(source.values_at["wait_for_trigger"], "there is no trigger to wait for")
    return WaitStep(**_shared(reader, source, path), triggers=awaited, **_late(reader, source))


def _late(reader: Reader, source: Map) -> dict[str, Any]:
    timeout = reader.duration(source, "timeout")
    return {"timeout": timeout, "go_on_late": reader.flag(source, "continue_on_timeout", True)}


def _repeat(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a repeat", _STEP | {"repeat"})
    loop = reader.mapping(source["repeat"], source.values_at["repeat"], "'repeat'")
    if loop is None:
        return None
    reader.known(loop, "a repeat", {"count", "while", "until", "for_each", "sequence"})
    kinds = [kind for kind in ("count", "while", "until", "for_each") if kind in loop]
    if len(kinds) != 1 or "sequence" not in loop:
        reader.wrong(loop.place, "a repeat needs 'sequence' and one of 'count', 'while', 'until' and 'for_each'")
        return None
    kind, body = kinds[0], f"{path}/repeat/sequence"
    value, at = loop[kind], loop.values_at[kind]
    held = conditions(reader, value, at, f"{path}/repeat/{kind}") if kind in ("while", "until") else None
    if kind == "count" and not is_template(value) and as_number(value) is None:
        reader.wrong(at, f"'count' must be a whole number, not {kind_of(value)}")
    return RepeatStep(
        **_shared(reader, source, path), body=body,
        steps=steps(reader, loop["sequence"], loop.values_at["sequence"], body),
        count=reader.data(value, at) if kind == "count" else None,
        items=reader.data(value, at) if kind == "for_each" else None,
        before=held if kind == "while" else None, after=held if kind == "until" else None,
    )  # fmt: skip


def _sequence(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a sequence", _STEP | {"sequence"})
    body = f"{path}/sequence"
    inner = steps(reader, source["sequence"], source.values_at["sequence"], body)
    return SequenceStep(**_shared(reader, source, path), steps=inner, body=body)


def _parallel(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a parallel", _STEP | {"parallel"})
    branches = []
    for index, (value, at) in enumerate(reader.items(source["parallel"], source.values_at["parallel"])):
        body = f"{path}/parallel/{index}/sequence"
        if isinstance(value, Map) and "sequence" in value and value.keys() <= {"sequence", "alias"}:
            value, at = value["sequence"], value.values_at["sequence"]
        inner = steps(reader, value, at, body)
        branches.append(SequenceStep(path=f"{path}/parallel/{index}", place=at, steps=inner, body=body))
    return ParallelStep(**_shared(reader, source, path), branches=tuple(branches))


def _scene(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a scene step", _STEP | {"scene", "metadata"})
    names = reader.entities(source, "scene")
    return ActionStep(**_shared(reader, source, path), action="scene.turn_on", targets=names)


def escalate(reader: Reader, source: Map, path: str) -> Step | None:
    """``escalate: [{sequence, within}, …]`` with ``until``: each level, until somebody acknowledged. It is written
    down as waits inside choices, so it runs, survives and is traced as those."""
    reader.known(source, "an escalate", _STEP | {"escalate", "until"})
    until = reader.template(source.get("until"), source.values_at.get("until", source.place))
    levels = [_level(reader, value, at) for value, at in reader.items(source["escalate"], source.values_at["escalate"])]
    if until is None or None in levels or not levels:
        return None
    following: tuple[Step, ...] = ()
    for number in range(len(levels) - 1, -1, -1):
        level, inner = cast(Map, levels[number]), f"{path}/escalate/{number}/sequence"
        done = steps(reader, level["sequence"], level.values_at["sequence"], inner)
        within = reader.duration(level, "within")
        wait = WaitStep(path=f"{path}/escalate/{number}/until", template=until, timeout=within)
        held = TemplateCondition(path=f"{path}/escalate/{number}/late", template=until)
        late = GroupCondition(path=held.path, kind="not", conditions=(held,))
        branch = Branch(conditions=(late,), steps=following, path=f"{path}/escalate/{number + 1}")
        rest = ChooseStep(path=f"{path}/escalate/{number}/next", branches=(branch,)) if following else None
        following = (*done, wait, *((rest,) if rest else ()))
    return SequenceStep(**_shared(reader, source, path), steps=following, body=f"{path}/escalate")


def _level(reader: Reader, value: Any, at: Place) -> Map | None:
    level = reader.mapping(value, at, "a level of an escalation")
    if level is None:
        return None
    reader.known(level, "a level of an escalation", {"sequence", "within", "alias"})
    if "sequence" not in level or "within" not in level:
        reader.wrong(at, "a level needs 'sequence' (what is done) and 'within' (how long it is waited)")
        return None
    return level


def _device(reader: Reader, source: Map, path: str) -> Step | None:
    """A step, or a condition as one, on a device of Home Assistant's registry: there is none here."""
    if not reader.lenient:
        reader.wrong(source.place, "there are no devices here; name the entity: action: light.turn_on, target: …")
        return None
    return ActionStep(**_shared(reader, source, path), action=f"{source.get('domain')}.device")


def _set_response(reader: Reader, source: Map, path: str) -> Step | None:
    """What a voice assistant answers; the hub has none, so it is a note in the trace."""
    data = {"message": reader.data(source["set_conversation_response"], source.place)}
    return ActionStep(**_shared(reader, source, path), action="logbook.log", data=data)


_OLD = ("service", "service_template", "device_id", "set_conversation_response")
_FOREIGN_TARGETS = ("device_id", "label_id", "floor_id")
_ACTION = _STEP | {
    "action", "service", "service_template", "target", "entity_id", "area_id", "data", "data_template",
    "response_variable", "metadata",
}  # fmt: skip
_STEPS: Mapping[str, Callable[[Reader, Map, str], Step | None]] = {
    "action": _action, "service": _action, "service_template": _action, "delay": _delay, "choose": _choose, "if": _if,
    "repeat": _repeat, "parallel": _parallel, "wait_template": _wait_template, "wait_for_trigger": _wait_for_trigger,
    "variables": _variables, "event": _event, "stop": _stop, "scene": _scene, "escalate": escalate,
    "condition": _condition_step, "device_id": _device, "set_conversation_response": _set_response,
    "sequence": _sequence,
}  # fmt: skip
KINDS = tuple(key for key in _STEPS if key not in _OLD)
