"""What pydantic finds wrong with a piece of configuration, as data that travels from a child process, and as mistakes
at the line where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from pydantic import BaseModel, ValidationError

from hub.core.error import Mistake
from hub.host.loading import WRONG, Places, did_you_mean


class Problem(TypedDict):
    """One finding: the way to the field, words, and whether its key (not its value) is meant."""

    loc: list[str | int]
    words: str
    key: bool


def problems(model: type[BaseModel], values: Mapping[str, Any], beside: str = "") -> list[Problem]:
    """What is wrong with ``values`` for ``model``; empty when nothing is. ``beside``: folder of its relative paths."""
    try:
        model.model_validate(values, context={"beside": beside})
    except ValidationError as wrong:
        return [_problem(model, dict(error)) for error in wrong.errors(include_url=False, include_input=False)]
    return []


def _problem(model: type[BaseModel], error: dict[str, Any]) -> Problem:
    loc, kind = list(error["loc"]), error["type"]
    name = ".".join(map(str, loc)) or "value"
    if kind == "missing":
        what = repr(loc[-1]) if isinstance(loc[-1], str) else f"item {loc[-1] + 1}"
        return {"loc": loc[:-1], "words": f"{what} is missing", "key": False}
    if kind == "extra_forbidden":
        near = did_you_mean(str(loc[-1]), _fields(model, loc[:-1]))
        return {"loc": loc, "words": f"unknown field {loc[-1]!r}{near}", "key": True}
    words = str(error["msg"]).removeprefix("Value error, ")
    return {"loc": loc, "words": f"{name}: {words[:1].lower()}{words[1:]}", "key": False}


def _fields(model: Any, loc: Iterable[str | int]) -> list[str]:
    """The names a nested model knows, as far as the way can be followed."""
    for step in loc:
        if isinstance(step, int):
            continue
        info = getattr(model, "model_fields", {}).get(step)
        if info is None:
            return []
        model = _inner(info.annotation)
    return list(getattr(model, "model_fields", {}))


def _inner(annotation: Any) -> Any:
    """The model inside ``list[M]`` or ``M | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for arg in getattr(annotation, "__args__", ()) if (inner := _inner(arg)) is not None), None)


def mistakes(found: Iterable[Problem], places: Places) -> list[Mistake]:
    """The findings at their places."""
    return [places.of(problem["loc"], problem["key"]).mistake(problem["words"]) for problem in found]


def has_wrong(value: Any) -> bool:
    """Is a part of the value missing because of a mistake that was told already?"""
    if value is WRONG:
        return True
    if isinstance(value, dict):
        return any(has_wrong(item) for item in value.values())
    return isinstance(value, list) and any(has_wrong(item) for item in value)


def without_wrong(value: Any) -> Any:
    """The value without those parts, so that the rest can still be checked."""
    if isinstance(value, dict):
        return {key: without_wrong(item) for key, item in value.items() if item is not WRONG}
    return [without_wrong(item) for item in value if item is not WRONG] if isinstance(value, list) else value
