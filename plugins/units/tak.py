"""A TAK server beside the hub: units go out as Cursor on Target, the tracks of others come in."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from hub.sdk import Context, HubError

from . import cot
from .cot import BadCot, CotEvent, Splitter
from .settings import TakSettings, TakTls
from .tracks import Tracks
from .unit import Unit

FRIENDLY_GROUND, ALERT, ALERT_OVER = "a-f-G-U-C", "b-a-o-tbl", "b-a-o-can"
GONE, PING, PONG = "t-x-d-d", "t-x-c-t", "t-x-c-t-r"
CONNECT_WITHIN_S, PING_EVERY_S, SILENT_S = 10.0, 20.0, 60.0
MAX_WAIT_S = 60.0
MAX_OUT = 1_000
TROUBLE_S = 30.0  # so long an event that could not be kept is shown
MAX_BAD = 20
"""Events that cannot be read in a row: such a peer does not speak CoT."""


class TakLink:
    """The connection, begun again whenever it ends. Positions wait while it is down only as the newest of each unit."""

    def __init__(self, ctx: Context, config: TakSettings) -> None:
        self._ctx, self._config = ctx, config
        self._tracks = Tracks(ctx, config)
        self._out: dict[str, bytes] = {}  # what is to be sent, the newest by what it is about
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._troubled_at: float | None = None
        self.connected = asyncio.Event()

    async def start(self) -> None:
        """Begin; the server need not be there."""
        await self._tracks.take_up()
        await self._ctx.every(5.0, self._tracks.expire)
        self._task = asyncio.create_task(self._run(), name="TAK")

    async def stop(self) -> None:
        """End the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # --- out

    async def tell(self, unit: Unit, what: str) -> None:
        """Hear of a unit: ``moved``, ``off_duty``, ``sos`` or ``sos_over``."""
        a, now = await unit.attributes(), self._ctx.clock.now()
        uid = f"{self._config.prefix}.{unit.entity}"
        name = (a.get("name") or {}).get("th") or unit.entity
        lat, lon = a.get("lat"), a.get("lon")
        if what == "moved" and lat is not None and lon is not None:
            at = float(a.get("fix_at") or now)
            event = CotEvent(
                uid, FRIENDLY_GROUND, at, at + self._config.stale_s, lat, lon, a.get("accuracy_m"), name,
                a.get("speed_mps"), a.get("heading_deg"),
            )  # fmt: skip
            self._put(uid, cot.build(event))
        elif what == "off_duty":
            gone = CotEvent(f"{uid}.gone", GONE, now, now + 60, 0, 0)
            link = f'<link uid="{uid}" relation="none" type="{FRIENDLY_GROUND}"/><__forcedelete/>'
            self._put(uid, cot.build(gone, link, "h-g-i-g-o"))
        elif what in ("sos", "sos_over"):
            place = (a.get("sos_lat") or lat or 0.0, a.get("sos_lon") or lon or 0.0)
            kind = ALERT if what == "sos" else ALERT_OVER
            alert = CotEvent(f"{uid}-9-1-1", kind, now, now + self._config.stale_s, *place, callsign=f"{name} SOS")
            say = '<emergency type="911 Alert"/>' if what == "sos" else '<emergency cancel="true"/>'
            self._put(alert.uid, cot.build(alert, f'<link uid="{uid}" relation="p-p" type="{FRIENDLY_GROUND}"/>{say}',
                                           "h-e"))  # fmt: skip

    def _put(self, about: str, message: bytes) -> None:
        self._out.pop(about, None)
        while len(self._out) >= MAX_OUT:
            del self._out[next(iter(self._out))]
        self._out[about] = message
        self._news.set()

    # --- the connection

    async def _run(self) -> None:
        """Whatever ends a connection, it is told, and the next one is begun."""
        wait, where = 1.0, f"{self._config.host}:{self._config.port}"
        while True:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    reader, writer = await self._open()
            except Exception as gone:
                self._note(gone)
                await self._say(f"the TAK server {where} cannot be reached: {str(gone) or 'no answer'}")
            else:
                try:
                    wait, ended = 1.0, await self._speak(reader, writer)
                except Exception as fault:
                    self._note(fault)
                    ended = str(fault) or type(fault).__name__
                await self._say(f"the TAK server {where}: {ended}")
            await self._ctx.clock.sleep(wait)
            wait = min(wait * 2, MAX_WAIT_S)

    def _note(self, fault: Exception) -> None:
        if not isinstance(fault, OSError | HubError):  # nobody foresaw it
            self._ctx.log.error("the TAK connection failed; it is begun again", exc_info=fault)

    async def _say(self, reason: str) -> None:
        self.connected.clear()
        with contextlib.suppress(HubError):
            await self._ctx.health(False, reason)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = self._config.tls
        context = await asyncio.to_thread(_tls, tls) if tls is not None else None
        name = (tls.server_name or self._config.host) if tls is not None else None
        return await asyncio.open_connection(
            self._config.host, self._config.port, ssl=context, server_hostname=name, limit=cot.MAX_MESSAGE
        )

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Serve one connection; why it ended."""
        await self._ctx.health(True)
        self._troubled_at = None
        self.connected.set()
        parts = [asyncio.create_task(self._send(writer)), asyncio.create_task(self._receive(reader))]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            return await done.pop()
        except (OSError, BadCot) as wrong:
            return str(wrong) or "the connection broke"
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(2):
                    await writer.wait_closed()

    async def _send(self, writer: asyncio.StreamWriter) -> str:
        self._put(PING, self._ping())  # a server learns who we are from the first event
        while True:
            self._news.clear()
            waiting, self._out = self._out, {}
            for message in waiting.values():
                writer.write(message)
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await writer.drain()
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                self._put(PING, self._ping())

    def _ping(self) -> bytes:
        now = self._ctx.clock.now()
        return cot.build(CotEvent(f"{self._config.prefix}-ping", PING, now, now + SILENT_S, 0, 0))

    async def _receive(self, reader: asyncio.StreamReader) -> str:
        splitter, bad = Splitter(), 0
        while True:
            inside = splitter.inside
            try:
                async with asyncio.timeout(self._config.rest_within_s if inside else SILENT_S):
                    data = await reader.read(1 << 16)
            except TimeoutError:
                return "it stopped in the middle of an event" if inside else f"silent for {SILENT_S:g} s"
            if not data:
                return "it closed the connection"
            for raw in splitter.feed(data):
                try:
                    event = cot.parse(raw)
                    bad = 0
                except BadCot as wrong:
                    bad += 1
                    self._ctx.log.warning("an event of the TAK server was left out: %s", wrong)
                    if bad >= MAX_BAD:
                        return f"{bad} events in a row cannot be read, the last one: {wrong}"
                    continue
                await self._take(event)

    async def _take(self, event: CotEvent) -> None:
        """One event. What cannot be kept is shown, and the next one is taken all the same."""
        now = self._ctx.clock.monotonic()
        try:
            await self._ctx.alive()
            if event.type.startswith("a-") and not event.uid.startswith(f"{self._config.prefix}."):
                await self._tracks.take(event)
            if self._troubled_at is not None and now - self._troubled_at > TROUBLE_S:
                self._troubled_at = None
                await self._ctx.health(True)
        except HubError as wrong:
            if self._troubled_at is None:
                self._ctx.log.warning("an event of the TAK server was not kept: %s", wrong)
                with contextlib.suppress(HubError):
                    await self._ctx.health(False, f"an event of the TAK server was not kept: {wrong.message}")
            self._troubled_at = now


def _tls(given: TakTls) -> ssl.SSLContext:
    """The context of the files named; an authority's certificate is always checked."""
    context = ssl.create_default_context(cafile=given.ca_file)
    if given.cert_file is not None:
        context.load_cert_chain(given.cert_file, given.key_file)
    return context


