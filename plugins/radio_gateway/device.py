"""One connection to a Mumble server: TLS, signing in, who is where, text and voice, and a watch over its age."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import html
import itertools
import re
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from .wire import HEADER, MAX_FRAME, TUNNEL, VERSION, BadMessage, Voice, decode, encode, voice

CONNECT_S = 10.0
FENCE_S = 8.0
MAX_USERS = 2_000
MAX_CHANNELS = 2_000
TEXT_BURST, TEXT_EVERY_S = 4, 1.1  # a server's usual limits are 5 and one a second; more is thrown away silently
_REFUSALS = {
    1: "the server wants another version of Mumble", 2: "the server does not take this user name",
    3: "the user's password or certificate is wrong", 4: "the server's password is wrong",
    5: "the user name is in use", 6: "the server is full", 7: "the server wants a client certificate",
    8: "the server's own sign-in service failed",
}  # fmt: skip


class LinkError(Exception):
    """The connection cannot be made or is gone; the text says why, for people."""


class Refused(LinkError):
    """The server said no: trying again at once does not help."""


class NotAllowed(Exception):
    """The server refused this one thing; the connection goes on."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where and as whom. ``pin``: SHA-256 (hex) of the server's certificate; ``check``: by the system's CAs."""

    host: str
    port: int
    username: str
    password: str = ""
    channel: str = ""
    pin: str = ""
    check: bool = False
    client_certificate: str = ""
    ping_s: float = 10.0
    silent_s: float = 30.0


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is signed in at the server."""

    session: int
    name: str
    channel: int


@dataclass(frozen=True, slots=True)
class Told:
    """A text. ``private``: not to the channel."""

    sender: str
    text: str
    private: bool


@dataclass(slots=True)
class Hears:
    """Who is told what the server says. All are called on the loop and must not block."""

    text: Callable[[Told], None] = lambda told: None
    voice: Callable[[Voice, str], None] = lambda packet, speaker: None
    users: Callable[[], None] = lambda: None
    sign: Callable[[], None] = lambda: None
    odd: Callable[[str], None] = lambda words: None


@dataclass(slots=True)
class _Room:
    """What the server has told of itself."""

    session: int = -1
    channels: dict[int, str] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    longest_text: int = 5_000
    html: bool = True


def plain(message: str) -> str:
    """A message's words without its HTML; line ends stay."""
    broken = re.sub(r"(?i)<\s*(br|/p|/div|/li)\b[^>]{0,200}>", "\n", message[:20_000])
    return html.unescape(re.sub(r"<[^<>]{0,2000}>", "", broken)).strip()[:5_000]


