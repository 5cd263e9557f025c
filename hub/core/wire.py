"""Framed messages between two processes of one hub, and calls over them.

A frame is two unsigned 32-bit big-endian lengths (header, blob), a JSON header and a binary blob.
A header is one of:

* ``{"id": n, "call": name, "args": {...}}``  a request; the blob belongs to the arguments
* ``{"id": n, "result": value}``              its answer; the blob belongs to the result
* ``{"id": n, "error": {...}}``               its refusal (``HubError.as_data``)
* ``{"call": name, "args": {...}}``           a notification: nobody answers

Both ends may call. Nothing in a frame is code: JSON and bytes only.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.core.error import HubError, Unavailable, from_data

MAX_HEADER = 1 << 20
MAX_BLOB = 16 << 20
MAX_PENDING = 512
_LENGTHS = struct.Struct(">II")


class WireError(HubError):
    """The other end sent something that is no frame; the connection is closed."""

    code = "wire"


@dataclass(frozen=True, slots=True)
class Message:
    """One frame. ``header`` is JSON data, ``blob`` at most ``MAX_BLOB`` bytes."""

    header: dict[str, Any]
    blob: bytes = b""


def encode(message: Message) -> bytes:
    """The bytes of one frame; ``WireError`` when a part is over its limit."""
    header = orjson.dumps(message.header, option=orjson.OPT_SERIALIZE_NUMPY)
    if len(header) > MAX_HEADER or len(message.blob) > MAX_BLOB:
        raise WireError(f"a message of {len(header)} + {len(message.blob)} bytes is over the limit")
    return _LENGTHS.pack(len(header), len(message.blob)) + header + message.blob


async def read(reader: asyncio.StreamReader) -> Message | None:
    """The next frame, or ``None`` when the other end closed between frames."""
    try:
        lengths = await reader.readexactly(_LENGTHS.size)
    except asyncio.IncompleteReadError as short:
        if short.partial:
            raise WireError("the connection ended inside a frame") from None
        return None
    header_size, blob_size = _LENGTHS.unpack(lengths)
    if header_size > MAX_HEADER or blob_size > MAX_BLOB:
        raise WireError(f"a frame of {header_size} + {blob_size} bytes is over the limit")
    try:
        body = await reader.readexactly(header_size + blob_size)
        header = orjson.loads(body[:header_size])
    except (asyncio.IncompleteReadError, orjson.JSONDecodeError) as fault:
        raise WireError(f"not a frame: {fault}") from None
    if not isinstance(header, dict):
        raise WireError("a frame's header is not a JSON object")
    return Message(header, body[header_size:])


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers when bytes go with it."""

    result: Any = None
    blob: bytes = b""


Handler = Callable[[str, dict[str, Any], bytes], Awaitable[Any]]


@dataclass(slots=True)
class Peer:
    """One end of a connection on which both sides may call.

    ``handler(name, args, blob)`` answers what the other end asks; a ``HubError`` it raises travels as such.
    ``run`` reads until the other end closes; every open call then fails with ``Unavailable``.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    handler: Handler
    name: str = "peer"
    _next: int = 0
    _open: dict[int, asyncio.Future[Message]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closed: bool = False

    async def call(self, name: str, args: dict[str, Any], blob: bytes = b"") -> Message:
        """Ask and wait. The answer's value is ``header["result"]``. The caller bounds the time."""
        if self._closed:
            raise Unavailable(f"{self.name} is not running")
        if len(self._open) >= MAX_PENDING:
            raise Unavailable(f"{self.name} has {MAX_PENDING} unanswered calls")
        self._next += 1
        number = self._next
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        try:
            await self._send(Message({"id": number, "call": name, "args": args}, blob))
            answer = await future
        finally:
            self._open.pop(number, None)
        if "error" in answer.header:
            raise from_data(answer.header["error"])
        return answer

    async def notify(self, name: str, args: dict[str, Any], blob: bytes = b"") -> None:
        """Tell, without an answer."""
        await self._send(Message({"call": name, "args": args}, blob))

    async def run(self) -> None:
        """Read until the end of the connection."""
        try:
            while (message := await read(self.reader)) is not None:
                self._receive(message)
                if len(self._tasks) >= MAX_PENDING // 2:  # what came while we were held up gets its turn first
                    await asyncio.sleep(0)
        except (WireError, ConnectionError):
            pass
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connection and fail what is open."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for future in self._open.values():
            if not future.done():
                future.set_exception(Unavailable(f"{self.name} went away"))
        self.writer.close()

    async def _send(self, message: Message) -> None:
        try:
            self.writer.write(encode(message))
            await self.writer.drain()
        except (ConnectionError, RuntimeError) as gone:
            raise Unavailable(f"{self.name} went away") from gone

    def _receive(self, message: Message) -> None:
        header = message.header
        if "call" not in header:
            future = self._open.get(header.get("id", -1))
            if future is not None and not future.done():
                future.set_result(message)
            return
        if len(self._tasks) >= MAX_PENDING:
            raise WireError(f"{self.name} asks faster than it takes answers")
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Message) -> None:
        header, number = message.header, message.header.get("id")
        try:
            value = await self.handler(str(header["call"]), header.get("args", {}), message.blob)
            reply = value if isinstance(value, Reply) else Reply(value)
            answer = Message({"id": number, "result": reply.result}, reply.blob)
        except HubError as refused:
            answer = Message({"id": number, "error": refused.as_data()})
        except Exception as fault:  # the handler is a plugin's code: its fault is the caller's answer, not ours
            answer = Message({"id": number, "error": HubError(f"{type(fault).__name__}: {fault}").as_data()})
        if number is not None:
            try:
                await self._send(answer)
            except Unavailable:
                return
