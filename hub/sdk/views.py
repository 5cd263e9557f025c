"""Views: cards and pages a plugin declares in ``plugin.toml``, from a closed vocabulary, so that a plugin dropped in
today has a page in a screen that was built before it existed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ViewKind = Literal["table", "form", "map", "timeline", "picture", "chart", "actions", "video"]


class Words(BaseModel):
    """A phrase in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    th: str = Field(max_length=200)
    en: str = Field(max_length=200)


class Column(BaseModel):
    """A column of a table: an attribute of the entity, or ``state``, ``name``, ``updated``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    field: str
    title: Words
    format: Literal["text", "number", "percent", "age", "time", "entity"] = "text"


class View(BaseModel):
    """One card. ``domain`` or ``event_type`` says what it shows; ``action`` what a form or button does.

    table, map, picture, video: entities of ``domain``. timeline, chart: events of ``event_type``.
    form: the parameters of ``action``. actions: buttons for the actions of the entities of ``domain``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: ViewKind
    title: Words
    domain: str | None = None
    event_type: str | None = None
    action: str | None = None
    columns: list[Column] = []
    right: str = "state.read"
