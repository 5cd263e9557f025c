"""One report: what officers do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.capabilities import (
    Priority,
    ReportAnswered,
    ReportConversation,
    ReportMerged,
    ReportStatus,
    ReportStatusChanged,
)
from hub.sdk import ActionFailed, Conflict, Context, EntityState, InvalidInput, NotFound, current_call

KEPT_MESSAGES = 30  # in the state; every one stays in the journal
KEPT_WORDS = 1_000


def message(at: float, by: str, text: str, media: Sequence[str] = ()) -> dict[str, Any]:
    """One line of a conversation."""
    return {"at": at, "by": by, "text": text[:KEPT_WORDS], "media": list(media)}


class Case:
    """Serves the actions of ``report.RECEIPT``."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity

    async def _state(self) -> EntityState:
        state = await self._ctx.state(self._entity)
        if state is None or state.state == "unknown":
            raise NotFound("there is no such report", where=self._entity)
        return state

    async def _status(self, status: ReportStatus, **more: Any) -> None:
        state = await self._state()
        if state.state != status or any(state.attributes.get(key) != value for key, value in more.items()):
            changed = ReportStatusChanged(
                receipt=state.attributes["receipt"], door=state.attributes["door"], status=status,
                by=current_call().actor, **{"incident": state.attributes.get("incident"), **more},
            )  # fmt: skip
            await self._ctx.emit(changed, entity=self._entity)

    async def say(self, row: dict[str, Any], cause: str | None = None) -> None:
        """Add a line to the conversation."""
        about = (await self._state()).attributes
        rows = [*(about.get("messages") or ()), row][-KEPT_MESSAGES:]
        media = [*(about.get("media") or ()), *row["media"]][-100:]
        await self._ctx.emit(ReportConversation(messages=rows, media=media), entity=self._entity, cause=cause)

    async def take(self) -> None:
        state = await self._state()
        if state.state == "received":
            await self._status("seen")
        elif state.state == "closed":
            raise Conflict("this report is closed", where=self._entity)

    async def answer(self, text: str) -> None:
        state = await self._state()
        by = current_call().actor
        if state.state == "received":
            await self._status("seen")
        answered = ReportAnswered(
            receipt=state.attributes["receipt"], door=state.attributes["door"], text=text, by=by
        )
        await self._ctx.emit(answered, entity=self._entity)
        await self.say(message(self._ctx.clock.now(), by, text))

    async def open_incident(self, kind: str = "report", priority: Priority = Priority.HIGH) -> str:
        about = (await self._state()).attributes
        if isinstance(known := about.get("incident"), str):
            return known
        first = (str(about.get("text") or "").strip().splitlines() or [""])[0][:200]
        params = {
            "kind": kind, "title": first or f"เรื่อง {about['receipt']}", "priority": priority.value,
            "source": self._entity, "lat": about.get("lat"), "lon": about.get("lon"),
            "simulated": bool(about.get("simulated")),
        }  # fmt: skip
        outcome = await self._ctx.call("incident.open", params=params, key=f"report:{about['receipt']}")
        if outcome.status != "done":
            why = (outcome.error or {}).get("message", outcome.status)
            raise ActionFailed(f"the incident was not opened: {why}", where=self._entity)
        await self._status("seen", incident=outcome.result)
        return str(outcome.result)

    async def merge(self, into: str, reason: str) -> None:
        other = await self._ctx.state(into)
        if into == self._entity or other is None or other.domain != "report":
            raise InvalidInput(f"{into!r} is no other report", where="into")
        if other.attributes.get("merged_into"):
            raise Conflict(f"{into} is itself merged into {other.attributes['merged_into']}", where="into")
        if any(state.attributes.get("merged_into") == self._entity for state in await self._ctx.states("report")):
            raise Conflict("other reports are merged into this one", where=self._entity, hint="un-merge them first")
        if (await self._state()).attributes.get("merged_into") != into:
            merged = ReportMerged(into=into, reason=reason, by=current_call().actor)
            await self._ctx.emit(merged, entity=self._entity)

    async def unmerge(self, reason: str) -> None:
        if (await self._state()).attributes.get("merged_into"):
            await self._ctx.emit(
                ReportMerged(into=None, reason=reason, by=current_call().actor), entity=self._entity
            )

    async def close(self, result: str) -> None:
        await self._status("closed", result=result)
