"""The door: reports in by three ways, each once; their status back to who sent them."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

import aiohttp
from pydantic import Field

from hub.capabilities import Priority, ReportReceived
from hub.sdk import (
    Context,
    Event,
    InvalidInput,
    StateChanged,
    WebRequest,
    WebResponse,
    current_call,
    receipt_of,
)

from .device import BadReport, BadSignature, Said, parse_body, parse_file, sign, verify

MAX_TOLD = 100  # lines of a file that are told one by one
MAX_OWED = 5_000
MAX_TRIES = 30
SHOWN_EVERY_S = 10.0  # what strangers send costs the journal no more than one line in that time
Kind = Literal["accident", "fire", "fight", "theft", "suspicious", "help", "other"]


class Door:
    """One connection to Police I Lert U. ``status_url`` is empty where nobody wants to hear the status."""

    def __init__(
        self, ctx: Context, entity: str, secret: str, status_url: str, session: aiohttp.ClientSession, simulated: bool
    ) -> None:
        self._ctx, self._entity, self._secret, self._simulated = ctx, entity, secret, simulated
        self._status_url, self._session = status_url, session
        self._known = ctx.records("ids")  # receipt → id of the app
        self._owed = ctx.records("owed")
        self._ids: dict[str, str] = {}
        self._duties: dict[str, dict[str, Any]] = {}
        self._counts = {"received": 0, "refused": 0}
        self._refused, self._refused_at = "", float("-inf")  # why the last one was, until it is shown; when that was
        self._taking, self._working = asyncio.Lock(), asyncio.Lock()

    async def take_up(self) -> None:
        """Go on where it was; hear what the inbox answers."""
        self._ids, self._duties = await self._known.all(), await self._owed.all()
        state = await self._ctx.state(self._entity)
        if state is not None:
            self._counts = {name: int(state.attributes.get(name) or 0) for name in self._counts}
        await self._show("ok")
        mine = {"door": self._ctx.instance}
        await self._ctx.on("report_answered", self._answered, match=mine, durable=True)
        await self._ctx.on("report_status_changed", self._status, match=mine, durable=True)

    # --- in

    async def webhook(self, request: WebRequest) -> WebResponse:
        """200 with the receipt when it is durable; 401 without the signature; 400 for what is no report."""
        now = self._ctx.clock.now()
        try:
            verify(self._secret, request.headers.get("x-signature", ""), request.body, now)
            said = parse_body(request.body, now)
        except (BadSignature, BadReport) as wrong:
            self._counts["refused"] += 1
            self._refused = str(wrong)[:300]  # shown by ``work``
            return _json(401 if isinstance(wrong, BadSignature) else 400, {"error": str(wrong)})
        await self._ctx.alive()
        return _json(200, {"receipt": await self._take(said)})

    async def enter(
        self,
        text: Annotated[str, Field(min_length=1, max_length=4_000, description="what happened")],
        kind: Kind = "other",
        place: Annotated[str, Field(max_length=300)] = "",
        phone: Annotated[str, Field(max_length=40)] = "",
        number: Annotated[str, Field(max_length=100, description="the app's own number, if it shows one")] = "",
    ) -> str:
        """Type a report that stands on the app's own screen; its receipt."""
        said = Said(number or f"entered:{current_call().key}", self._ctx.clock.now(), text, phone=phone, place=place,
                    kind=kind)  # fmt: skip
        return await self._take(said)

    async def import_file(
        self,
        content: Annotated[
            str,
            Field(
                min_length=2, max_length=900_000, description="CSV or JSON",
                json_schema_extra={"contentMediaType": "text/csv"},
            ),
        ],
    ) -> dict[str, Any]:
        """Take the reports of a file; how many were new, known, and each line that is none."""
        try:
            good, bad = await asyncio.to_thread(parse_file, content, self._ctx.clock.now())
        except BadReport as wrong:
            raise InvalidInput(str(wrong), where="content", hint="the format stands in the plugin's README") from None
        new = 0
        for said in good:
            new += not self._receipt(said)[1]
            await self._take(said)
        lines = [str(line) for line in bad[:MAX_TOLD]]
        return {"new": new, "known": len(good) - new, "wrong": len(bad), "lines": lines}

    def _receipt(self, said: Said) -> tuple[str, bool]:
        """Its receipt, and whether it is known. Of a thousand million receipts two reports may draw the same: the later
        one draws another."""
        turn = 0
        while True:
            receipt = receipt_of(f"{self._ctx.instance}:{said.id}" + (f"#{turn}" if turn else ""))
            if self._ids.get(receipt, said.id) == said.id:
                return receipt, receipt in self._ids
            turn += 1

    async def _take(self, said: Said) -> str:
        """Once an id, however often and by whichever way it comes; durable when this returns."""
        async with self._taking:
            receipt, known = self._receipt(said)
            if known:
                return receipt
            reporter = " ".join(word for word in (said.name, said.phone) if word)
            text = f"[{said.kind}] {said.text}" if said.kind and said.kind != "other" else said.text
            report = ReportReceived(
                receipt=receipt, door=self._ctx.instance, channel="ilertu", text=text[:4_000], reporter=reporter,
                lat=said.lat, lon=said.lon, place=said.place, reference=said.id, priority=Priority.HIGH,
                simulated=self._simulated, received_at=self._ctx.clock.now(),
            )  # fmt: skip
            await self._ctx.emit(report, at=said.at)
            self._ids[receipt] = said.id
            await self._known.put(receipt, said.id)
            self._counts["received"] += 1
            await self._show("ok")
        return receipt

    # --- back

    async def _answered(self, event: Event) -> None:
        await self._owe(event, {"answer": event.data["text"]})

    async def _status(self, event: Event) -> None:
        await self._owe(event, {"status": event.data["status"], "result": event.data.get("result", "")})

    async def _owe(self, event: Event, words: dict[str, Any]) -> None:
        receipt = str(event.data["receipt"])
        if not self._status_url or receipt not in self._ids or len(self._duties) >= MAX_OWED:
            return
        duty = {"body": {"id": self._ids[receipt], "receipt": receipt, "at": event.at, **words}, "tries": 0, "after": 0}
        self._duties[event.id] = duty
        await self._owed.put(event.id, duty)

    async def work(self) -> None:
        """Send what is owed and due; what fails is tried again, ever more seldom."""
        async with self._working:
            for key, duty in list(self._duties.items()):
                if duty["after"] <= self._ctx.clock.now():
                    await self._send(key, duty)
            now = self._ctx.clock.monotonic()
            if self._refused and now - self._refused_at >= SHOWN_EVERY_S:
                await self._show("ok", last_error=self._refused)
                self._refused, self._refused_at = "", now

    async def _send(self, key: str, duty: dict[str, Any]) -> None:
        body = json.dumps(duty["body"], ensure_ascii=False).encode()
        headers = {"X-Signature": sign(self._secret, int(self._ctx.clock.now()), body), "Idempotency-Key": key}
        try:
            async with self._session.post(self._status_url, data=body, headers=headers, allow_redirects=False) as got:
                status = got.status
        except (aiohttp.ClientError, TimeoutError) as away:
            status, why = 0, f"cannot be reached: {type(away).__name__}"
        else:
            why = f"it answered HTTP {status}"
        if 200 <= status < 300:
            await self._ctx.alive()
        elif duty["tries"] < MAX_TRIES and (status == 0 or status >= 500 or status == 429):
            duty["tries"] += 1
            duty["after"] = self._ctx.clock.now() + min(900.0, 2.0 ** duty["tries"])
            await self._owed.put(key, duty)
            await self._show("failing", last_error=f"status not delivered: {why}")
            return
        else:
            await self._show("failing", last_error=f"status given up: {why}")
        self._duties.pop(key, None)
        await self._owed.delete(key)
        if 200 <= status < 300:
            await self._show("ok")

    async def _show(self, state: str, **more: Any) -> None:
        shown = StateChanged(state=state, attributes={**self._counts, **more})
        await self._ctx.emit(shown, entity=self._entity)


def _json(status: int, body: dict[str, Any]) -> WebResponse:
    return WebResponse(status, json.dumps(body, ensure_ascii=False).encode(), "application/json")
