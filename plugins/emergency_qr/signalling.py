"""The two sockets by which a citizen's and an officer's browser find each other (WebRTC 1.0; the offer is the
citizen's). The hub passes descriptions and candidates on and sees neither picture nor sound.

Citizen: ``ring`` or ``resume``, then ``here`` every 3 s, ``offer``, ``ice``, ``position``, ``bye``.
Officer: ``attach``, then ``here``, ``answer``, ``ice``.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.sdk import InvalidInput, LimitExceeded, NotFound, Socket

from .calls import Calls
from .device import EmergencyCall
from .flood import Flood
from .line import Line
from .reports import Reports
from .stickers import Stickers
from .words import language_of


class Position(BaseModel):
    """What a browser's Geolocation tells."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Annotated[float, Field(ge=0, le=1e7)] | None = None


class CallerDoor:
    """The public socket ``call?token=TOKEN``."""

    def __init__(self, calls: Calls, stickers: Stickers, reports: Reports, flood: Flood) -> None:
        self._calls, self._stickers = calls, stickers
        self._reports, self._flood = reports, flood

    async def serve(self, socket: Socket) -> None:
        """One page."""
        if self._stickers.at(socket.request.query.get("token", "")) is None:
            raise NotFound("this sticker is no longer used", where="token", hint="call 191")
        caller = _Caller(self, self._calls.line(socket), socket)
        try:
            await caller.line.run(caller.heard)
        finally:
            if caller.call is not None:
                await self._calls.caller_gone(caller.call, caller.line)

    async def begin(self, socket: Socket, line: Line, message: dict[str, Any]) -> EmergencyCall:
        """The first word: a new call, or one that goes on."""
        if message["t"] == "resume":
            call = await self._calls.resume(str(message.get("call", "")), str(message.get("key", "")), line)
            line.tell("ringing", call=call.entity, receipt=call.receipt, ice=self._calls.ice("caller"))
        elif message["t"] == "ring":
            sticker = self._stickers.at(socket.request.query.get("token", ""))
            if sticker is None:
                raise NotFound("this sticker is no longer used", where="token", hint="call 191")
            if not self._flood.take(socket.request.remote):
                raise LimitExceeded("too many calls from this phone", where="call", hint="call 191")
            language = language_of(str(message.get("lang", "")), "")
            call, key = await self._calls.ring(sticker, language, line)
            await self._reports.adopt(call.receipt, key, sticker.name.as_data())
            await self._stickers.count(sticker, call=True)
            line.tell("ringing", call=call.entity, receipt=call.receipt, key=key, ice=self._calls.ice("caller"))
        else:
            raise InvalidInput("the first word is ring or resume", where="message")
        self._calls.greet(call)
        return call

    async def said(self, call: EmergencyCall, line: Line, message: dict[str, Any]) -> None:
        """One message of a page that has a call."""
        kind = message["t"]
        if kind == "here":
            line.tell("here")
        elif kind in ("offer", "ice"):
            if call.desk is not None and message.get("n") == call.turn:
                call.desk.tell(kind, **_passed(message))
        elif kind == "position":
            try:
                at = Position.model_validate(message)
            except ValidationError:
                raise InvalidInput("lat, lon and accuracy are numbers", where="position") from None
            await self._calls.located(call, at.lat, at.lon, at.accuracy)
        elif kind == "bye":
            await self._calls.end(call, "caller")
        else:
            raise InvalidInput(f"no message {kind[:40]!r}", where="message")


class _Caller:
    """One page: its line, and its call from the first word on."""

    def __init__(self, door: CallerDoor, line: Line, socket: Socket) -> None:
        self._door, self.line, self._socket = door, line, socket
        self.call: EmergencyCall | None = None

    async def heard(self, message: dict[str, Any]) -> None:
        """One message."""
        if self.call is None:
            self.call = await self._door.begin(self._socket, self.line, message)
        else:
            await self._door.said(self.call, self.line, message)


class DeskDoor:
    """The staff's socket ``desk``: one window of the officer who has the call."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def serve(self, socket: Socket) -> None:
        """One window."""
        line, held = self._calls.line(socket), list[EmergencyCall]()

        async def heard(message: dict[str, Any]) -> None:
            if not held:
                if message["t"] != "attach":
                    raise InvalidInput("the first word is attach", where="message")
                held.append(self._calls.attach(self._calls.find(str(message.get("call", ""))), line))
            elif message["t"] == "here":
                line.tell("here")
            elif message["t"] in ("answer", "ice", "again"):
                self._pass_on(held[0], line, message)
            else:
                raise InvalidInput(f"no message {message['t'][:40]!r}", where="message")

        try:
            await line.run(heard)
        finally:
            for call in held:
                self._calls.desk_gone(call, line)

    def _pass_on(self, call: EmergencyCall, line: Line, message: dict[str, Any]) -> None:
        if call.desk is not line or call.caller is None:
            return
        if message["t"] == "again":  # the picture stopped: begin the connection anew
            self._calls.connect(call)
        elif message.get("n") == call.turn:
            call.caller.tell(message["t"], **_passed(message))


def _passed(message: dict[str, Any]) -> dict[str, Any]:
    return {"n": message["n"], "sdp": message.get("sdp"), "c": message.get("c")}
