"""Asks for every action an instance serves, with parameters made from their JSON Schema, and times the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.core.action import ActionSpec, Outcome
from hub.core.error import HubError
from hub.testing.harness import Harness

GRACE_S = 1.0


@dataclass(frozen=True)
class Answer:
    """How a call ended: an outcome's status or an error's code. ``late`` says so in words."""

    action: str
    status: str
    late: str = ""


async def ask_all(hub: Harness, params: Mapping[str, Mapping[str, Any]], limit: float | None) -> list[Answer]:
    """Each of the plugin's own actions, and each capability action of each of its entities, one after another.

    ``limit``: seconds, instead of longer limits of the actions.
    """
    return [await _ask(hub, spec, target, params, limit) for spec, target in _served(hub)]


def _served(hub: Harness) -> list[tuple[ActionSpec, str | None]]:
    claims = hub.app.host.claims
    found = hub.supervised.found
    own = {table.name for table in found.manifest.actions} if found is not None else set()
    served: list[tuple[ActionSpec, str | None]] = []
    for spec in hub.app.actions.specs():
        if spec.name in own:
            served.append((spec, None))
        for one in hub.entities():
            if spec.capability in (one.attributes.get("capabilities") or ()) and claims.holds("entity", one.entity):
                served.append((spec, one.entity))
    return served


async def _ask(
    hub: Harness, spec: ActionSpec, target: str | None, params: Mapping[str, Mapping[str, Any]], limit: float | None
) -> Answer:
    if limit is not None and limit < spec.timeout:
        spec = replace(spec, timeout=limit)
        hub.app.actions.declare({spec.name: spec})
    given = params.get(spec.name) or sample(spec.params.model_json_schema())
    name = f"{spec.name} of {target}" if target else spec.name
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(spec.timeout + GRACE_S):
            status = (await _outcome(hub, spec, target, given)).status
    except HubError as refused:
        status = refused.code
    except TimeoutError:
        status = "late"
    # longer too when it kept the loop from turning, so that nobody could end it
    if status == "late" or loop.time() - begun > spec.timeout + GRACE_S:
        return Answer(name, "late", f"it had not ended {GRACE_S:g} s after its limit of {spec.timeout:g} s")
    return Answer(name, status)


async def _outcome(hub: Harness, spec: ActionSpec, target: str | None, given: Mapping[str, Any]) -> Outcome:
    outcome = await hub.call(spec.name, target, given)
    return outcome if outcome.final else await hub.confirm(outcome)


def sample(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The required fields of an object's JSON Schema (2020-12), with the plainest values that fit."""
    parts = schema.get("$defs", {})
    return {name: _value(schema["properties"][name], parts) for name in schema.get("required", ())}


def _value(part: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    if "$ref" in part:
        part = parts[part["$ref"].rpartition("/")[2]]
    if "anyOf" in part:
        return _value(part["anyOf"][0], parts)
    for key in ("default", "const"):
        if key in part:
            return part[key]
    if "enum" in part:
        return part["enum"][0]
    return _plain(part, parts)


def _plain(part: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    kind = part.get("type")
    if kind == "string":
        return "x" * max(1, part.get("minLength", 1))
    if kind in ("integer", "number"):
        return part.get("minimum", part.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if kind == "array":
        return [_value(part.get("items") or {}, parts) for _ in range(part.get("minItems", 0))]
    return sample({**part, "$defs": parts}) if kind == "object" else None
