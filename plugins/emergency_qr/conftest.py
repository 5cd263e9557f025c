"""The real hub with the plugin, two officers, and citizens' pages over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, DummyCookieJar, FormData, WSMsgType

from hub.testing import Harness, harness

HERE = Path(__file__).parent
TOKEN = "test-sticker-token-1"
GATE = {"id": "gate", "name": {"th": "ประตูศาลตาผาแดง", "en": "San Ta Pha Daeng gate"}, "token": TOKEN}
SETTINGS: dict[str, Any] = {
    "responsible": {"th": "สภ.เมืองสุโขทัย", "en": "Mueang Sukhothai police station"},
    "stickers": [GATE | {"lat": 17.017, "lon": 99.703}],
}
WEBM = b"\x1a\x45\xdf\xa3"
JPEG = b"\xff\xd8\xff\xe0" + b"picture"
WITHIN_S = 5.0


class Talk:
    """One WebSocket: JSON both ways, and what was said so far."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"t": kind, **fields}))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that kind; others before it are passed over."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await self.socket.receive()
                assert message.type == WSMsgType.TEXT, f"waiting for {kind}: {message!r}"
                said: dict[str, Any] = json.loads(message.data)
                if said["t"] == kind:
                    return said

    async def closed(self) -> str:
        """The reason for which it was closed."""
        async with asyncio.timeout(WITHIN_S):
            while (message := await self.socket.receive()).type == WSMsgType.TEXT:
                pass
        return str(message.extra or "")


class Desk:
    """The hub under test and how people speak with it."""

    def __init__(self, hub: Harness, http: ClientSession) -> None:
        self.hub, self.http = hub, http
        self.tokens: dict[str, str] = {}

    def officer(self, name: str, *roles: str) -> Self:
        self.hub.app.accounts.add(name, "a long enough password 1", roles)
        self.tokens[name] = self.hub.app.accounts.add_token(name)[0]
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hub.port}"

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def act(self, who: str, action: str, target: str, **params: Any) -> dict[str, Any]:
        body = {"target": target, "params": params}
        path = f"{self.url}/api/actions/{action}"
        async with self.http.post(path, json=body, headers=self.bearer(who)) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    @asynccontextmanager
    async def phone(self, token: str = TOKEN) -> AsyncIterator[Talk]:
        async with self.http.ws_connect(f"{self.hub.hook('call')}?token={token}") as socket:
            yield Talk(socket)

    @asynccontextmanager
    async def staff(self, who: str, path: str) -> AsyncIterator[Talk]:
        url = f"{self.url}/plugin/{self.hub.instance}/{path}"
        async with self.http.ws_connect(url, headers=self.bearer(who)) as socket:
            yield Talk(socket)

    async def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        async with self.http.get(self.hub.hook(path), headers=headers) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def post(self, path: str, fields: dict[str, str], photo: bytes | None = None) -> tuple[int, str, str]:
        """Status, body and where it leads. As a browser without a script sends it."""
        form = FormData(default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, value)
        form.add_field("photo", photo or b"", filename="p.jpg" if photo else "", content_type="image/jpeg")
        async with self.http.post(self.hub.hook(path), data=form, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.hub.events(kind)]


@asynccontextmanager
async def desk(memory: bool = True, **settings: Any) -> AsyncIterator[Desk]:
    async with (
        harness(HERE, SETTINGS | settings, memory=memory) as hub,
        ClientSession(timeout=ClientTimeout(total=20), cookie_jar=DummyCookieJar()) as http,
    ):
        yield Desk(hub, http).officer("noi", "operator").officer("lek", "operator").officer("patrol", "patrol")
