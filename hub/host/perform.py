"""From an action to the method that does it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from hub.capabilities import CAPABILITIES
from hub.core.action import ActionSpec, Call, actions_of
from hub.core.entity import Entity
from hub.core.error import ActionFailed, HubError, InvalidInput, NotFound, Unavailable
from hub.host.loading import did_you_mean
from hub.host.scope import Chain, Tasks, plugin_side
from hub.host.text import plain
from hub.sdk.context import _current_call

Executor = Callable[[Call], Awaitable[Any]]

def method_of(device: object, verb: str) -> Callable[..., Awaitable[Any]] | None:
    """The device's method for a verb; ``return_`` serves ``return``, a word Python keeps."""
    found: Any = getattr(device, verb, None) or getattr(device, f"{verb}_", None)
    return found if callable(found) else None


def check_device(entity: Entity, device: object | None) -> None:
    """``InvalidInput`` when a capability is unknown or the device lacks one of its methods."""
    for name in entity.capabilities:
        capability = CAPABILITIES.get(name)
        if capability is None:
            near = did_you_mean(name, CAPABILITIES)
            raise InvalidInput(f"no capability {name!r}{near}", where=entity.id, hint="see docs/reference/actions.md")
        for spec in actions_of(capability, name).values() if device is not None else ():
            if not inspect.iscoroutinefunction(method_of(device, spec.verb)):
                words = f"{type(device).__name__} has no async method {spec.verb}, which {name} needs"
                raise InvalidInput(words, where=entity.id)


def typed_by(model: type[BaseModel], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the signature's types."""
    made = model.model_validate(params)
    return {name: getattr(made, name) for name in model.model_fields}


def device_params(action: str) -> type[BaseModel]:
    """The parameters of a capability's action."""
    domain = action.partition(".")[0]
    capability = CAPABILITIES.get(domain)
    found = actions_of(capability, domain).get(action) if capability is not None else None
    if found is None:
        raise NotFound(f"no action {action!r}", where=action)
    return found.params


def as_json(result: Any, where: str) -> Any:
    """What an action answered, as JSON data; ``ActionFailed`` when it is none."""
    try:
        return orjson.loads(orjson.dumps(result))
    except TypeError:
        raise ActionFailed(f"the answer is no JSON data: {type(result).__name__}", where=where) from None


async def perform(tasks: Tasks, call: Call, method: Callable[..., Awaitable[Any]], params: dict[str, Any]) -> Any:
    """Run an action's body as the plugin's code, with its cause."""
    token = _current_call.set(call)
    try:
        with plugin_side(tasks, Chain.of_call(call)):
            return as_json(await method(**params), call.target or call.action)
    except HubError as refused:  # its words are written down with the outcome
        refused.message, refused.where, refused.hint = map(plain, (refused.message, refused.where, refused.hint))
        raise
    except Exception as fault:
        if (words := plain(str(fault))) != str(fault):
            raise ActionFailed(f"{type(fault).__name__}: {words}", where=call.target or call.action) from fault
        raise
    finally:
        _current_call.reset(token)


def device_executor(tasks: Tasks, spec_of: Callable[[str], ActionSpec], entity: str, device: object) -> Executor:
    """Serves the capability actions of one entity."""

    async def execute(call: Call) -> Any:
        spec = spec_of(call.action)
        method = method_of(device, spec.verb)
        if method is None:
            raise Unavailable(f"{entity} does not do {call.action}", where=entity)
        return await perform(tasks, call, method, typed_by(spec.params, call.params))

    return execute


def own_executor(tasks: Tasks, spec: ActionSpec, handler: Callable[..., Awaitable[Any]]) -> Executor:
    """Serves an action of the plugin itself."""

    async def execute(call: Call) -> Any:
        return await perform(tasks, call, handler, typed_by(spec.params, call.params))

    return execute
