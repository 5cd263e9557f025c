"""All reports: each thing a door emitted becomes one entity, once, and goes on after a restart."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.capabilities import (
    Priority,
    ReportAdded,
    ReportConversation,
    ReportFiled,
    ReportReceived,
    ReportsRepeated,
    ReportStatus,
    ReportStatusChanged,
)
from hub.sdk import Context, Entity, EntityState, Event, Text, receipt_of

from .device import Case, message
from .near import Near

CHANNELS = {
    "qr": Text("สติกเกอร์ QR", "QR sticker"), "line": Text("LINE", "LINE"),
    "ilertu": Text("Police I Lert U", "Police I Lert U"), "phone": Text("โทรศัพท์", "Telephone"),
    "sos": Text("SOS สายตรวจ", "Officer's SOS"), "form": Text("แบบฟอร์ม", "Form"),
}  # fmt: skip
DAY_S = 86_400.0


def entity_of(receipt: str) -> str:
    """``report.k7m_2qx`` of ``K7M-2QX``."""
    return f"report.{receipt.lower().replace('-', '_')}"


class Book:
    """The inbox's reports."""

    def __init__(self, ctx: Context, near: Near, keep_closed_days: float) -> None:
        self._ctx, self._near, self._keep_s = ctx, near, keep_closed_days * DAY_S
        self._filing = asyncio.Lock()  # the same report delivered twice at once is one

    async def take_up(self) -> None:
        """Serve the reports that were there before a restart, then what came while the inbox was away."""
        for state in await self._ctx.states("report"):
            if state.state != "unknown":
                await self._serve(state.entity, str(state.attributes.get("receipt", "")), state.attributes)
        await self._ctx.on("report_received", self._received, durable=True)
        await self._ctx.on("report_added", self._added, durable=True)
        await self._ctx.on("sos_raised", self._sos, durable=True)
        await self._ctx.on("incident_assigned", self._assigned, durable=True)
        await self._ctx.on("incident_closed", self._closed, durable=True)

    async def _serve(self, entity: str, receipt: str, about: Any) -> None:
        channel = CHANNELS.get(str(about.get("channel")), CHANNELS["form"])
        name = Text(f"{channel.th} {receipt}", f"{channel.en} {receipt}")
        simulated = bool(about.get("simulated"))
        await self._ctx.add(Entity(entity, name, ("report",), simulated=simulated), Case(self._ctx, entity))

    async def _received(self, event: Event) -> None:
        data = ReportReceived.model_validate(dict(event.data))
        async with self._filing:
            entity = entity_of(data.receipt)
            known = await self._ctx.state(entity)
            if known is not None and known.state != "unknown":
                return
            await self._serve(entity, data.receipt, event.data)
            await self._ctx.emit(ReportFiled(**data.model_dump()), entity=entity, at=event.at, cause=event.id)
            first = [message(event.at, "reporter", data.text, data.media)]
            await self._ctx.emit(ReportConversation(messages=first, media=data.media), entity=entity, cause=event.id)
        await self._count(data, event)

    async def _count(self, data: ReportReceived, event: Event) -> None:
        """Several from one place are worth more than each."""
        same = self._near.with_(await self._ctx.states("report"), data, self._ctx.clock.now())
        if len(same) == self._near.count:  # once, when the count is reached
            repeated = ReportsRepeated(
                count=len(same), minutes=self._near.minutes, place=data.place, receipts=same,
                lat=data.lat, lon=data.lon,
            )  # fmt: skip
            await self._ctx.emit(repeated, cause=event.id)

    async def _added(self, event: Event) -> None:
        data = ReportAdded.model_validate(dict(event.data))
        state = await self._ctx.state(entity_of(data.receipt))
        if state is None or any(row["at"] == event.at for row in messages_of(state)):
            return  # no such report, or told twice
        await Case(self._ctx, state.entity).say(message(event.at, "reporter", data.text, data.media), event.id)

    async def _sos(self, event: Event) -> None:
        """An officer's SOS stands in the inbox too, so that nobody has to look in two places."""
        unit = await self._ctx.state(event.entity) if event.entity else None
        name = unit.attributes.get("name") if unit else None
        about = unit.attributes if unit else {}
        report = ReportReceived(
            receipt=receipt_of(event.id), door=self._ctx.instance, channel="sos",
            text=f"SOS {name['th'] if isinstance(name, dict) else event.entity or ''}".strip(),
            lat=event.data.get("lat"), lon=event.data.get("lon"), place_entity=event.entity, reference=event.id,
            priority=Priority.CRITICAL, simulated=bool(about.get("simulated")), received_at=event.received,
        )  # fmt: skip
        await self._ctx.emit(report, cause=event.id)

    async def _assigned(self, event: Event) -> None:
        await self._follow(event, "helping")

    async def _closed(self, event: Event) -> None:
        await self._follow(event, "closed")

    async def _follow(self, event: Event, status: ReportStatus) -> None:
        """What happens to an incident, the reporters of its reports read."""
        for state in await self._ctx.states("report"):
            if state.attributes.get("incident") == event.entity and state.state not in (status, "closed"):
                changed = ReportStatusChanged(
                    receipt=state.attributes["receipt"], door=state.attributes["door"], status=status,
                    by=str(event.data.get("by", "")), incident=event.entity,
                )  # fmt: skip
                await self._ctx.emit(changed, entity=state.entity, cause=event.id)

    async def tidy(self) -> None:
        """Closed reports leave the list after some days; their events stay as long as the retention says."""
        now = self._ctx.clock.now()
        for state in await self._ctx.states("report"):
            if state.state == "closed" and now - state.changed > self._keep_s:
                await self._ctx.remove(state.entity)


def messages_of(state: EntityState) -> list[dict[str, Any]]:
    """The conversation as it stands in the state."""
    return list(state.attributes.get("messages") or ())
