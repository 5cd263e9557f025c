"""The outbox: what waits for its next try, and the dead letters, which a person sends again or removes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hub.access.audit import Ledger
from hub.core.access import Actor
from hub.core.action import told
from hub.core.actions import Actions
from hub.core.outbox import MAX_LETTERS, MAX_WAITING, Entry
from hub.core.pipeline import Pipeline
from hub.web.guard import json_answer
from hub.web.mask import MASK, Mask
from hub.web.route import SIGNED_IN, Ask, NoBody, Route


class OutboxApi:
    """Whoever may see an action's events sees its entry; whoever has the action's right decides about it. Both the
    parameters shown to a cleared reader and each decision leave an audit line."""

    def __init__(self, pipeline: Pipeline, actions: Actions, mask: Mask, ledger: Ledger) -> None:
        self._pipeline, self._actions, self._mask, self._ledger = pipeline, actions, mask, ledger

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/outbox", "event.read", "Waiting retries and dead letters", self.all, filtered=True),
            Route("POST", "/api/outbox/{key}/retry", SIGNED_IN, "Send a dead letter again", self.retry),
            Route("DELETE", "/api/outbox/{key}", SIGNED_IN, "Remove a dead letter, take back a retry", self.remove),
        ]

    async def all(self, ask: Ask[NoBody]) -> dict[str, Any]:
        limit = ask.number("limit", 200, lowest=1, highest=MAX_LETTERS + MAX_WAITING)
        with_params = ask.word("params") != "0"
        seen = [one for one in self._actions.outbox() if self._mask.may_see(ask.actor, "event.read", one.call.target)]
        shown, cleared = seen[:limit], self._mask.cleared(ask.actor)
        if with_params and cleared and any(entry.call.params for entry in shown):
            self._ledger.record(ask.actor.id, "outbox.read", "outbox", ask.actor.purpose, {"entries": len(shown)})
        rights = {spec.name: spec for spec in self._actions.specs()}
        entries = [self._entry(entry, cleared if with_params else None) for entry in shown]
        for row in entries:
            spec = rights.get(row["action"])
            row["title"], row["right"] = (spec.title.as_data(), spec.right) if spec is not None else (None, None)
        await self._pipeline.settled()
        waiting = sum(entry.due is not None for entry in seen)
        return {"waiting": waiting, "dead": len(seen) - waiting, "entries": entries}

    @staticmethod
    def _entry(entry: Entry, cleared: bool | None) -> dict[str, Any]:
        call = entry.call
        row: dict[str, Any] = {
            "key": call.key, "state": "dead" if entry.due is None else "waiting", "action": call.action,
            "target": call.target, "actor": call.actor, "cause": call.cause, "tries": entry.tries,
            "asked": entry.asked, "at": entry.at, "due": entry.due, "error": entry.error, "whole": entry.whole,
        }  # fmt: skip
        if cleared is not None:
            row["params"] = told(call.params) if cleared else MASK
        return row

    async def retry(self, ask: Ask[NoBody]) -> web.Response:
        key = ask.path["key"]
        said = self._actions.retry(key, ask.actor)
        self._record(ask.actor, "outbox.retry", key)
        await self._pipeline.settled()
        outcome = await said
        return json_answer(outcome.as_data(), 200 if outcome.final else 202)

    async def remove(self, ask: Ask[NoBody]) -> dict[str, Any]:
        key = ask.path["key"]
        call = self._actions.discard(key, ask.actor)
        self._record(ask.actor, "outbox.remove", key)
        await self._pipeline.settled()
        return {"key": key, "action": call.action, "target": call.target}

    def _record(self, actor: Actor, verb: str, key: str) -> None:
        self._ledger.record(actor.id, verb, key, actor.purpose)
