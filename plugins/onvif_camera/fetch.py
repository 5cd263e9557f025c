"""One picture by HTTP, with Digest (RFC 7616) and then Basic (RFC 7617) when the camera asks for it.

The library's own ``get_snapshot`` fails on cameras that know Basic only, so this is ours. Redirects are not followed:
they would carry the password to wherever the camera says.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from hub.sdk import ActionFailed, LimitExceeded, Unavailable

MAX_PICTURE = 8 << 20
WITHIN_S = 8.0
_PART: Final = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_KINDS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


async def fetch(url: str, username: str | None, password: str | None) -> tuple[bytes, str]:
    """The picture and its MIME type, by its first bytes. ``Unavailable`` when the camera does not give it,
    ``ActionFailed`` when what it gives is no picture, ``LimitExceeded`` over 8 MiB."""
    limit = aiohttp.ClientTimeout(total=WITHIN_S)
    connector = aiohttp.TCPConnector(ssl=False)  # cameras sign for themselves; the password goes out as Digest
    try:
        async with aiohttp.ClientSession(timeout=limit, connector=connector) as http:
            status, asked, content = await _get(http, url, None)
            if status == 401 and username is not None:
                for header in answers(asked, "GET", url, username, password or ""):
                    status, _, content = await _get(http, url, header)
                    if status != 401:
                        break
    except TimeoutError:
        raise Unavailable(f"no picture within {WITHIN_S:g} s", where=_shown(url)) from None
    except aiohttp.ClientError as fault:
        raise Unavailable(f"the picture cannot be fetched: {type(fault).__name__}", where=_shown(url)) from None
    if status == 401:
        raise Unavailable("the camera refuses the user name or password", where=_shown(url), hint="check the settings")
    if status != 200:
        raise Unavailable(f"the camera answered {status}", where=_shown(url))
    kind = next((mime for head, mime in _KINDS.items() if content.startswith(head)), None)
    if kind is None:
        raise ActionFailed("what the camera sent is no picture", where=_shown(url))
    return content, kind


async def _get(http: aiohttp.ClientSession, url: str, header: str | None) -> tuple[int, list[str], bytes]:
    headers = {"Authorization": header} if header else {}
    async with http.get(url, headers=headers, allow_redirects=False) as answer:
        if answer.status != 200:
            return answer.status, answer.headers.getall("WWW-Authenticate", []), b""
        content = bytearray()
        async for chunk in answer.content.iter_chunked(1 << 16):
            content += chunk
            if len(content) > MAX_PICTURE:
                raise LimitExceeded(f"the picture is over {MAX_PICTURE >> 20} MiB", where=_shown(url))
        return 200, [], bytes(content)


def answers(asked: list[str], method: str, url: str, username: str, password: str, cnonce: str = "") -> list[str]:
    """What to send for the challenges of a 401: each Digest that is understood, the strongest first, then Basic."""
    digests: list[tuple[str, str]] = []
    basic = []
    for one in asked:
        scheme, _, rest = one.partition(" ")
        if scheme.lower() == "basic":
            basic = ["Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()]
        elif scheme.lower() == "digest":
            parts = {key.lower(): quoted or bare for key, quoted, bare in _PART.findall(rest)}
            header = digest(parts, method, url, username, password, cnonce or secrets.token_hex(8))
            if header is not None:
                digests.append((parts.get("algorithm", "MD5").upper(), header))
    digests.sort(key=lambda row: row[0].startswith("MD5"))
    return [header for _, header in digests] + basic


def digest(
    parts: Mapping[str, str], method: str, url: str, username: str, password: str, cnonce: str
) -> str | None:
    """The ``Authorization`` header of RFC 7616 for one challenge, ``None`` when its algorithm is not understood."""
    name = parts.get("algorithm", "MD5").upper()
    session = name.endswith("-SESS")
    kind = _HASHES.get(name.removesuffix("-SESS"))
    if kind is None or "nonce" not in parts:
        return None

    def hashed(text: str) -> str:
        return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()

    split = urlsplit(url)
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    realm, nonce = parts.get("realm", ""), parts["nonce"]
    first = hashed(f"{username}:{realm}:{password}")
    if session:
        first = hashed(f"{first}:{nonce}:{cnonce}")
    second, offered = hashed(f"{method}:{path}"), [word.strip() for word in parts.get("qop", "").split(",")]
    fields = {"username": username, "realm": realm, "nonce": nonce, "uri": path}
    if "auth" in offered:
        fields["response"] = hashed(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")
        fields["cnonce"] = cnonce
    else:
        fields["response"] = hashed(f"{first}:{nonce}:{second}")
    if "opaque" in parts:
        fields["opaque"] = parts["opaque"]
    text = ", ".join(f'{key}="{_escaped(value)}"' for key, value in fields.items())
    extra = (", qop=auth, nc=00000001" if "auth" in offered else "") + f", algorithm={parts.get('algorithm', 'MD5')}"
    return f"Digest {text}{extra}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _shown(url: str) -> str:
    """The address without anything secret: cameras put tokens into the query."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.hostname}:{split.port or (443 if split.scheme == 'https' else 80)}{split.path}"
