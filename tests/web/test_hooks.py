"""A plugin's routes: no session and no API token reaches it, and its pages are of no origin."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hub.sdk.context import WebRequest, WebResponse
from hub.web.public import public_app


async def asked(headers: dict[str, str], answer: WebResponse) -> tuple[WebRequest, dict[str, str]]:
    seen: list[WebRequest] = []

    async def dispatch(instance: str, request: WebRequest) -> WebResponse:
        seen.append(request)
        return answer

    app: web.Application = public_app(dispatch, lambda: {"status": "ok"})
    async with TestClient(TestServer(app)) as client, client.get("/hook/thing/page", headers=headers) as response:
        return seen[0], dict(response.headers)


async def test_sessions_and_api_tokens_do_not_reach_a_plugin() -> None:
    sent = {"Cookie": "hub_session=secret", "Authorization": "Bearer szh_x", "X-Line": "1"}
    request, _ = await asked(sent, WebResponse())
    assert {"cookie", "authorization"} & request.headers.keys() == set()
    assert request.headers["x-line"] == "1"


async def test_a_phones_own_password_does() -> None:
    request, _ = await asked({"Authorization": "Basic czIxMTp4"}, WebResponse())
    assert request.headers["authorization"] == "Basic czIxMTp4"


async def test_a_plugin_cannot_weaken_what_protects_the_reader() -> None:
    weaker = {"Content-Security-Policy": "default-src *", "Set-Cookie": "hub_session=x", "Clear-Site-Data": "*",
              "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}  # fmt: skip
    _, headers = await asked({}, WebResponse(headers=weaker))
    assert headers["Content-Security-Policy"].startswith("sandbox allow-forms; default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert not {"Set-Cookie", "Clear-Site-Data", "Access-Control-Allow-Origin"} & headers.keys()
