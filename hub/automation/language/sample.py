"""A blueprint by itself: its blanks filled with values of the kinds that its selectors name, to be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.language.blueprint import declared_inputs, filled_body
from hub.automation.language.reader import Reader
from hub.automation.language.source import Map, placed
from hub.core.error import Mistake

# For an input that does not say what it takes (a text may be an action's name), whichever of these fits best.
_GUESSES: tuple[Any, ...] = (
    "sensor.any", "light.turn_on", 1, "00:01:00", "on", "any", True, [], {"minutes": 1}, {"entity_id": "light.any"},
)  # fmt: skip
_OPEN = (None, "text")
MAX_GUESSED = 40
Check = Callable[[Map], list[Mistake]]


def check_blueprint(reader: Reader, body: Map, check: Check) -> list[Mistake]:
    """All mistakes of a blueprint. ``check`` reads one automation or script."""
    inputs = declared_inputs(reader, body["blueprint"])
    if inputs is None or reader.mistakes:
        return reader.mistakes
    values = {name: _sample(spec) for name, spec in inputs.items()}
    open_ = [name for name, spec in inputs.items() if "default" not in spec and _selector(spec) in _OPEN][:MAX_GUESSED]

    def mistakes() -> list[Mistake]:
        own = Reader(reader.templates, reader.what, lenient=reader.lenient)
        at = body.place
        made = filled_body(own, body, {name: (placed(value, at), at) for name, value in values.items()})
        return own.mistakes or check(made)

    found = mistakes()
    for name in open_:
        if not found:
            break
        best = values[name]
        for guess in _GUESSES:
            values[name] = guess
            if len(tried := mistakes()) < len(found):
                best, found = guess, tried
        values[name] = best
    return found


def _selector(spec: Map) -> str | None:
    selector = spec.get("selector")
    return next(iter(selector), None) if isinstance(selector, Mapping) else None


def _sample(spec: Map) -> Any:
    """The default, or a value of the kind that the selector names."""
    if spec.get("default") is not None:
        return spec["default"]
    kind = _selector(spec)
    about = spec["selector"].get(kind) or {} if kind else {}
    about = about if isinstance(about, Mapping) else {}
    if kind == "entity":
        one = f"{_domain(about)}.any"
        return [one] if about.get("multiple") else one
    if kind == "number":
        return about.get("min", 1)
    if kind == "select":
        options = about.get("options") or ["any"]
        first = options[0].get("value") if isinstance(options[0], Mapping) else options[0]
        return [first] if about.get("multiple") else first
    plain: dict[str | None, Any] = {
        "target": {"entity_id": "light.any"}, "boolean": True, "text": "any", "template": "{{ true }}",
        "time": "12:00:00", "date": "2024-01-01", "datetime": "2024-01-01 12:00:00", "duration": {"minutes": 1},
        "action": [{"delay": 1}], "condition": [{"condition": "template", "value_template": "{{ true }}"}],
        "trigger": [{"trigger": "event", "event_type": "any"}], "device": "any", "area": "any", "floor": "any",
        "label": "any", "addon": "any", "icon": "mdi:any", "theme": "any", "object": {}, "attribute": "any",
        "state": "on", "color_temp": 300, "color_rgb": [1, 2, 3], "media": {}, "location": {}, "constant": True,
        "conversation_agent": "any", "assist_pipeline": "any", "language": "th", "backup_location": "any",
        "config_entry": "any", "country": "TH", "file": "any", "qr_code": "any", "statistic": "sensor.any",
        "trigger_id": "any",
    }  # fmt: skip
    return plain.get(kind, "sensor.any")


def _domain(about: Mapping[str, Any]) -> str:
    domain = about.get("domain")
    rules = about.get("filter")
    for rule in rules if isinstance(rules, list) else [rules]:
        if domain is None and isinstance(rule, Mapping):
            domain = rule.get("domain")
    if isinstance(domain, list):
        domain = domain[0] if domain else None
    return str(domain or "sensor")

