"""Actions as declarations: a typed method of a capability, or a plugin's own, named ``domain.verb``."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from hub.core.access import Actor
from hub.core.error import HubError, InvalidInput, NotFound
from hub.core.event import explain
from hub.core.state import EntityState
from hub.core.text import Text

DEFAULT_TIMEOUT_S = 10.0
CONFIRM_WITHIN_S = 60.0
TRIES = 5
RETRY_WITHIN_S = 900.0

_MARK = "__hub_action__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and for how many seconds after it was asked for, an owed call is tried; ``tries=1``: never again."""

    tries: int = TRIES
    within: float = RETRY_WITHIN_S


DEFAULT_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action. ``target`` says whether it acts on an entity (then of ``capability``) or on the plugin itself.

    ``idempotent``: doing it twice is doing it once, so it may be sent again after a crash, and as ``retry`` says while
    the device is away. ``dangerous``: a person with the right ``right`` confirms each call within 60 s, after which it
    is not sent. ``timeout``: seconds until it counts as failed.
    ``private``: neither parameters nor answer are written down anywhere; that it was done, and by whom, is.
    """

    name: str
    title: Text
    right: str
    params: type[BaseModel]
    capability: str | None = None
    idempotent: bool = False
    dangerous: bool = False
    timeout: float = DEFAULT_TIMEOUT_S
    private: bool = False
    retry: Retry = DEFAULT_RETRY

    @property
    def target(self) -> bool:
        """Does it act on an entity?"""
        return self.capability is not None

    @property
    def verb(self) -> str:
        """The method's name: ``turn_on`` of ``light.turn_on``."""
        return self.name.partition(".")[2]

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters in canonical JSON form; ``InvalidInput`` names each wrong one."""
        try:
            return self.params.model_validate(params).model_dump(mode="json")
        except ValidationError as wrong:
            raise InvalidInput(explain(wrong), where=self.name, hint="see docs/reference/actions.md") from None

    def as_data(self) -> dict[str, Any]:
        """JSON form for the API and the editor, with the JSON Schema of the parameters."""
        return {
            "name": self.name, "title": self.title.as_data(), "right": self.right, "capability": self.capability,
            "idempotent": self.idempotent, "dangerous": self.dangerous, "timeout": self.timeout,
            "params": self.params.model_json_schema(),
        }  # fmt: skip


def action(
    th: str,
    en: str,
    *,
    right: str | None = None,
    idempotent: bool = False,
    dangerous: bool = False,
    timeout: float = DEFAULT_TIMEOUT_S,
    retry: Retry = DEFAULT_RETRY,
) -> Callable[[F], F]:
    """Marks a method of a capability Protocol as an action; its signature becomes the parameters."""

    def mark(method: F) -> F:
        setattr(method, _MARK, (Text(th, en), right, idempotent, dangerous, timeout, retry))
        return method

    return mark


def actions_of(capability: type, domain: str) -> dict[str, ActionSpec]:
    """The actions a capability Protocol declares, by full name."""
    specs: dict[str, ActionSpec] = {}
    for verb, method in vars(capability).items():
        if (marked := getattr(method, _MARK, None)) is not None:
            title, right, idempotent, dangerous, timeout, retry = marked
            name = f"{domain}.{verb.rstrip('_')}"  # return_ stands for the verb return, a word Python keeps
            params, needed = params_of(method, name), right or f"{domain}.control"
            specs[name] = ActionSpec(
                name, title, needed, params, domain, idempotent, dangerous, timeout, retry=retry
            )  # fmt: skip
    return specs


def params_of(method: Callable[..., Any], name: str) -> type[BaseModel]:
    """A model of a function's parameters (without ``self``), from its signature."""
    hints = get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {}
    for key, parameter in inspect.signature(method).parameters.items():
        if key == "self":
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[key] = (hints[key], default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def spec_from_table(table: Mapping[str, Any], params: type[BaseModel]) -> ActionSpec:
    """A plugin's own action from an ``[[actions]]`` table of ``plugin.toml`` and its parameters' model."""
    return ActionSpec(
        name=table["name"],
        title=Text(**table["title"]),
        right=table["right"],
        params=params,
        idempotent=table.get("idempotent", False),
        dangerous=table.get("dangerous", False),
        timeout=table.get("timeout_s", DEFAULT_TIMEOUT_S),
        private=table.get("private", False),
    )


MAX_TOLD = 2_000  # characters of one parameter in the record of a call


def told(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for the record of a call: a file stands there by its size and SHA-256."""
    return {key: _short(value) for key, value in params.items()}


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MAX_TOLD:
        return value
    return f"({len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()})"


class Request(NamedTuple):
    """What is asked: ``key`` makes it idempotent (``run:step-path:iteration:target`` for automations)."""

    action: str
    params: Mapping[str, Any]
    actor: Actor
    target: str | None = None
    cause: str | None = None
    depth: int = 0
    key: str | None = None


def check_target(spec: ActionSpec, request: Request, entity: EntityState | None) -> None:
    """``entity`` is the one that is named, if it exists. ``InvalidInput`` or ``NotFound`` when it cannot do that."""
    if not spec.target:
        if request.target is not None:
            raise InvalidInput("this action takes no target", where=spec.name)
        return
    if request.target is None:
        raise InvalidInput("no target was given", where=spec.name, hint=f"name a {spec.capability} entity")
    if entity is None:
        raise NotFound(f"no entity {request.target!r}", where=spec.name)
    if spec.capability not in (entity.attributes.get("capabilities") or ()):
        raise InvalidInput(f"{request.target} is no {spec.capability}", where=spec.name)


class Call(NamedTuple):
    """What a device is asked to do. ``key`` is the same when the same call is sent again."""

    action: str
    target: str | None
    params: Mapping[str, Any]
    key: str
    actor: str
    cause: str | None
    depth: int = 0


class Outcome(NamedTuple):
    """How a call ended. ``status``: done, failed, timed_out, unknown, refused, expired, or confirming."""

    key: str
    status: str
    result: Any = None
    error: Mapping[str, Any] | None = None
    ms: float = 0.0
    confirmation: str | None = None

    @property
    def final(self) -> bool:
        """Is there nothing more to come?"""
        return self.status != "confirming"

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "key": self.key, "status": self.status, "result": self.result, "error": self.error, "ms": self.ms,
            "confirmation": self.confirmation,
        }  # fmt: skip

    @classmethod
    def failed(cls, key: str, status: str, error: HubError, ms: float = 0.0) -> Outcome:
        """An outcome with its error."""
        return cls(key, status, None, error.as_data(), ms)
