"""Views: cards and pages a plugin declares in ``plugin.toml``, from a closed vocabulary, so that a plugin dropped in
today has a page in a screen that was built before it existed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ViewKind = Literal["table", "form", "map", "timeline", "picture", "chart", "actions", "video", "link"]
Format = Literal[
    "text", "number", "percent", "age", "time", "duration", "entity", "words", "list", "bool", "interval",
]  # fmt: skip
Section = Literal["cases", "cameras", "streets", "patrol", "people", "station", "technical"]
"""Where in the menu of pages a plugin stands."""


class Words(BaseModel):
    """A phrase in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    th: str = Field(max_length=200)
    en: str = Field(max_length=200)


class Column(BaseModel):
    """A column of a table: an attribute of the entity, or ``state``, ``name``, ``updated``. Of a chart: a numeric
    field of the event's data.

    ``percent``: 0 to 100. ``age``, ``time``: seconds since 1970 UTC. ``duration``: seconds. ``entity``: an entity id or
    a list of them. ``words``: ``{th, en}``. ``list``: its items. ``interval``: ``{low, estimate, high, mark}``, each 0
    to 100, drawn with its mark and the verdict in words: met when ``low`` reaches the mark, not met when ``high`` stays
    below it, else it cannot be told; ``verdict`` (``met``, ``not_met``, ``cannot_tell``) says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    field: str
    title: Words
    format: Format = "text"


class View(BaseModel):
    """One card. ``domain`` or ``event_type`` says what it shows; ``action`` what a form or button does.

    table, map, picture, video: entities of ``domain``. timeline: events of ``event_type``. chart: how many there were,
    or the numbers in ``columns``. form: the parameters of ``action``. actions: buttons for the actions of the entities
    of ``domain``. link: opens ``path``, a staff route of the instance.

    A form is made from the parameters' JSON Schema. Besides its own words a parameter may say, with
    ``Field(json_schema_extra={...})``: ``words`` (its label, ``{th, en}``), ``option_words`` (``{choice: {th, en}}``),
    ``entity`` (the domain whose entities it names; a parameter named like a domain does so by itself),
    ``contentMediaType`` (a text file) or ``contentEncoding: base64`` (any file). A float named ``…_at``, ``until`` or
    ``since`` is seconds since 1970 and is chosen from a calendar. Files: about 700 kB.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: ViewKind
    title: Words
    domain: str | None = None
    event_type: str | None = None
    action: str | None = None
    path: str | None = Field(None, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")
    columns: list[Column] = []
    actions: list[str] | None = None
    empty: Words | None = None
    right: str = "state.read"
