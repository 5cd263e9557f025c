"""The editor: operators' files with their versions, what may be named, blueprints, and what a draft would have done."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from hub.access.audit import Ledger
from hub.automation.check import Catalogue
from hub.automation.gallery import Gallery
from hub.automation.language.parse_conditions import KINDS as CONDITIONS
from hub.automation.language.parse_steps import KINDS as STEPS
from hub.automation.language.parse_triggers import KINDS as TRIGGERS
from hub.automation.library import Library, Taken, places
from hub.core.access import Actor
from hub.core.action import ActionSpec
from hub.core.error import ConfigError, InvalidInput, Unavailable
from hub.core.event import EventType
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.web.api_automations import MAX_TEXT, Rows
from hub.web.guard import json_answer
from hub.web.mask import Mask
from hub.web.route import Ask, Body, Handler, NoBody, Route

MAX_ENTITIES = 5_000
MAX_INPUTS = 200


class ShadowEngine(Protocol):
    """What the editor needs of the automation engine."""

    def list(self) -> Rows:
        """One row an automation."""

    def set_shadow(self, automation_id: str, shadow: bool) -> None:
        """Let one only note what it would do, or do it; ``NotFound`` for an unknown id."""


class Replayer(Protocol):
    """Tells what a text would have done."""

    async def replay(self, text: str, start: float, end: float, actor: Actor, *, cleared: bool) -> dict[str, Any]:
        """Over the recorded events from ``start`` to ``end``."""


class SaveBody(Body):
    """A text to publish. ``base``: the hash of what it was made from; ``None`` for a new file."""

    text: str = Field(max_length=MAX_TEXT)
    base: str | None = Field(default=None, max_length=64)
    note: str = Field(default="", max_length=300)
    mode: Literal["live", "shadow"] = "live"


class RemoveBody(Body):
    """What was seen when it was decided."""

    base: str | None = Field(default=None, max_length=64)


class ShadowBody(Body):
    """Only note, or do."""

    shadow: bool


class ReplayBody(Body):
    """A draft and a span, in seconds since 1970."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    text: str = Field(max_length=MAX_TEXT)
    start: float = Field(alias="from", allow_inf_nan=False)
    end: float = Field(alias="to", allow_inf_nan=False)


class RenderBody(Body):
    """A blueprint with values. ``yaml``: values that were written as YAML text."""

    path: str = Field(max_length=200)
    input: dict[str, Any] = Field(default_factory=dict, max_length=MAX_INPUTS)
    yaml: dict[str, str] = Field(default_factory=dict, max_length=MAX_INPUTS)
    id: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_-]+$")
    alias: str = Field(default="", max_length=200)


class BlueprintBody(Body):
    """A blueprint that somebody brought."""

    path: str = Field(max_length=130)
    text: str = Field(max_length=MAX_TEXT)


