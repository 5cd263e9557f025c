"""Pictures from a camera's address, one after the other, until it fails or ``stop`` is set.

Errors are ``Unavailable`` in words for the operator; they never hold the address or the credentials, which the
libraries' own messages do.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import av
import av.error
import av.logging
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from hub.core.error import InvalidInput, Unavailable
from hub.vision.multipart import parts
from hub.vision.picture import MAX_PIXELS, Picture, StillPicture, StreamPicture, jpeg
from hub.vision.relay import Relay
from hub.vision.spec import SourceSpec

OPEN_S, READ_S = 5.0, 3.0
"""Time limits: until the stream is open, and between two packets."""
MAX_STILL = 16 << 20
MAX_STILL_S = 10.0
MAX_BROKEN = 250
"""Packets in a row that cannot be decoded: ten seconds of a usual camera, more than one group of pictures."""
_LATE = "the camera does not answer in time"
_RTSP = {
    "rtsp_transport": "tcp",
    "analyzeduration": "0",
    "probesize": "32",
    "fflags": "nobuffer",
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp,crypto",  # a camera's answer must not lead to files
}
av.logging.set_level(None)  # libav writes addresses, credentials included, to standard error


def pictures(spec: SourceSpec, stop: threading.Event, relay: Relay) -> Iterator[Picture]:
    """Pictures of a source as they come; what viewers get goes to ``relay``, unless it has an address of its own. Ends
    when ``stop`` is set, else with ``Unavailable``."""
    own = None if spec.live_url else relay
    return _stream(spec, stop, own) if spec.is_stream else _stills(spec, stop, own)


def follow(spec: SourceSpec, stop: Callable[[], bool], relay: Relay) -> None:
    """Pull a stream for viewers alone, without decoding, until ``stop()``; else ``Unavailable``."""
    with _opened(spec) as (container, video):
        for packet in container.demux(video):
            if stop():
                return
            if not video.codec_context.width:  # the size stands in the first picture
                packet.decode()
            relay.packet(packet, video)


@contextlib.contextmanager
def _opened(spec: SourceSpec) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The stream's container and its video; every fault as ``Unavailable``, its end too."""
    began, opened = time.monotonic(), False
    try:
        with av.open(spec.full_url, format="rtsp", options=dict(_RTSP), timeout=(OPEN_S, READ_S)) as container:
            opened = True
            if not container.streams.video:
                raise Unavailable("the stream has no video")
            video = container.streams.video[0]
            video.thread_type = "NONE"  # frame threads hold pictures back
            yield container, video
    except (av.error.FFmpegError, OSError, ValueError) as fault:
        if not opened and time.monotonic() - began >= OPEN_S:  # libav calls its own time limit invalid data
            raise Unavailable(_LATE) from None
        raise Unavailable(_words(fault)) from None


def _stream(spec: SourceSpec, stop: threading.Event, relay: Relay | None) -> Iterator[Picture]:
    with _opened(spec) as (container, video):
        for frame in _decoded(container, video, relay):
            if stop.is_set():
                return
            if frame.width * frame.height > MAX_PIXELS:
                raise Unavailable(f"pictures of {frame.width} × {frame.height} are over {MAX_PIXELS} pixels")
            yield StreamPicture(frame)
    raise Unavailable("the camera ended the stream")


def _decoded(container: InputContainer, video: VideoStream, relay: Relay | None) -> Iterator[VideoFrame]:
    """Frames of the stream; broken packets are passed over, as before the first key frame, but not for ever."""
    broken = 0
    for packet in container.demux(video):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            broken += 1
            if broken > MAX_BROKEN:
                raise
            continue
        if relay is not None:
            relay.packet(packet, video)
        for frame in frames:
            broken = 0
            yield frame


_STREAM_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (av.error.HTTPUnauthorizedError, "the camera refuses the user name or password"),
    (av.error.HTTPForbiddenError, "the camera forbids this stream to this account"),
    (av.error.HTTPNotFoundError, "the camera knows no stream of this path"),
    (av.error.ConnectionRefusedError, "nothing listens at the address"),
    (av.error.TimeoutError, _LATE),
    (av.error.ExitError, _LATE),
    (av.error.InvalidDataError, "what answers is no video that can be decoded"),
    (av.error.EOFError, "the camera ended the stream"),
    (av.error.ProtocolNotFoundError, "what answers is no video that can be decoded"),
)


def _words(fault: BaseException) -> str:
    """Plain words for libav's error; of unknown ones only the class and the system's text, never the address."""
    for kind, words in _STREAM_WORDS:
        if isinstance(fault, kind):
            return words
    text = getattr(fault, "strerror", None)
    return f"the stream failed: {text or type(fault).__name__}"


def _stills(spec: SourceSpec, stop: threading.Event, relay: Relay | None) -> Iterator[Picture]:
    opener = _opener(spec)
    while not stop.is_set():
        due = time.monotonic() + spec.every_s
        for data in _answered(opener, spec):
            try:
                picture = StillPicture(data)
            except InvalidInput as broken:
                raise Unavailable(f"the snapshot is {broken.message}") from None
            if relay is not None:
                relay.picture(data if data[:2] == b"\xff\xd8" else jpeg(picture))
            yield picture
            if stop.is_set():
                return
        stop.wait(max(due - time.monotonic(), 0.01))


def _answered(opener: urllib.request.OpenerDirector, spec: SourceSpec) -> Iterator[bytes]:
    """The pictures of one answer: one, or one after the other as long as the camera sends them."""
    try:
        with opener.open(spec.url, timeout=OPEN_S) as answer:
            if answer.headers.get_content_type() == "multipart/x-mixed-replace":
                yield from parts(answer, answer.headers.get_boundary() or "")
            else:
                yield _body(answer)
    except urllib.error.HTTPError as refused:
        raise Unavailable(_http_words(refused.code)) from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        late = isinstance(getattr(fault, "reason", fault), TimeoutError)
        raise Unavailable(_LATE if late else "the address cannot be reached") from None


def _body(answer: http.client.HTTPResponse) -> bytes:
    """The answer's bytes, bounded in size and, against a camera that drips, in time."""
    until = time.monotonic() + MAX_STILL_S
    parts: list[bytes] = []
    while part := answer.read1(1 << 16):
        parts.append(part)
        if len(parts) << 16 > MAX_STILL and sum(map(len, parts)) > MAX_STILL:
            raise Unavailable(f"the snapshot is over {MAX_STILL >> 20} MB")
        if time.monotonic() > until:
            raise Unavailable(_LATE)
    return b"".join(parts)


def _http_words(code: int) -> str:
    if code == 401:
        return "the camera refuses the user name or password"
    if 300 <= code < 400:
        return "the camera sends to another address, which is not followed: give the final one"
    return f"the camera answers {code} {http.client.responses.get(code, '')}".strip()


def _opener(spec: SourceSpec) -> urllib.request.OpenerDirector:
    """HTTP and HTTPS, Digest before Basic, no redirects, no proxy, no other schemes."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if spec.username:
        passwords.add_password(None, spec.url, spec.username, spec.password)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDigestAuthHandler(passwords),
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
