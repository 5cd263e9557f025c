"""Automations: what runs, what it did, and whether a text would be accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic import Field

from hub.core.error import Mistake
from hub.core.pipeline import Pipeline
from hub.web.route import Ask, Body, NoBody, Route

MAX_TEXT = 256 * 1024

Rows = list[dict[str, Any]]  # the engine has a method called list


class EngineView(Protocol):
    """What the pages need of the automation engine."""

    def list(self) -> Rows:
        """One row an automation."""

    def traces(self, automation_id: str) -> Rows:
        """Newest first, people's data masked; ``NotFound`` for an unknown id."""

    def set_enabled(self, automation_id: str, enabled: bool) -> None:
        """Switch on or off; ``NotFound`` for an unknown id."""


class EnabledBody(Body):
    """On or off."""

    enabled: bool


class CheckBody(Body):
    """A text as the operator wrote it."""

    text: str = Field(max_length=MAX_TEXT)


class AutomationApi:
    """Reads wait for the commit of what they show."""

    def __init__(
        self, pipeline: Pipeline, engine: EngineView, check: Callable[[str], Awaitable[list[Mistake]]]
    ) -> None:
        self._pipeline, self._engine, self._check_text = pipeline, engine, check

    def routes(self) -> list[Route]:
        """Its part of the table."""
        base = "/api/automations"
        return [
            Route("GET", base, "automation.read", "All automations", self.all),
            Route("GET", f"{base}/{{id}}/traces", "automation.read", "What its runs did, and why", self.traces),
            Route("POST", f"{base}/{{id}}/enabled", "automation.publish", "Switch on or off", self.enable, EnabledBody),
            Route("POST", f"{base}/check", "automation.read", "Find mistakes in a text", self.check, CheckBody),
        ]

    async def all(self, ask: Ask[NoBody]) -> dict[str, Any]:
        await self._pipeline.settled()
        rows = [{**row, "last_run_at": row["last_run"], "runs": row["running"]} for row in self._engine.list()]
        return {"automations": rows}

    async def traces(self, ask: Ask[NoBody]) -> dict[str, Any]:
        await self._pipeline.settled()
        return {"traces": self._engine.traces(ask.path["id"])}

    async def enable(self, ask: Ask[EnabledBody]) -> dict[str, Any]:
        self._engine.set_enabled(ask.path["id"], ask.body.enabled)
        await self._pipeline.settled()
        return {"enabled": ask.body.enabled}

    async def check(self, ask: Ask[CheckBody]) -> dict[str, Any]:
        found = await self._check_text(ask.body.text)
        return {"mistakes": [{"line": m.line, "column": m.column, "words": m.words} for m in found]}
