"""What a browser needs to find the other one: STUN and TURN servers, with passwords that end by themselves
(draft-uberti-behave-turn-rest-00, as coturn's ``use-auth-secret`` checks them)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from .settings import IceSettings


def credential(secret: str, who: str, expires: int) -> tuple[str, str]:
    """User name and password for TURN, good until ``expires`` (seconds since 1970)."""
    username = f"{expires}:{who}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()  # SHA-1 is what coturn speaks
    return username, base64.b64encode(digest).decode()


def ice_config(settings: IceSettings, who: str, now: float) -> dict[str, Any]:
    """An ``RTCConfiguration`` (WebRTC 1.0, section 4.2.1) for one side of one call."""
    servers: list[dict[str, Any]] = []
    if settings.stun:
        servers.append({"urls": settings.stun})
    if settings.turn and settings.turn_secret is not None:
        expires = int(now) + settings.turn_ttl_s
        username, password = credential(settings.turn_secret.get_secret_value(), who, expires)
        servers.append({"urls": settings.turn, "username": username, "credential": password})
    policy = "relay" if settings.relay_only else "all"
    return {"iceServers": servers, "iceTransportPolicy": policy}
