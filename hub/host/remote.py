"""What crosses between the hub and a child: entities, queries, web requests and models, as JSON data and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, create_model

from hub.core.action import Call
from hub.core.entity import Entity
from hub.core.error import HubError, InvalidInput
from hub.core.event import MAX_DEPTH
from hub.core.journal import Query
from hub.core.text import Text
from hub.host.scope import Chain
from hub.sdk.context import VideoSource, WebRequest, WebResponse


def entity_data(entity: Entity) -> dict[str, Any]:
    """An entity as JSON data."""
    return {**asdict(entity), "attributes": dict(entity.attributes)}


def entity_of(data: Mapping[str, Any]) -> Entity:
    """The entity that ``entity_data`` described; ``InvalidInput`` when it is none."""
    try:
        position = data["position"]
        fields = {
            **data, "name": Text(**data["name"]), "capabilities": tuple(data["capabilities"]),
            "position": (float(position[0]), float(position[1])) if position else None,
        }  # fmt: skip
        return Entity(**fields)
    except (KeyError, TypeError, ValueError, IndexError) as wrong:
        raise InvalidInput(f"not an entity: {wrong}", where="entity") from None


def query_data(query: Query) -> dict[str, Any]:
    """A query as JSON data."""
    return {**asdict(query), "match": dict(query.match)}


def source_of(data: Mapping[str, Any]) -> VideoSource:
    """The video source that ``asdict`` described."""
    return VideoSource(**{**data, "analyse": tuple(data["analyse"])})


def call_data(call: Call) -> dict[str, Any]:
    """A call as JSON data."""
    return {**call._asdict(), "params": dict(call.params)}


def chain_data(chain: Chain) -> dict[str, Any]:
    """Why something is done, as JSON data."""
    return asdict(chain)


def chain_of(data: Mapping[str, Any]) -> Chain:
    """The chain a child names; its depths are held within the limit."""
    cause = data.get("cause")
    emits, calls = (max(0, min(int(data.get(name) or 0), MAX_DEPTH + 1)) for name in ("emits", "calls"))
    return Chain(cause if isinstance(cause, str) else None, emits, calls)


def request_data(request: WebRequest) -> dict[str, Any]:
    """A web request without its body."""
    return {
        "method": request.method, "path": request.path, "query": dict(request.query),
        "headers": dict(request.headers), "remote": request.remote, "actor": request.actor,
    }  # fmt: skip


def response_of(data: Mapping[str, Any], body: bytes) -> WebResponse:
    """The answer a child gave."""
    return WebResponse(int(data["status"]), body, str(data["content_type"]), dict(data["headers"]))


def packed(value: Any) -> bytes:
    """JSON data for the blob of a frame, which may be larger than a header."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def said(fault: BaseException, words: str) -> HubError:
    """A plugin's fault as an error that may travel: a ``HubError`` as it is, others in words with file and line."""
    return fault if isinstance(fault, HubError) else HubError(words)


class RemoteParams(BaseModel):
    """Parameters of an action whose handler lives in a child: checked here by shape, there by the signature."""

    model_config = ConfigDict(extra="forbid")
    told: ClassVar[dict[str, Any]] = {}

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The schema as the child told it."""
        return dict(cls.told)


_TYPES: Mapping[str, Any] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list[Any], "object": dict[str, Any],
    "null": None,
}  # fmt: skip
_LIMITS = {
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt", "minLength": "min_length",
    "maxLength": "max_length", "pattern": "pattern",
}  # fmt: skip


def model_of(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """A model from a JSON Schema of an object (JSON Schema 2020-12, the part pydantic writes for plain types)."""
    required = set(schema.get("required", ()))
    fields: dict[str, Any] = {}
    for key, part in dict(schema.get("properties", {})).items():
        default = ... if key in required else part.get("default")
        fields[str(key)] = (_annotation(part), default)
    model = create_model(name, __base__=RemoteParams, **fields)
    model.told = dict(schema)
    return model


def _annotation(part: Mapping[str, Any]) -> Any:
    if part.get("enum"):
        return Literal[tuple(part["enum"])]
    if "anyOf" in part:
        made = [_annotation(choice) for choice in part["anyOf"]]
        annotation = made[0]
        for other in made[1:]:
            annotation = annotation | other if annotation is not Any and other is not Any else Any
        return annotation
    kind = _TYPES.get(str(part.get("type")), Any)
    limits = {_LIMITS[word]: value for word, value in part.items() if word in _LIMITS}
    return Annotated[kind, Field(**limits)] if limits else kind
