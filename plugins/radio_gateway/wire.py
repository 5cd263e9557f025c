"""Mumble's wire: frames over TLS, the few protobuf messages that a radio needs, and voice in the tunnel.

Sources: Mumble protocol documentation ("Establishing a connection", "Voice data") and the message numbers and fields
of ``Mumble.proto`` (version 1.3); protobuf's encoding specification. Voice is the format of clients before 1.5, which
every server speaks to a client that says it is 1.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

MAX_FRAME = 1 << 20  # Mumble allows 8 MiB; pictures and comments are not asked for
HEADER = 6
VERSION = 1 << 16 | 3 << 8 | 4  # 1.3.4
OPUS = 4
MAX_VOICE = 1020
TERMINATOR = 0x2000

Kind = Literal["uint", "str", "bytes", "bool"]


class BadMessage(ValueError):
    """Bytes that are not Mumble; the text says what and where."""


def _fields(**fields: tuple[int, Kind] | tuple[int, Kind, bool]) -> dict[str, tuple[int, Kind, bool]]:
    return {name: (field[0], field[1], len(field) == 3 and bool(field[-1])) for name, field in fields.items()}


# name → (number of the frame, field → (number, kind, repeated)). Fields that nobody here reads are not listed.
MESSAGES: dict[str, tuple[int, dict[str, tuple[int, Kind, bool]]]] = {
    "Version": (0, _fields(version=(1, "uint"), release=(2, "str"), os=(3, "str"), os_version=(4, "str"))),
    "Authenticate": (2, _fields(username=(1, "str"), password=(2, "str"), tokens=(3, "str", True), opus=(5, "bool"))),
    "Ping": (3, _fields(timestamp=(1, "uint"), good=(2, "uint"), tcp_packets=(7, "uint"))),
    "Reject": (4, _fields(type=(1, "uint"), reason=(2, "str"))),
    "ServerSync": (5, _fields(session=(1, "uint"), max_bandwidth=(2, "uint"), welcome_text=(3, "str"))),
    "ChannelRemove": (6, _fields(channel_id=(1, "uint"))),
    "ChannelState": (7, _fields(channel_id=(1, "uint"), parent=(2, "uint"), name=(3, "str"), temporary=(8, "bool"))),
    "UserRemove": (8, _fields(session=(1, "uint"), actor=(2, "uint"), reason=(3, "str"), ban=(4, "bool"))),
    "UserState": (9, _fields(session=(1, "uint"), actor=(2, "uint"), name=(3, "str"), channel_id=(5, "uint"),
                             mute=(6, "bool"), deaf=(7, "bool"), suppress=(8, "bool"), self_mute=(9, "bool"),
                             self_deaf=(10, "bool"))),
    "TextMessage": (11, _fields(actor=(1, "uint"), session=(2, "uint", True), channel_id=(3, "uint", True),
                                tree_id=(4, "uint", True), message=(5, "str"))),
    "PermissionDenied": (12, _fields(permission=(1, "uint"), channel_id=(2, "uint"), session=(3, "uint"),
                                     reason=(4, "str"), type=(5, "uint"))),
    "ServerConfig": (24, _fields(max_bandwidth=(1, "uint"), allow_html=(3, "bool"), message_length=(4, "uint"))),
}  # fmt: skip
TUNNEL = 1
_NUMBERS = {number: (name, {field[0]: (key, *field[1:]) for key, field in fields.items()})
            for name, (number, fields) in MESSAGES.items()}  # fmt: skip


def varint(value: int) -> bytes:
    """A protobuf varint of a number from 0 to 2⁶⁴-1."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(10):
        if at >= len(data):
            raise BadMessage("it ends in the middle of a number")
        value |= (data[at] & 0x7F) << 7 * count
        at += 1
        if not data[at - 1] & 0x80:
            return value & (1 << 64) - 1, at
    raise BadMessage("a number is longer than ten bytes")


def frame(number: int, payload: bytes) -> bytes:
    """Payload with its header: 16 bits of type, 32 bits of length, big endian."""
    return number.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload


def encode(name: str, values: Mapping[str, Any]) -> bytes:
    """A whole frame; a field that is ``None`` is left out."""
    number, fields = MESSAGES[name]
    parts: list[bytes] = []
    for key, value in values.items():
        field, kind, many = fields[key]
        for one in value if many else (value,):
            if one is not None:
                parts.append(_field(field, kind, one))
    return frame(number, b"".join(parts))


