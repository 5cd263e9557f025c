"""What protects the reader of a plugin's public page: its Content-Security-Policy (CSP Level 3) and its one cookie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from aiohttp import web

from hub.core.error import InvalidInput

# A plugin's page is its own world: no script of it runs, and it is of no origin (``sandbox``).
SILENT = (
    "sandbox allow-forms; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'"
)
SENSORS = ("camera", "microphone", "geolocation")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")
_KEPT = re.compile(r"[A-Za-z0-9._~-]{1,512}")
_KEEP_S = 90 * 86_400


def with_scripts(request: web.Request, instance: str) -> str:
    """The policy of a page that runs script files: only its own and the hub's ``/vendor/``, no inline script. They
    reach only the instance's own addresses, so that the staff's, which may be of the same origin, stay out of reach.
    No pop-up and no frame: another page of the origin is not to be had by script either. ``tel:`` links work."""
    if not _HOST.fullmatch(request.host):
        return SILENT
    own, vendor = f"{request.host}/hook/{instance}/", f"{request.host}/vendor/"
    socket = f"{'wss' if request.secure else 'ws'}://{own}"
    return (
        "sandbox allow-forms allow-scripts allow-same-origin "
        "allow-top-navigation-to-custom-protocols; default-src 'none'; "
        f"script-src {own} {vendor} 'wasm-unsafe-eval'; connect-src {own} {vendor} {socket}; worker-src {own}; "
        f"style-src {own} 'unsafe-inline'; img-src {own} data: blob:; media-src {own} blob:; manifest-src {own}; "
        f"form-action {own}; base-uri 'none'; frame-ancestors 'none'"
    )


def leads_into(location: str, base: str) -> bool:
    """Does a ``Location`` stay below the path ``base`` (``/hook/thing/``) of this origin, as a browser reads it (URL
    Standard, 4.4: a backslash is a slash, ``%2e`` a dot, tabs are nothing)? The policy's paths do not hold after a
    redirect (CSP Level 3, 7.6)."""
    path = re.split("[?#]", location, maxsplit=1)[0]
    if re.search(r"[\x00-\x20\x7f\\]", location) or not (path == base.rstrip("/") or path.startswith(base)):
        return False
    return not any(unquote(step) in (".", "..") for step in path.split("/"))


def permissions(named: Sequence[str]) -> str:
    """``Permissions-Policy`` of a plugin's page: what its ``plugin.toml`` names, and no other sensor. Browsers ask the
    reader each time, and only on a page of an origin, which a page without scripts is not."""
    return ", ".join(f"{name}=({'self' if name in named else ''})" for name in SENSORS)


def remember(response: web.Response, request: web.Request, instance: str, kept: str) -> None:
    """Let the reader's browser keep ``kept`` for this instance alone (RFC 6265, no script sees it); "" forgets it."""
    name, path = _name(instance), f"/hook/{instance}"
    if not kept:
        response.del_cookie(name, path=path)
        return
    if not _KEPT.fullmatch(kept):
        raise InvalidInput("a browser keeps at most 512 letters, digits and . _ ~ -", where=instance)
    response.set_cookie(
        name, kept, max_age=_KEEP_S, path=path, httponly=True, samesite="Lax", secure=request.secure
    )  # fmt: skip


def remembered(request: web.Request, instance: str) -> str:
    """What the browser kept for the instance."""
    kept = request.cookies.get(_name(instance), "")
    return kept if _KEPT.fullmatch(kept) else ""


def _name(instance: str) -> str:
    return f"hook_{instance}"
