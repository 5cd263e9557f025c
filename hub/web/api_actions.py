"""What can be done: the list of actions, the door to them, and the answers to confirmations."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from hub.core.actions import Actions, Request
from hub.core.error import Denied
from hub.web.guard import json_answer
from hub.web.route import SIGNED_IN, Ask, Body, NoBody, Route


class CallBody(Body):
    """A call. ``key`` makes it idempotent: the same key again answers the first outcome."""

    target: str | None = Field(None, max_length=120)
    params: dict[str, Any] = {}
    key: str | None = Field(None, min_length=8, max_length=120)


class AnswerBody(Body):
    """An answer to a confirmation."""

    answer: Literal["yes", "no"]


class ActionsApi:
    """Rights are checked by ``Actions`` itself, for the action and its target."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/actions", "state.read", "All actions with their parameters", self.all),
            Route("POST", "/api/actions/{name}", SIGNED_IN, "Do something", self.call, CallBody),
            Route("POST", "/api/confirmations/{id}", SIGNED_IN, "Answer a dangerous action", self.answer, AnswerBody),
        ]

    async def all(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"actions": [spec.as_data() for spec in self._actions.specs()]}

    async def call(self, ask: Ask[CallBody]) -> web.Response:
        body = ask.body
        # a caller's key must not meet another caller's, nor an automation's
        key = f"{ask.actor.id}:{body.key}" if body.key else None
        request = Request(ask.path["name"], body.params, ask.actor, body.target, key=key)
        outcome = await self._actions.call(request)
        return json_answer(outcome.as_data(), 200 if outcome.final else 202)

    async def answer(self, ask: Ask[AnswerBody]) -> dict[str, Any]:
        if not ask.actor.person:
            raise Denied("only a person who is signed in may confirm", where=ask.path["id"])
        outcome = await self._actions.answer(ask.path["id"], ask.actor, ask.body.answer == "yes")
        return outcome.as_data()