def _field(number: int, kind: Kind, value: Any) -> bytes:
    if kind in ("uint", "bool"):
        return varint(number << 3) + varint(int(value))
    raw = value.encode() if kind == "str" else bytes(value)
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def decode(number: int, payload: bytes) -> tuple[str, dict[str, Any]] | None:
    """Name and fields of a frame's payload; ``None`` for messages of no concern here. ``BadMessage`` otherwise."""
    if number not in _NUMBERS:
        return None
    name, fields = _NUMBERS[number]
    found: dict[str, Any] = {key: [] for key, _, many in fields.values() if many}
    try:
        for field, wire, value in _walk(payload):
            if field in fields:
                key, kind, many = fields[field]
                decoded = _value(kind, wire, value, key)
                if many:
                    found[key].append(decoded)
                else:
                    found[key] = decoded
    except BadMessage as wrong:
        raise BadMessage(f"{name} is malformed: {wrong}") from None
    return name, found


def _walk(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _read_varint(data, at)
            yield tag >> 3, wire, value
            continue
        if wire == 2:
            size, at = _read_varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise BadMessage(f"field {tag >> 3} has the unknown wire type {wire}")
        if size > len(data) - at:
            raise BadMessage(f"field {tag >> 3} is longer than the message")
        yield tag >> 3, wire, data[at : at + size]
        at += size


def _value(kind: Kind, wire: int, value: int | bytes, key: str) -> Any:
    if (kind in ("uint", "bool")) != (wire == 0):
        raise BadMessage(f"{key} has the wrong type")
    if isinstance(value, int):
        return bool(value) if kind == "bool" else value
    if kind == "bytes":
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadMessage(f"{key} is no UTF-8 text") from None


# --- voice


def number(value: int) -> bytes:
    """Mumble's own variable length integer, of a number from 0 to 2⁶⁴-1."""
    for prefix, bits, size in ((0x00, 7, 1), (0x80, 14, 2), (0xC0, 21, 3), (0xE0, 28, 4)):
        if value < 1 << bits:
            return (prefix << 8 * (size - 1) | value).to_bytes(size, "big")
    return b"\xf0" + value.to_bytes(4, "big") if value < 1 << 32 else b"\xf4" + value.to_bytes(8, "big")


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise BadMessage("voice ends too early")
    first = data[at]
    for mask, prefix, size in ((0x80, 0x00, 1), (0xC0, 0x80, 2), (0xE0, 0xC0, 3), (0xF0, 0xE0, 4)):
        if first & mask == prefix:
            value = int.from_bytes(bytes([first & ~mask & 0xFF]) + data[at + 1 : at + size], "big")
            break
    else:
        size = {0xF0: 5, 0xF4: 9}.get(first & 0xFC, 0)
        if not size:
            raise BadMessage("voice holds a negative number")
        value = int.from_bytes(data[at + 1 : at + size], "big")
    if at + size > len(data):
        raise BadMessage("voice ends in the middle of a number")
    return value, at + size


@dataclass(frozen=True, slots=True)
class Voice:
    """One packet of Opus. ``sequence`` counts 10 ms; ``last``: the speaker let go. ``target``: 0 is the channel."""

    sequence: int
    opus: bytes
    last: bool = False
    session: int = 0
    target: int = 0

    def to_server(self) -> bytes:
        """The frame that a client sends; ``BadMessage`` when it is too long."""
        head = bytes([OPUS << 5 | self.target & 31])
        packet = head + number(self.sequence) + number(len(self.opus) | (TERMINATOR if self.last else 0)) + self.opus
        if len(packet) > MAX_VOICE:
            raise BadMessage(f"{len(packet)} bytes of voice in one packet; at most {MAX_VOICE}")
        return frame(TUNNEL, packet)


def voice(packet: bytes) -> Voice | None:
    """What came out of the tunnel; ``None`` for a ping or a codec other than Opus. ``BadMessage`` otherwise."""
    if not packet:
        raise BadMessage("an empty voice packet")
    if len(packet) > MAX_VOICE + 32:  # the server adds the session
        raise BadMessage(f"{len(packet)} bytes of voice in one packet; at most {MAX_VOICE}")
    if packet[0] >> 5 != OPUS:
        return None
    session, at = _read_number(packet, 1)
    sequence, at = _read_number(packet, at)
    size, at = _read_number(packet, at)
    length = size & (TERMINATOR - 1)
    if at + length > len(packet):
        raise BadMessage("a voice packet is shorter than it says")
    return Voice(sequence, packet[at : at + length], bool(size & TERMINATOR), session, packet[0] & 31)