class EditorApi:
    """Its part of the table. Mistakes in a text are answered with 400 and every line and column."""

    def __init__(
        self, pipeline: Pipeline, engine: ShadowEngine, library: Library, gallery: Gallery, mask: Mask, ledger: Ledger,
        known: Callable[[], Catalogue], replayer: Replayer | None,
    ) -> None:  # fmt: skip
        self._pipeline, self._engine, self._library, self._gallery = pipeline, engine, library, gallery
        self._mask, self._ledger, self._known, self._replayer = mask, ledger, known, replayer

    def routes(self) -> list[Route]:
        """Its part of the table."""
        read, publish, files = "automation.read", "automation.publish", "/api/automation-files"
        one, told = f"{files}/{{file}}", _told
        return [
            Route("GET", files, read, "Files of automations", self.all),
            Route("GET", f"{one}/versions/{{n}}", read, "One version of a file", self.version),
            Route("GET", one, read, "A file with its versions", self.one),
            Route("PUT", one, publish, "Publish a text and save it", told(self.save), SaveBody),
            Route("DELETE", one, publish, "Take a file and its automations out", told(self.remove), RemoveBody),
            Route("GET", "/api/automations/words", read, "What an automation may name", self.words),
            Route("POST", "/api/automations/{id}/shadow", publish, "Only note, or do", self.shadow, ShadowBody),
            Route("POST", "/api/automations/replay", read, "What a text had done", told(self.replay), ReplayBody),
            Route("GET", "/api/blueprints", read, "Blueprints and what they ask for", self.blueprints),
            Route("POST", "/api/blueprints", publish, "Keep a blueprint", told(self.add), BlueprintBody),
            Route("POST", "/api/blueprints/render", read, "A blueprint filled in", told(self.render), RenderBody),
        ]

    async def all(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"files": await self._library.all()}

    async def one(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return await self._library.read(ask.path["file"])

    async def version(self, ask: Ask[NoBody]) -> dict[str, Any]:
        number = ask.path["n"]
        if not number.isascii() or not number.isdigit() or len(number) > 8:
            raise InvalidInput(f"{number!r} is no number of a version", where="n")
        return await self._library.version(ask.path["file"], int(number))

    async def save(self, ask: Ask[SaveBody]) -> dict[str, Any]:
        body = ask.body
        return await self._library.save(
            ask.path["file"], body.text, base=body.base, note=body.note.strip(), shadow=body.mode == "shadow",
            actor=ask.actor,
        )  # fmt: skip

    async def remove(self, ask: Ask[RemoveBody]) -> dict[str, Any]:
        await self._library.remove(ask.path["file"], base=ask.body.base, actor=ask.actor)
        return {}

    async def shadow(self, ask: Ask[ShadowBody]) -> dict[str, Any]:
        self._engine.set_shadow(ask.path["id"], ask.body.shadow)
        await self._pipeline.settled()
        return {"shadow": ask.body.shadow}

    async def replay(self, ask: Ask[ReplayBody]) -> dict[str, Any]:
        if self._replayer is None:
            raise Unavailable("this hub cannot replay", where="replay")
        body, cleared = ask.body, self._mask.cleared(ask.actor)
        answer = await self._replayer.replay(body.text, body.start, body.end, ask.actor, cleared=cleared)
        if answer["personal"]:  # when which rule ran tells where whom it names was
            looked, detail = ", ".join(answer["personal"]), {"events": answer["events"], "runs": answer["total"]}
            self._ledger.record(ask.actor.id, "automation.replay", looked, ask.actor.purpose, detail)
            await self._pipeline.settled()
        return answer

    async def blueprints(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"blueprints": await self._library.apart.run(self._gallery.all)}

    async def add(self, ask: Ask[BlueprintBody]) -> dict[str, Any]:
        await self._library.apart.run(lambda: self._gallery.add(ask.body.path, ask.body.text))
        return {"path": ask.body.path}

    async def render(self, ask: Ask[RenderBody]) -> dict[str, Any]:
        body, known = ask.body, self._known()
        return await self._library.apart.run(
            lambda: self._gallery.render(body.path, body.input, body.yaml, body.id, body.alias, known)
        )

    async def words(self, ask: Ask[NoBody]) -> dict[str, Any]:
        known = self._known()
        seen = [entity for entity in self._pipeline.state if self._mask.may_read(ask.actor, entity)]
        blueprints = await self._library.apart.run(self._gallery.all)
        return {
            "entities": [_entity(entity) for entity in seen[:MAX_ENTITIES]],
            "actions": [_action(spec) for _, spec in sorted(known.actions.items())],
            "scripts": [
                {"name": row["id"], "title": row["alias"]} for row in self._engine.list()
                if row["kind"] == "script" and row["id"].startswith("script.")
            ],
            "events": [_event(kind) for _, kind in sorted(known.events.items())],
            "triggers": list(TRIGGERS), "conditions": list(CONDITIONS), "steps": list(STEPS),
            "blueprints": [{key: row[key] for key in ("path", "name", "domain", "inputs")} for row in blueprints],
        }  # fmt: skip


def _told(handler: Handler) -> Handler:
    """Says mistakes with their places, and who was faster."""

    async def handle(ask: Ask[Any]) -> Any:
        try:
            return await handler(ask)
        except ConfigError as wrong:
            error = {**wrong.as_data(), "mistakes": places(wrong.mistakes)}
            return _refused(error, wrong.status)
        except Taken as taken:
            return _refused({**taken.as_data(), "other": taken.other}, taken.status)

    return handle


def _refused(error: dict[str, Any], status: int) -> web.Response:
    return json_answer({"error": error}, status)


def _entity(entity: EntityState) -> dict[str, Any]:
    attributes = entity.attributes
    return {
        "id": entity.entity, "name": attributes.get("name"), "domain": entity.domain, "state": entity.state,
        "capabilities": list(attributes.get("capabilities") or ()),
    }  # fmt: skip


def _action(spec: ActionSpec) -> dict[str, Any]:
    return {
        "name": spec.name, "title": spec.title.as_data(), "capability": spec.capability, "target": spec.target,
        "dangerous": spec.dangerous, "fields": fields_of(spec.params),
    }  # fmt: skip


def _event(kind: EventType) -> dict[str, Any]:
    return {"name": kind.name, "title": kind.title.as_data(), "fields": fields_of(kind.model)}


@lru_cache(maxsize=2048)
def fields_of(model: type[BaseModel]) -> Rows:
    """The fields of an action or event as completion shows them: type, whether it is needed, choices, words."""
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    rows = []
    for name, about in schema.get("properties", {}).items():
        parts = [_resolved(part, schema) for part in about.get("anyOf", (about,))]
        parts = [part for part in parts if part.get("type") != "null"]
        first = parts[0] if parts else {}
        choices = [choice for part in parts for choice in _choices(part)]
        items = _resolved(first.get("items") or {}, schema)
        rows.append({
            "name": name, "type": first.get("type") or "any", "required": name in required,
            "title": about.get("words") or first.get("words") or about.get("title") or name,
            "description": about.get("description") or "", "choices": choices or _choices(items),
            "entity": about.get("entity") or first.get("entity") or items.get("entity"),
        })  # fmt: skip
    return rows


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = schema.get("$defs", {}).get(name, part) if name else part
    return found


def _choices(part: dict[str, Any]) -> list[Any]:
    if "const" in part:
        return [part["const"]]
    return list(part.get("enum") or ([True, False] if part.get("type") == "boolean" else ()))
