"""Addresses of cameras. The picture itself is pulled by the vision process."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = ("rtsp", "rtsps", "http", "https")
MAX_URL = 500


def check_url(url: str, schemes: tuple[str, ...] = SCHEMES) -> str:
    """The address when it can be a camera's; ``ValueError`` says what is wrong.

    Credentials in the address are refused: it is shown on screens and in logs.
    """
    if len(url) > MAX_URL:
        raise ValueError(f"longer than {MAX_URL} characters")
    if any(ord(ch) <= 32 or ord(ch) == 127 for ch in url):
        raise ValueError("holds spaces or control signs: write a space as %20")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise ValueError(f"no address: {wrong}") from None
    if parts.scheme not in schemes:
        raise ValueError(f"begins with {parts.scheme or 'nothing'!r}, not with one of {', '.join(schemes)}")
    if not parts.hostname or port == 0:
        raise ValueError("names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds credentials: give them as username and password")
    return url
