"""Making reports, keeping them, and showing them to staff."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from hub.sdk import (
    Conflict,
    Context,
    Entity,
    NotFound,
    StateChanged,
    Text,
    WebRequest,
    WebResponse,
    current_call,
)

from .gather import Facts, gather
from .page import render
from .period import Period, month_before, months, read_month, whole

MAX_REPORTS = 200
HTML = "text/html; charset=utf-8"
Month = Annotated[str, Field(max_length=7, json_schema_extra={
    "words": {"th": "เดือน เช่น 2026-10 (เว้นว่าง = เดือนก่อน)", "en": "Month, such as 2026-10 (empty: last month)"},
})]  # fmt: skip
First = Annotated[str, Field(max_length=7, json_schema_extra={
    "words": {"th": "เดือนแรก เช่น 2026-08", "en": "First month, such as 2026-08"},
})]  # fmt: skip
Last = Annotated[str, Field(max_length=7, json_schema_extra={
    "words": {"th": "เดือนสุดท้าย เช่น 2026-10", "en": "Last month, such as 2026-10"},
})]  # fmt: skip


class Reports:
    """All reports of an instance: ``monthly_report.m2026_10``."""

    def __init__(self, ctx: Context, station: str, simulated: bool) -> None:
        self._ctx, self._station, self._simulated = ctx, station, simulated
        self._one = asyncio.Lock()  # one after another: each reads much

    async def take_up(self) -> None:
        """Bring back the reports of before a restart."""
        for state in await self._ctx.states("monthly_report"):
            name = state.attributes.get("name") or {}
            await self._add(state.entity, Text(str(name.get("th", "")), str(name.get("en", ""))))

    async def _add(self, entity: str, name: Text) -> None:
        await self._ctx.add(Entity(entity, name, simulated=self._simulated))

    async def look(self) -> None:
        """Last month's report is due until it is made. Called again and again."""
        period = read_month(month_before(self._ctx.clock.now()))
        entity = _entity(period, evaluation=False)
        if await self._ctx.state(entity) is None:
            await self._add(entity, _name(period, evaluation=False))
            await self._ctx.emit(StateChanged(state="due", attributes={"period": period.name}), entity=entity)
        await self._ctx.alive()

    async def make(self, month: Month = "") -> dict[str, object]:
        """Make the report of a month, anew when there is one; ``{"report", "media", "events"}``."""
        period = read_month(month or month_before(self._ctx.clock.now()))
        return await self._make(period, ())

    async def evaluate(self, first_month: First, last_month: Last) -> dict[str, object]:
        """Make the evaluation of several months, at most 24."""
        parts = months(first_month, last_month)
        return await self._make(whole(parts), parts)

    async def _make(self, period: Period, parts: Sequence[Period]) -> dict[str, object]:
        if period.begin > self._ctx.clock.now():
            raise Conflict("this period has not begun", where=period.name)
        async with self._one:
            facts = await gather(self._ctx, period)
            each = [await gather(self._ctx, part) for part in parts if part.begin <= facts.made_at]
            html = render(facts, each, self._station, self._simulated)
            pdf = await self._ctx.pdf(html)
            return await self._keep(facts, html, pdf, evaluation=bool(parts))

    async def _keep(self, facts: Facts, html: str, pdf: bytes, evaluation: bool) -> dict[str, object]:
        period = facts.period
        entity = _entity(period, evaluation)
        if await self._ctx.state(entity) is None:
            if len(await self._ctx.states("monthly_report")) >= MAX_REPORTS:
                raise Conflict(f"there are {MAX_REPORTS} reports", where="report", hint="ask the technician")
            await self._add(entity, _name(period, evaluation))
        media = await self._ctx.media.put(pdf, "application/pdf", "incidents", entity)
        page = await self._ctx.media.put(html.encode(), "text/html", "incidents", entity)
        fields = {
            "period": period.name, "media": media, "page": page, "made_at": facts.made_at, "by": current_call().actor,
            "events": facts.events_read, "notes": len(facts.notes), "incidents": facts.incidents.n,
            "sha256": hashlib.sha256(pdf).hexdigest(), "simulated": self._simulated,
        }  # fmt: skip
        await self._ctx.emit_named("report_made", fields, entity=entity)
        return {"report": entity, "media": media, "events": facts.events_read}

    async def show(self, request: WebRequest) -> WebResponse:
        """``GET r/latest.pdf``, ``r/latest.html`` or ``r/m2026_10.pdf``: a report that was made."""
        name, _, ending = request.path.rpartition("/")[2].rpartition(".")
        made = [one for one in await self._ctx.states("monthly_report") if one.attributes.get("media")]
        if name == "latest":
            found = max(made, key=lambda one: float(one.attributes["made_at"]), default=None)
        else:
            found = next((one for one in made if one.entity == f"monthly_report.{name}"), None)
        if found is None or ending not in ("pdf", "html"):
            raise NotFound("ยังไม่มีรายงานนี้ / there is no such report yet", where="report", hint="report.make makes one")
        if ending == "html":
            return WebResponse(200, (await self._ctx.media.get(found.attributes["page"]))[0], HTML)
        content, mime = await self._ctx.media.get(found.attributes["media"])
        file = f'attachment; filename="{found.entity.partition(".")[2]}.pdf"'
        return WebResponse(200, content, mime, {"Content-Disposition": file})


def _entity(period: Period, evaluation: bool) -> str:
    return f"monthly_report.{'e' if evaluation else 'm'}{period.name.replace('-', '_')}"


def _name(period: Period, evaluation: bool) -> Text:
    kind = ("ประเมินผล", "Evaluation") if evaluation else ("ประจำเดือน", "Monthly")
    return Text(f"รายงาน{kind[0]} {period.th}", f"{kind[1]} report {period.en}")