def _tls(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.check:  # servers have certificates of their own making: a pin says more than a CA
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if server.client_certificate:
        try:
            context.load_cert_chain(server.client_certificate)
        except (OSError, ssl.SSLError) as wrong:
            raise Refused(f"client_certificate {server.client_certificate} cannot be used: {wrong}") from None
    return context


class Link:
    """One connection in one channel. ``open``, then ``serve`` until it raises ``LinkError``; then ``close``."""

    def __init__(self, server: Server, hears: Hears) -> None:
        self._server, self._hears = server, hears
        self._room = _Room()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._stamps = itertools.count(1)
        self._fences: dict[int, asyncio.Future[None]] = {}
        self._denied: list[str] = []
        self._sequence, self._text_at = 0, float("-inf")
        self._texting = asyncio.Lock()
        self.channel = -1

    # --- what is known

    @property
    def users(self) -> list[User]:
        """Who else is in the channel, by name."""
        here = (u for u in self._room.users.values() if u.channel == self.channel and u.session != self._room.session)
        return sorted(here, key=lambda user: user.name)

    def name_of(self, session: int) -> str:
        """A user's name; ``?`` when the server never said who it is."""
        user = self._room.users.get(session)
        return user.name if user else "?"

    # --- coming and going

    async def open(self) -> None:
        """Connect, sign in and enter the channel; ``LinkError`` with the reason otherwise."""
        where = f"{self._server.host}:{self._server.port}"
        try:
            async with asyncio.timeout(CONNECT_S):
                self._reader, self._writer = await asyncio.open_connection(
                    self._server.host, self._server.port, ssl=_tls(self._server), limit=MAX_FRAME
                )
                self._pinned(where)
                await self._sign_in()
                await self._enter()
        except TimeoutError:
            raise LinkError(f"{where} did not let us in within {CONNECT_S:g} s") from None
        except ssl.SSLError as wrong:
            raise LinkError(f"{where} is no TLS server that can be trusted: {wrong.reason or wrong}") from None
        except OSError as gone:
            raise LinkError(f"{where} cannot be reached: {gone.strerror or type(gone).__name__}") from None

    def _pinned(self, where: str) -> None:
        if self._server.pin and self._writer is not None:
            shown = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
            found = hashlib.sha256(shown).hexdigest()
            if not hmac.compare_digest(found, self._server.pin.replace(":", "").lower()):
                raise Refused(f"{where} shows another certificate than the pinned one: its SHA-256 is {found}")

    async def _sign_in(self) -> None:
        await self._send("Version", version=VERSION, release="safezone-hub", os="Linux")
        password = self._server.password or None
        await self._send("Authenticate", username=self._server.username, password=password, opus=True)
        while self._room.session < 0:
            await self._next()

    async def _enter(self) -> None:
        wanted = self._server.channel
        found = [number for number, name in self._room.channels.items() if name == wanted] if wanted else [0]
        if not found:
            there = ", ".join(sorted(self._room.channels.values()))[:200]
            raise Refused(f"the server has no channel {wanted!r}; it has: {there}")
        self.channel = min(found)
        me = self._room.users.get(self._room.session)
        if me is None or me.channel != self.channel:
            await self._send("UserState", session=self._room.session, channel_id=self.channel)
        self._denied.clear()
        while (me := self._room.users.get(self._room.session)) is None or me.channel != self.channel:
            if self._denied:
                raise Refused(f"the server does not let us into the channel {wanted!r}: {self._denied[-1]}")
            await self._next()

    async def serve(self) -> None:
        """Read, and ask for signs of life, until the connection ends: always by ``LinkError``."""
        self._hears.users()
        pinging = asyncio.create_task(self._ping(), name="radio ping")
        try:
            while True:
                try:
                    async with asyncio.timeout(self._server.silent_s):
                        await self._next()
                except TimeoutError:
                    raise LinkError(f"the server has been silent for {self._server.silent_s:g} s") from None
                me = self._room.users.get(self._room.session)
                if me is not None and me.channel != self.channel:
                    raise LinkError("the server moved us out of the channel")
        except OSError as gone:
            raise LinkError(f"the connection broke: {gone.strerror or type(gone).__name__}") from None
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _ping(self) -> None:
        while True:
            await self._send("Ping", timestamp=next(self._stamps))
            await asyncio.sleep(self._server.ping_s)

    async def close(self) -> None:
        """Leave; harmless when there is no connection."""
        for fence in self._fences.values():
            if not fence.done():
                fence.set_exception(LinkError("the connection to the radio server is gone"))
        self._fences.clear()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.wait_closed()
        self._writer = None

    # --- saying

    async def _send(self, name: str, **values: Any) -> None:
        await self._write(encode(name, values))

    async def _write(self, raw: bytes) -> None:
        if self._writer is None:
            raise LinkError("the radio server is not connected")
        try:
            self._writer.write(raw)
            await self._writer.drain()
        except OSError as gone:
            raise LinkError(f"the connection broke: {gone.strerror or type(gone).__name__}") from None

    @contextlib.asynccontextmanager
    async def _fenced(self) -> AsyncIterator[None]:
        """What is sent inside was read by the server when the block ends: it answers a ping after it.
        ``NotAllowed`` when it refused something meanwhile."""
        self._denied.clear()
        yield
        stamp = next(self._stamps) | 1 << 40
        answered = self._fences[stamp] = asyncio.get_running_loop().create_future()
        try:
            await self._send("Ping", timestamp=stamp)
            async with asyncio.timeout(FENCE_S):
                await answered
        except TimeoutError:
            raise LinkError(f"the server gave no answer within {FENCE_S:g} s") from None
        finally:
            self._fences.pop(stamp, None)
        if self._denied:
            raise NotAllowed(self._denied[-1])

    async def say(self, text: str) -> int:
        """Write to the channel; how many others were in it. The server has it when this returns."""
        loop = asyncio.get_running_loop()
        async with self._texting:
            self._text_at = max(self._text_at, loop.time() - TEXT_BURST * TEXT_EVERY_S) + TEXT_EVERY_S
            await asyncio.sleep(max(0.0, self._text_at - loop.time()))
            async with self._fenced():
                await self._send("TextMessage", channel_id=[self.channel], message=self._shown(text))
        return len(self.users)

    def _shown(self, text: str) -> str:
        """The text as the server takes it: as much of it as fits, with its marks."""
        limit = self._room.longest_text
        if not self._room.html:
            return text[:limit]
        marked = [html.escape(letter, quote=False).replace("\n", "<br/>") for letter in text[:limit]]
        while sum(map(len, marked)) > limit:
            del marked[-max(1, (sum(map(len, marked)) - limit) // 6) :]
        return "".join(marked)

    async def speak(self, packets: AsyncIterator[bytes]) -> int:
        """Send Opus packets of 20 ms as they come; how many others were in the channel."""
        held: bytes | None = None
        async with self._fenced():
            try:
                async for packet in packets:
                    if held is not None:
                        await self._voice(held)
                    held = packet
            finally:
                if held is not None:
                    await self._voice(held, last=True)
        return len(self.users)

    async def _voice(self, opus: bytes, last: bool = False) -> None:
        await self._write(Voice(self._sequence, opus, last).to_server())
        self._sequence += 2

    # --- hearing

    async def _next(self) -> None:
        if self._reader is None:
            raise LinkError("the radio server is not connected")
        try:
            head = await self._reader.readexactly(HEADER)
            number, size = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
            if size > MAX_FRAME:
                raise LinkError(f"the server sent a message of {size} bytes; at most {MAX_FRAME} are taken")
            payload = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError:
            raise LinkError("the server closed the connection") from None
        self._hears.sign()
        try:
            if number == TUNNEL:
                self._heard(voice(payload))
            elif (known := decode(number, payload)) is not None:
                self._take(*known)
        except BadMessage as wrong:
            if number != TUNNEL:
                raise LinkError(f"the server sent what is not Mumble: {wrong}") from None
            self._hears.odd(f"a voice packet was thrown away: {wrong}")  # one bad packet of one speaker ends nothing

    def _heard(self, packet: Voice | None) -> None:
        speaker = self._room.users.get(packet.session) if packet else None
        if packet is not None and speaker is not None and speaker.session != self._room.session:
            self._hears.voice(packet, speaker.name)

    def _take(self, name: str, fields: dict[str, Any]) -> None:
        taken: Callable[[dict[str, Any]], None] | None = getattr(self, f"_on_{name.lower()}", None)
        if taken is not None:
            taken(fields)

    def _on_reject(self, fields: dict[str, Any]) -> None:
        words = _REFUSALS.get(fields.get("type", 0), "the server does not let us in")
        said = plain(fields.get("reason", ""))[:200]
        raise Refused(f"{words} ({said})" if said else words)

    def _on_serversync(self, fields: dict[str, Any]) -> None:
        self._room.session = fields.get("session", 0)

    def _on_serverconfig(self, fields: dict[str, Any]) -> None:
        self._room.longest_text = fields.get("message_length") or self._room.longest_text
        self._room.html = fields.get("allow_html", self._room.html)

    def _on_channelstate(self, fields: dict[str, Any]) -> None:
        number = fields.get("channel_id", 0)
        if "name" in fields and (number in self._room.channels or len(self._room.channels) < MAX_CHANNELS):
            self._room.channels[number] = fields["name"][:200]

    def _on_channelremove(self, fields: dict[str, Any]) -> None:
        self._room.channels.pop(fields.get("channel_id", -1), None)

    def _on_userstate(self, fields: dict[str, Any]) -> None:
        session = fields.get("session", -1)
        known = self._room.users.get(session)
        if known is None and len(self._room.users) >= MAX_USERS:
            return
        name = fields.get("name", known.name if known else "?")[:120]
        channel = fields.get("channel_id", known.channel if known else 0)
        self._room.users[session] = User(session, name, channel)
        if self._room.users[session] != known:
            self._hears.users()

    def _on_userremove(self, fields: dict[str, Any]) -> None:
        if fields.get("session") == self._room.session:
            said = plain(fields.get("reason", ""))[:200] or "no reason given"
            raise LinkError(f"the server put us out: {said}")
        if self._room.users.pop(fields.get("session", -1), None) is not None:
            self._hears.users()

    def _on_textmessage(self, fields: dict[str, Any]) -> None:
        words = plain(fields.get("message", ""))
        to_channel = bool(fields["channel_id"] or fields["tree_id"])
        sender = self.name_of(fields["actor"]) if "actor" in fields else "server"
        if words and fields.get("actor") != self._room.session:
            self._hears.text(Told(sender, words, not to_channel))

    def _on_permissiondenied(self, fields: dict[str, Any]) -> None:
        kinds = {1: "permission denied", 4: "the text is too long", 9: "the channel is full"}
        self._denied.append(plain(fields.get("reason", "")) or kinds.get(fields.get("type", 0), "refused"))

    def _on_ping(self, fields: dict[str, Any]) -> None:
        fence = self._fences.get(fields.get("timestamp", 0))
        if fence is not None and not fence.done():
            fence.set_result(None)
