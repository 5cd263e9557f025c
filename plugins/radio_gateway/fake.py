"""A small Mumble server on loopback: TLS, signing in, channels, users, texts, voice to the others, ping.

As a program: ``python plugins/radio_gateway/fake.py --port 64738 --channel สายตรวจ --user S211:สายตรวจ``. Its simulated
radios talk and write when told to, on standard input or by ``--script``: ``talk S211 3`` (seconds of silent Opus),
``text S212 ถึงจุดตรวจแล้ว``. It shares no code with the client. Everything in it is invented.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import hashlib
import ssl
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.sdk.program import end_asked, say_ready

SILENT_OPUS = bytes.fromhex("f8fffe")  # 20 ms of digital silence, full band, mono (RFC 6716)
TEXT, REJECT, DENIED, CONFIG = 11, 4, 12, 24
MAX_FRAME = 8 << 20


def uvar(value: int) -> bytes:
    """A protobuf varint."""
    out = b""
    while value > 127:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def message(kind: int, *fields: tuple[int, int | str]) -> bytes:
    """A frame of numbers and texts."""
    body = b""
    for number, value in fields:
        if isinstance(value, int):
            body += uvar(number * 8) + uvar(value)
        else:
            raw = value.encode()
            body += uvar(number * 8 + 2) + uvar(len(raw)) + raw
    return kind.to_bytes(2, "big") + len(body).to_bytes(4, "big") + body


def parts(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values; numbers and bytes only, as Mumble sends them."""
    at = 0

    def take() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(body):
        tag = take()
        if tag % 8 == 0:
            yield tag // 8, take()
        else:
            size = take() if tag % 8 == 2 else {1: 8, 5: 4}[tag % 8]
            yield tag // 8, body[at : at + size]
            at += size


def short(value: int) -> bytes:
    """Mumble's own number, up to 28 bits."""
    if value < 128:
        return bytes([value])
    if value < 1 << 14:
        return (0x8000 | value).to_bytes(2, "big")
    return (0xC00000 | value).to_bytes(3, "big") if value < 1 << 21 else (0xE0000000 | value).to_bytes(4, "big")


@dataclass(eq=False)
class Radio:
    """Somebody in the server: a client with a connection, or a simulated one without."""

    session: int
    name: str
    channel: int
    writer: asyncio.StreamWriter | None = None


