"""A standard camera from outside: its address, and whether it is there. The picture itself is pulled by the hub."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Final
from urllib.parse import urlsplit

from hub.sdk import ActionFailed, Unavailable

HTTP, RTSP = ("http", "https"), ("rtsp", "rtsps")
PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
WITHIN_S = 5.0
MAX_URL, MAX_LINE = 500, 512


def check_url(url: str) -> str:
    """The address when it can be a camera's; ``ValueError`` says what is wrong. Credentials stand apart."""
    if len(url) > MAX_URL or any(ord(ch) <= 32 or ord(ch) == 127 for ch in url):
        raise ValueError(f"holds spaces or control signs, or is over {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise ValueError(f"no address: {wrong}") from None
    if parts.scheme not in PORTS:
        raise ValueError(f"begins with {parts.scheme or 'nothing'!r}, not with one of {', '.join(PORTS)}")
    if not parts.hostname or port == 0:
        raise ValueError("names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds credentials: give them as username and password")
    return url


async def knock(url: str) -> str:
    """Ask whether a camera is there: ``HEAD`` over HTTP, ``OPTIONS`` over RTSP (RFC 2326, 10.1), without credentials;
    any answer in the right protocol is a sign of life. Its first line. ``Unavailable`` when nothing answers,
    ``ActionFailed`` when what answers is no camera."""
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
    where = f"{parts.hostname}:{port}"
    try:
        async with asyncio.timeout(WITHIN_S):
            said = await _first_line(str(parts.hostname), port, _question(url), parts.scheme in ("https", "rtsps"))
    except TimeoutError:
        raise Unavailable(f"the camera did not answer within {WITHIN_S:g} s", where=where) from None
    except OSError as fault:
        raise Unavailable(f"nothing answers at the address ({type(fault).__name__})", where=where) from None
    wanted = "RTSP/" if parts.scheme in RTSP else "HTTP/"
    if not said.startswith(wanted):
        raise ActionFailed(f"what answers does not speak {wanted.rstrip('/')}", where=where, hint="check port and kind")
    return said


def _question(url: str) -> bytes:
    parts = urlsplit(url)
    if parts.scheme in RTSP:
        return f"OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: safezone-hub\r\n\r\n".encode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"HEAD {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()


async def _first_line(host: str, port: int, question: bytes, tls: bool) -> str:
    secure = None
    if tls:  # cameras sign for themselves, and nothing secret is sent
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        secure.check_hostname, secure.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=secure, limit=MAX_LINE)
    try:
        writer.write(question)
        await writer.drain()
        try:
            line = await reader.readline()
        except ValueError:  # longer than any first line of a camera
            return ""
        if not line:
            raise ConnectionResetError
        return line.decode("latin-1").strip()
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await writer.wait_closed()
