"""A settings model as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_PLAIN = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "map"}
_LIMITS = (
    ("minimum", "≥ {}"), ("exclusiveMinimum", "> {}"), ("maximum", "≤ {}"), ("exclusiveMaximum", "< {}"),
    ("minLength", "at least {} characters"), ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"), ("maxItems", "at most {}"), ("pattern", "`{}`"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One field. ``name`` is the way to it, as in ``cameras[].url``; ``default`` is empty when it must be given."""

    name: str
    type: str
    default: str
    words: str
    owner: str  # the model that declares it


def field_rows(model: type[BaseModel], words: Mapping[str, str] | None = None) -> list[Row]:
    """All fields with those of nested models. ``words`` explains ``Model.field`` where the field itself does not."""
    schema = model.model_json_schema()
    return list(_rows(schema, schema.get("$defs", {}), "", model.__name__, words or {}))


def _rows(
    schema: Mapping[str, Any], parts: Mapping[str, Any], prefix: str, owner: str, words: Mapping[str, str]
) -> Iterator[Row]:
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        said = part.get("description") if "$ref" not in part else part.get("description", "")
        explained = words.get(f"{owner}.{name}") or said or ""
        default = "" if name in needed else shown(part.get("default"))
        yield Row(f"{prefix}{name}", type_of(part, parts), default, explained, owner)
        for inner, mark in _inner(part, parts):
            yield from _rows(parts[inner], parts, f"{prefix}{name}{mark}.", inner, words)


def _inner(part: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The nested models of a field, and what stands between its name and theirs."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if "properties" in parts[name]:
            yield name, ""
    for choice in (*part.get("anyOf", ()), *part.get("allOf", ())):
        yield from _inner(choice, parts)
    if isinstance(part.get("items"), dict):
        for name, mark in _inner(part["items"], parts):
            yield name, f"[]{mark}"
    if isinstance(part.get("additionalProperties"), dict):
        for name, mark in _inner(part["additionalProperties"], parts):
            yield name, f".NAME{mark}"


def type_of(part: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """The type of a JSON Schema part (2020-12, as pydantic writes it) in words."""
    if "$ref" in part:
        target = parts[part["$ref"].rpartition("/")[2]]
        return "map" if "properties" in target else type_of(target, parts)
    if "anyOf" in part:
        kinds = [type_of(choice, parts) for choice in part["anyOf"] if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in part or "const" in part:
        return "one of " + ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return _list(part, parts)
    kind = _PLAIN.get(str(part.get("type")), "anything")
    if part.get("writeOnly"):
        kind = "secret text"
    elif part.get("format") in ("date", "time", "date-time"):
        kind = str(part["format"])
    return " ".join([kind, *_limits(part)])


def _list(part: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    if "prefixItems" in part:
        return "[" + ", ".join(type_of(item, parts) for item in part["prefixItems"]) + "]"
    inner = type_of(part["items"], parts) if part.get("items") else "anything"
    return " ".join([f"list of {inner}", *(f"({limit} of them)" for limit in _limits(part))])


def _limits(part: Mapping[str, Any]) -> list[str]:
    return [words.format(part[key]) for key, words in _LIMITS if key in part]


def shown(value: Any) -> str:
    """A default as it is written in YAML."""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table in lines."""
    head = list(head)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings_table(rows: Iterable[Row]) -> list[str]:
    """Fields as a Markdown table."""
    made = [(f"`{row.name}`", row.type, row.default or "must be given", row.words) for row in rows]
    return table(("field", "type", "default", "what"), made)
