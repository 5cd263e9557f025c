"""The door: finds the hook that a request is for. A stranger hears the same of every address that is not theirs."""

from __future__ import annotations

import json

from hub.sdk import Context, Entity, Text, WebRequest, WebResponse

from .board import Board
from .device import Bad, same, signed_at
from .hook import Hook
from .settings import Settings

# All that the hub serves, so that it answers none of them by itself with 405 and a list.
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
NOTHING_HERE = Bad(404, "not_found", "there is nothing here")
NOBODY = b"a key that no hook has, so that a guess costs the same time"


class Door:
    """Serves ``/hook/INSTANCE/ID/SECRET``, and ``/hook/INSTANCE/ID`` for signed requests."""

    def __init__(self, ctx: Context, config: Settings) -> None:
        self._ctx, self._entity = ctx, f"webhook_door.{ctx.instance}"
        self._board = Board(ctx, self._entity)
        self._hooks = {hook.id: Hook(ctx, hook) for hook in config.hooks}

    async def open(self) -> None:
        """Bring the hooks in, then serve."""
        await self._ctx.add(Entity(self._entity, Text("คำขอที่ไม่ตรงกับเว็บฮุคใด", "Requests for no hook")))
        await self._board.take_up()
        for hook in self._hooks.values():
            await hook.open()
        for method in METHODS:
            await self._ctx.route(method, "*", self.answer)

    async def answer(self, request: WebRequest) -> WebResponse:
        """200 when it is durable; 404 for what is no hook's, whatever the reason."""
        name, _, given = request.path.strip("/").partition("/")
        hook = self._hooks.get(name)
        if hook is None:
            signed_at(NOBODY, request.headers.get("x-signature", ""), request.body)
            same(NOBODY, given)
            self._board.refused("the address names no hook")  # and is not shown: it may be a secret in the wrong place
            return _refusal(NOTHING_HERE)
        if why := hook.admits(request, given):
            hook.board.refused(why)
            return _refusal(NOTHING_HERE)
        try:
            new = await hook.take(request)
        except Bad as wrong:
            hook.board.refused(str(wrong))
            return _refusal(wrong)
        return WebResponse(200, json.dumps({"status": "taken" if new else "known"}).encode(), "application/json")

    async def look(self) -> None:
        """Show on the page what is new."""
        for board in (self._board, *(hook.board for hook in self._hooks.values())):
            await board.look()


def _refusal(wrong: Bad) -> WebResponse:
    """In the form of the hub's own refusals."""
    error = {"code": wrong.code, "message": str(wrong), "where": "", "hint": ""}
    body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")).encode()
    return WebResponse(wrong.status, body, "application/json", {"retry-after": "1"} if wrong.status == 429 else {})