@dataclass
class MumbleServer:
    """The server. ``heard``: (sender, text); ``voice``: packets of clients as they came; ``joined``: their names.
    ``told_limit``: the length of texts that it says it takes, ``text_limit``: that it takes.
    ``mute``: it takes and answers nothing more, and keeps the connections open."""

    channels: Sequence[str] = ("Root",)
    password: str = ""
    text_limit: int = 5_000
    told_limit: int = 5_000
    heard: list[tuple[str, str]] = field(default_factory=list)
    voice: list[bytes] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    closed_channels: set[int] = field(default_factory=set)
    mute: bool = False
    port: int = 0
    sha256: str = ""

    def __post_init__(self) -> None:
        self.radios: dict[int, Radio] = {}
        self._last = 0
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()
        self._sequence = 0

    # --- coming and going

    async def start(self, port: int = 0) -> int:
        """Serve on loopback; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._tls())
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        for radio in list(self.radios.values()):
            if radio.writer is not None:
                radio.writer.transport.abort()
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)

    def _tls(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated Mumble server")])
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(),
                                        now - day, now + 30 * day)  # fmt: skip
        shown = built.sign(key, hashes.SHA256())
        self.sha256 = hashlib.sha256(shown.public_bytes(serialization.Encoding.DER)).hexdigest()
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            both = Path(folder) / "both.pem"
            both.write_bytes(secret + shown.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(both)
        return context

    async def until(self, what: Any, timeout: float = 10.0) -> Any:
        """What ``what()`` answers, as soon as it is true; looked at after everything that clients send."""
        async with asyncio.timeout(timeout):
            while not (found := what()):
                self._changed.clear()
                await self._changed.wait()
        return found

    # --- simulated radios

    def add(self, name: str, channel: int | str = 0) -> Radio:
        """A radio without a connection; or the one of that name that is there."""
        known = self._named(name)
        if known is not None:
            return known
        radio = self._enter(name, None)
        radio.channel = channel if isinstance(channel, int) else list(self.channels).index(channel)
        self._tell(message(9, (1, radio.session), (3, name), (5, radio.channel)))
        return radio

    def leave(self, name: str) -> None:
        """It is switched off."""
        if (radio := self._named(name)) is not None:
            self._gone(radio)

    def text(self, name: str, text: str) -> None:
        """It writes to its channel."""
        radio = self.add(name)
        self._to_channel(radio, message(TEXT, (1, radio.session), (3, radio.channel), (5, text)))

    async def talk(self, name: str, seconds: float) -> None:
        """Its button is held for so long; what is sent is silence."""
        count, begun = max(1, round(seconds / 0.02)), asyncio.get_running_loop().time()
        for number in range(count):
            self.packet(name, SILENT_OPUS, last=number == count - 1)
            await asyncio.sleep(max(0.0, begun + 0.02 * (number + 1) - asyncio.get_running_loop().time()))

    def packet(self, name: str, opus: bytes, last: bool = False) -> None:
        """One packet of voice from it."""
        radio = self.add(name)
        self._sequence += 2
        size = len(opus) | (0x2000 if last else 0)
        body = b"\x80" + short(radio.session) + short(self._sequence) + short(size) + opus
        self._to_channel(radio, (1).to_bytes(2, "big") + len(body).to_bytes(4, "big") + body)

    def raw(self, data: bytes) -> None:
        """These bytes to every client."""
        self._tell(data)

    def send_away(self, name: str, reason: str = "", channel: int | None = None) -> None:
        """Put a client out, or into another channel."""
        if (radio := self._named(name)) is not None and channel is None:
            self._tell(message(8, (1, radio.session), (3, reason)))
        elif radio is not None and channel is not None:
            radio.channel = channel
            self._tell(message(9, (1, radio.session), (5, channel)))

    def drop(self) -> None:
        """Break every connection."""
        for radio in list(self.radios.values()):
            if radio.writer is not None:
                radio.writer.transport.abort()

    def _named(self, name: str) -> Radio | None:
        return next((radio for radio in self.radios.values() if radio.name == name), None)

    # --- clients

    def _enter(self, name: str, writer: asyncio.StreamWriter | None) -> Radio:
        self._last += 1
        radio = self.radios[self._last] = Radio(self._last, name, 0, writer)
        return radio

    def _gone(self, radio: Radio) -> None:
        if self.radios.pop(radio.session, None) is not None:
            self._tell(message(8, (1, radio.session)))
        self._changed.set()

    def _tell(self, data: bytes) -> None:
        for radio in self.radios.values():
            if radio.writer is not None:
                radio.writer.write(data)

    def _to_channel(self, sender: Radio, data: bytes) -> None:
        for radio in self.radios.values():
            if radio.writer is not None and radio is not sender and radio.channel == sender.channel:
                radio.writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        radio: Radio | None = None
        try:
            while True:
                head = await reader.readexactly(6)
                kind, size = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
                if size > MAX_FRAME:
                    return
                body = await reader.readexactly(size)
                if self.mute:
                    continue
                if kind == 2 and radio is None:
                    radio = self._authenticate(dict(parts(body)), writer)
                    if radio is None:
                        return
                elif radio is not None:
                    self._from_client(radio, kind, body)
                await writer.drain()
                self._changed.set()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError, IndexError, KeyError):
            pass
        finally:
            if radio is not None:
                self._gone(radio)
            writer.close()

    def _authenticate(self, fields: dict[int, Any], writer: asyncio.StreamWriter) -> Radio | None:
        name, password = fields.get(1, b"").decode(), fields.get(2, b"").decode()
        wrong = 4 if password != self.password else 5 if self._named(name) else 0
        if wrong:
            writer.write(message(REJECT, (1, wrong), (2, "Wrong password" if wrong == 4 else "Name in use")))
            return None
        writer.write(message(0, (1, 0x010304), (2, "simulated")))
        for number, channel in enumerate(self.channels):
            parent: tuple[tuple[int, int | str], ...] = ((2, 0),) if number else ()
            writer.write(message(7, (1, number), *parent, (3, channel)))
        for other in self.radios.values():
            writer.write(message(9, (1, other.session), (3, other.name), (5, other.channel)))
        radio = self._enter(name, writer)
        self._tell(message(9, (1, radio.session), (3, name), (5, 0)))
        writer.write(message(5, (1, radio.session), (2, 72_000), (3, "simulated")))
        writer.write(message(CONFIG, (3, 1), (4, self.told_limit)))
        self.joined.append(name)
        return radio

    def _from_client(self, radio: Radio, kind: int, body: bytes) -> None:
        if kind == 1:
            self.voice.append(body)
            forward = body[:1] + short(radio.session) + body[1:]
            self._to_channel(radio, (1).to_bytes(2, "big") + len(forward).to_bytes(4, "big") + forward)
        elif kind == 3 and radio.writer is not None:
            stamp = dict(parts(body)).get(1, 0)
            radio.writer.write(message(3, (1, stamp if isinstance(stamp, int) else 0)))
        elif kind == 9:
            self._move(radio, dict(parts(body)))
        elif kind == TEXT:
            self._text(radio, list(parts(body)))

    def _move(self, radio: Radio, fields: dict[int, Any]) -> None:
        channel = fields.get(5, radio.channel)
        if channel in self.closed_channels and radio.writer is not None:
            radio.writer.write(message(DENIED, (4, "Enter is not allowed here"), (5, 1)))
            return
        radio.channel = channel
        self._tell(message(9, (1, radio.session), (2, radio.session), (5, channel)))

    def _text(self, radio: Radio, fields: list[tuple[int, Any]]) -> None:
        said = next((value.decode() for number, value in fields if number == 5), "")
        if len(said) > self.text_limit and radio.writer is not None:
            radio.writer.write(message(DENIED, (5, 4)))
            return
        self.heard.append((radio.name, said))
        self._to_channel(radio, message(TEXT, (1, radio.session), (3, radio.channel), (5, said)))


def obey(server: MumbleServer, line: str, under_way: set[asyncio.Task[None]]) -> None:
    """One order: ``talk NAME SECONDS``, ``text NAME WORDS``, ``join NAME CHANNEL``, ``leave NAME``, ``drop``."""
    word, _, rest = line.strip().partition(" ")
    name, _, more = rest.partition(" ")
    if word == "talk":
        task = asyncio.get_running_loop().create_task(server.talk(name, min(60.0, float(more or 2))))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    elif word == "text":
        server.text(name, more)
    elif word == "join":
        server.add(name, more if more in server.channels else 0)
    elif word == "leave":
        server.leave(name)
    elif word == "drop":
        server.drop()


async def play(server: MumbleServer, script: str, under_way: set[asyncio.Task[None]]) -> None:
    """``SECONDS ORDER; SECONDS ORDER …``, counted from the start, in order."""
    begun = asyncio.get_running_loop().time()
    for step in filter(None, (part.strip() for part in script.split(";"))):
        after, _, order = step.partition(" ")
        await asyncio.sleep(max(0.0, begun + float(after) - asyncio.get_running_loop().time()))
        obey(server, order, under_way)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a Mumble server on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--password", default="")
    parser.add_argument("--channel", action="append", default=[], help="beside the root channel")
    parser.add_argument("--user", action="append", default=[], help="NAME:CHANNEL, a simulated radio")
    parser.add_argument("--script", default="", help="'30 talk S211 4; 60 text S212 hello'")
    given = parser.parse_args(arguments)
    server, under_way = MumbleServer(("Root", *given.channel), given.password), set[asyncio.Task[None]]()
    port = await server.start(given.port)
    for user in given.user:
        name, _, channel = user.partition(":")
        server.add(name, channel if channel in server.channels else 0)
    told = end_asked(lambda line: obey(server, line, under_way))
    playing = asyncio.create_task(play(server, given.script, under_way))
    say_ready(port=port, sha256=server.sha256)
    await told.wait()
    for task in (playing, *under_way):
        task.cancel()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
