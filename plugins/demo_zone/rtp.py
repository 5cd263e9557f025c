"""H.264 in RTP (RFC 6184, packetization-mode 1), framed for RTSP's own connection (RFC 2326, 10.12), and its SDP."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence

PAYLOAD_TYPE = 96
CLOCK = 90_000
MAX_PAYLOAD = 1400
_FRAGMENT = 28


def sdp(address: str, headers: tuple[bytes, bytes], fps: int) -> bytes:
    """The description that DESCRIBE answers with (RFC 8866)."""
    sets = ",".join(base64.b64encode(unit).decode() for unit in headers)
    profile = headers[0][1:4].hex()
    lines = (
        "v=0", f"o=- 1 1 IN IP4 {address}", "s=Simulated street", "t=0 0", "a=tool:demo zone", "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}", "c=IN IP4 0.0.0.0", f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}",
        f"a=framerate:{fps}", "a=control:track1",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n").encode()


def payloads(units: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """RTP payloads of one access unit, each with its marker: whole units, large ones in FU-A fragments (5.8)."""
    for place, unit in enumerate(units):
        last = place == len(units) - 1
        if len(unit) <= MAX_PAYLOAD:
            yield unit, last
            continue
        indicator, kind = unit[0] & 0xE0 | _FRAGMENT, unit[0] & 0x1F
        size = MAX_PAYLOAD - 2
        parts = range(1, len(unit), size)
        for start in parts:
            first, end = start == 1, start + size >= len(unit)
            yield bytes((indicator, first << 7 | end << 6 | kind)) + unit[start : start + size], last and end


class Sender:
    """The sequence of one client's packets. ``channel``: the interleaved channel it asked for."""

    def __init__(self, channel: int, ssrc: int) -> None:
        self.channel, self.ssrc, self.sequence = channel, ssrc, 0

    def packets(self, units: Sequence[bytes], timestamp: int) -> bytes:
        """One access unit as interleaved frames, ready to be written."""
        frames = []
        for payload, marker in payloads(units):
            kind = marker << 7 | PAYLOAD_TYPE
            header = struct.pack(">BBHII", 0x80, kind, self.sequence, timestamp % 2**32, self.ssrc)
            frames.append(struct.pack(">BBH", 0x24, self.channel, len(header) + len(payload)) + header + payload)
            self.sequence = (self.sequence + 1) % 65536
        return b"".join(frames)
