"""All calls: the queue, who has which, what is waited for, and what is said of it as events."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from hub.capabilities import (
    CallAnswered,
    CallEnded,
    CallLinkChanged,
    CallLocated,
    CallStarted,
    CallTransferred,
    CallUnanswered,
    Priority,
    RecordingFailed,
    ReportAdded,
    ReportReceived,
)
from hub.capabilities.call import CallEnd
from hub.sdk import Conflict, Context, Denied, LimitExceeded, NotFound, Socket

from .device import CallDevice, EmergencyCall, hashed, same_secret
from .ice import ice_config
from .line import Line
from .settings import Settings
from .stickers import Sticker

QUIET_S = 12.0  # a page says that it is there every 3 s
PIECE_S = 6.0  # a recording's seconds come each second
LOCATE_EVERY_S = 2.0
MAX_OF_ONE_PHONE, MAX_AT_ONE_STICKER = 2, 3  # that ring at once


class Calls:
    """The calls that ring and run, and those that ended lately."""

    def __init__(self, ctx: Context, config: Settings) -> None:
        self._ctx, self._config = ctx, config
        self._rows = ctx.records("calls")
        self._calls: dict[str, EmergencyCall] = {}
        self._ending: set[asyncio.Future[None]] = set()

    async def take_up(self) -> None:
        """Go on with what was there: callers and desks come back within ``resume_s``."""
        now = self._ctx.clock.now()
        for row in (await self._rows.all()).values():
            call = EmergencyCall.of_row(row, now)
            self._calls[call.id] = call
            await self._ctx.add(call.described(), CallDevice(self, call))
            state = await self._ctx.state(call.entity)
            if call.ended_at is not None and state is not None and state.state != "ended":
                await self._tell_end(call, "hub", "")  # killed between its end and the telling

    def line(self, socket: Socket) -> Line:
        """One side's line over its socket."""
        return Line(socket, self._ctx.clock, self._config.first_word_s)

    def find(self, id: str) -> EmergencyCall | None:
        """One call by its id, such as ``k7m_2qx``, or its entity id."""
        return self._calls.get(id.removeprefix("call."))

    # --- the citizen

    async def ring(self, sticker: Sticker, language: str, line: Line) -> tuple[EmergencyCall, str]:
        """A new call; it and the secret by which its citizen comes back. ``LimitExceeded`` when too many ring."""
        self._admit(sticker, line.sender)
        key, now, receipt = secrets.token_urlsafe(18), self._ctx.clock.now(), self._ctx.ids.receipt()
        call = EmergencyCall(
            id=receipt.lower().replace("-", "_"), receipt=receipt, sticker=sticker.id, place=sticker.name.th,
            place_en=sticker.name.en, lat=sticker.lat, lon=sticker.lon, key=hashed(key), language=language,
            started_at=now, rings_since=now, simulated=self._config.simulated, caller=line,
            sender=line.sender,
        )  # fmt: skip
        self._calls[call.id] = call
        await self._save(call)
        await self._ctx.add(call.described(), CallDevice(self, call))
        await self._announce(call)
        return call, key

    def _admit(self, sticker: Sticker, sender: str) -> None:
        """One phone, or one sticker that somebody photographed, must not take everybody's lines."""
        ringing = [call for call in self._calls.values() if call.ringing]
        refused = ""
        if sum(call.sender == sender for call in ringing) >= MAX_OF_ONE_PHONE:
            refused = f"{MAX_OF_ONE_PHONE} calls of this phone are ringing"
        elif sum(call.sticker == sticker.id for call in ringing) >= MAX_AT_ONE_STICKER:
            refused = f"{MAX_AT_ONE_STICKER} calls of this sticker are ringing"
        elif len(ringing) >= self._config.max_waiting:
            refused = "all lines are taken"
        if refused:
            raise LimitExceeded(refused, where=self._ctx.instance, hint="call 191")

    async def _announce(self, call: EmergencyCall) -> None:
        started = CallStarted(
            receipt=call.receipt, place=call.place, place_entity=f"sticker.{call.sticker}", lat=call.lat, lon=call.lon,
            language="en" if call.language == "en" else "th", started_at=call.started_at, simulated=call.simulated,
        )  # fmt: skip
        await self._ctx.emit(started, entity=call.entity)
        await self._ctx.emit(ReportReceived(
            receipt=call.receipt, door=self._ctx.instance, channel="qr", text="[โทรวิดีโอ]", lat=call.lat, lon=call.lon,
            place=call.place, place_entity=f"sticker.{call.sticker}", reference=call.entity, priority=Priority.HIGH,
            simulated=call.simulated, received_at=call.started_at,
        ))  # fmt: skip

    async def resume(self, id: str, key: str, line: Line) -> EmergencyCall:
        """The citizen is back, with the secret of the call. ``NotFound`` when it is over or not theirs."""
        call = self.find(id)
        if call is None or call.ended_at is not None or not same_secret(key, call.key):
            raise NotFound("this call is over", where="call")
        before, call.caller, call.caller_lost_at = call.caller, line, None
        call.sender = line.sender
        if before is not None and before is not line:
            before.close("taken over by a newer page")
        await self._ctx.emit(CallLinkChanged(link="up"), entity=call.entity)
        return call

    def greet(self, call: EmergencyCall) -> None:
        """Tell the citizen's page where the call stands."""
        if call.caller is not None and call.officer:
            call.caller.tell("answered")
        self.connect(call)
        self._tell_queue()

    async def caller_gone(self, call: EmergencyCall, line: Line) -> None:
        """The citizen's line closed; the call waits for them."""
        if call.caller is not line or call.ended_at is not None:
            return
        call.caller, call.caller_lost_at = None, self._ctx.clock.now()
        if call.desk is not None:
            call.desk.tell("peer", link="lost")
        await self._ctx.emit(CallLinkChanged(link="lost"), entity=call.entity)

    async def located(self, call: EmergencyCall, lat: float, lon: float, accuracy_m: float | None) -> None:
        """The citizen's phone said where it is; more often than every 2 s is not heard."""
        now = self._ctx.clock.now()
        if now - call.located_at < LOCATE_EVERY_S:
            return
        first, call.located_at = call.located_at == 0.0, now
        await self._ctx.emit(CallLocated(lat=lat, lon=lon, accuracy_m=accuracy_m, at=now), entity=call.entity)
        if first:
            await self._ctx.emit(ReportAdded(receipt=call.receipt, lat=lat, lon=lon))

    # --- the desk: actions, then its line

    async def answer(self, call: EmergencyCall, by: str) -> None:
        """One named officer has it."""
        if call.ended_at is not None:
            raise Conflict("this call is over", where=call.entity)
        if call.officer == by:
            return
        if call.officer:
            raise Conflict(f"{call.officer} has this call", where=call.entity, hint="ask for a transfer")
        now = self._ctx.clock.now()
        call.officer, call.answered_at, call.desk_lost_at = by, call.answered_at or now, now
        self._await_picture(call, now)
        await self._save(call)
        answered = CallAnswered(by=by, at=now, waited_s=round(now - call.rings_since, 1))
        await self._ctx.emit(answered, entity=call.entity)
        if call.caller is not None:
            call.caller.tell("answered")
        self._tell_queue()

    async def hang_up(self, call: EmergencyCall, by: str, reason: str) -> None:
        """The desk ends it."""
        await self.end(call, "officer", reason)

    async def transfer(self, call: EmergencyCall, by: str, to: str) -> None:
        """It rings again, for ``to``."""
        if call.ended_at is not None:
            raise Conflict("this call is over", where=call.entity)
        now = self._ctx.clock.now()
        desk, call.desk, call.desk_lost_at = call.desk, None, None
        call.officer, call.forwarded_to, call.rings_since, call.unanswered = "", to, now, 0
        call.picture_due = call.recorded_at = None
        await self._save(call)
        if desk is not None:
            desk.tell("released", why="transferred")
        if call.caller is not None:
            call.caller.tell("transferred")
        await self._ctx.emit(CallTransferred(by=by, to=to, at=now), entity=call.entity)
        self._tell_queue()

    async def locate(self, call: EmergencyCall) -> None:
        """Ask the citizen's phone."""
        if call.caller is None:
            raise Conflict("the caller's link is lost", where=call.entity, hint="try again when it is back")
        call.caller.tell("locate")

    def attach(self, call: EmergencyCall | None, line: Line) -> EmergencyCall:
        """The officer's browser takes part. ``Denied`` unless this officer has the call."""
        if call is None or call.ended_at is not None:
            raise NotFound("this call is over", where="call")
        if call.officer != line.actor:
            raise Denied(f"{call.officer or 'nobody'} has this call", where=call.entity, hint="answer it first")
        before, call.desk, call.desk_lost_at = call.desk, line, None
        if before is not None and before is not line:
            before.tell("released", why="taken over by a newer window")
            before.close("taken over by a newer window")
        line.tell(
            "attached", call=call.entity, ice=self.ice(line.actor), record=self._config.record and not call.simulated,
            link="up" if call.caller is not None else "lost",
        )  # fmt: skip
        self.connect(call)
        return call

    def desk_gone(self, call: EmergencyCall, line: Line) -> None:
        """The officer's line closed."""
        if call.desk is not line or call.ended_at is not None:
            return
        call.desk, call.desk_lost_at = None, self._ctx.clock.now()
        if call.caller is not None:
            call.caller.tell("held")

    def connect(self, call: EmergencyCall) -> None:
        """When both are there, the citizen's browser makes a new offer to the officer's."""
        if call.caller is None or call.desk is None:
            return
        call.turn += 1
        call.desk.tell("peer", link="up", n=call.turn)
        call.caller.tell("go", n=call.turn)
        if call.recorded_at is None:
            self._await_picture(call, self._ctx.clock.now())

    def ice(self, who: str) -> dict[str, Any]:
        """For one side's browser."""
        return ice_config(self._config.ice, who.removeprefix("user:")[:40], self._ctx.clock.now())

    # --- the end, and what time brings

    async def end(self, call: EmergencyCall, by: CallEnd, reason: str = "") -> None:
        """Over, for both; the second time nothing happens."""
        if call.ended_at is not None:
            return
        call.ended_at = self._ctx.clock.now()
        task = asyncio.ensure_future(self._over(call, by, reason))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        await asyncio.shield(task)  # the line of whoever asked may end, and its task with it

    async def _over(self, call: EmergencyCall, by: CallEnd, reason: str) -> None:
        """Durable and told first; only then are the lines closed."""
        lines, call.caller, call.desk = (call.caller, call.desk), None, None
        try:
            await self._save(call)
            await self._tell_end(call, by, reason)
        finally:
            for line in lines:
                if line is not None:
                    line.tell("ended", by=by)
                    line.close()
        self._tell_queue()

    async def _tell_end(self, call: EmergencyCall, by: CallEnd, reason: str) -> None:
        at = call.ended_at if call.ended_at is not None else self._ctx.clock.now()
        talked = at - call.answered_at if call.answered_at is not None else 0.0
        ended = CallEnded(ended_by=by, ended_at=at, talked_s=round(talked, 1), reason=reason)
        await self._ctx.emit(ended, entity=call.entity)

    async def tick(self) -> None:
        """Each second."""
        now = self._ctx.clock.now()
        for call in list(self._calls.values()):
            if call.ended_at is None:
                await self._look(call, now)
            elif now - call.ended_at > self._config.list_hours * 3_600:
                del self._calls[call.id]
                await self._ctx.remove(call.entity)
                await self._rows.delete(call.id)

    async def _look(self, call: EmergencyCall, now: float) -> None:
        config = self._config
        if call.caller is not None and self._ctx.clock.monotonic() - call.caller.heard_at > QUIET_S:
            call.caller.close("nothing was heard")
            await self.caller_gone(call, call.caller)
        if call.caller_lost_at is not None and now - call.caller_lost_at > config.resume_s:
            await self.end(call, "caller_lost")
        elif now - call.started_at > config.longest_s:
            await self.end(call, "too_long")
        elif call.ringing and now - call.rings_since >= config.ring_s + call.unanswered * config.repeat_s:
            await self._unanswered(call, now)
        elif call.desk_lost_at is not None and now - call.desk_lost_at > config.resume_s:
            await self.transfer(call, "hub", "")
        else:
            await self._check_recording(call, now)

    async def _unanswered(self, call: EmergencyCall, now: float) -> None:
        call.unanswered += 1
        await self._ctx.emit(
            CallUnanswered(
                receipt=call.receipt, place=call.place, waited_s=round(now - call.rings_since, 1),
                count=call.unanswered, simulated=call.simulated,
            ),
            entity=call.entity,
        )  # fmt: skip

    # --- recording

    def _await_picture(self, call: EmergencyCall, now: float) -> None:
        if self._config.record and not call.simulated:
            call.picture_due = now + self._config.picture_within_s

    async def _check_recording(self, call: EmergencyCall, now: float) -> None:
        if call.picture_due is not None and now >= call.picture_due:
            call.picture_due = None
            words = f"no picture was recorded within {self._config.picture_within_s:g} s"
            await self.recording_failed(call, words)
        elif call.recorded_at is not None and now - call.recorded_at > PIECE_S and call.caller is not None:
            call.recorded_at = None
            await self.recording_failed(call, "the recording stopped: nothing came from the officer's browser")

    async def recording_failed(self, call: EmergencyCall, reason: str) -> None:
        """Say that it is not recorded."""
        failed = RecordingFailed(reason=reason[:300], officer=call.officer or None)
        await self._ctx.emit(failed, entity=call.entity)

    async def save(self, call: EmergencyCall) -> None:
        """Durable when it returns."""
        await self._save(call)

    async def _save(self, call: EmergencyCall) -> None:
        await self._rows.put(call.id, call.row())

    def _tell_queue(self) -> None:
        waiting = sorted((call for call in self._calls.values() if call.ringing), key=lambda call: call.rings_since)
        for ahead, call in enumerate(waiting):
            if call.caller is not None:
                call.caller.tell("waiting", ahead=ahead)
