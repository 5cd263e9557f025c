"""The register's connector. No public interface of CRIMES was found, so what the station's own gateway must speak is
written in README.md; the address is configured."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

MAX_ANSWER = 256 << 10
MAX_LINES = 50
MAX_LINE = 500


class RegisterError(Exception):
    """The register gave no usable answer; the text says why, without what was asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the register knows. ``lines``: what the officer reads."""

    hit: bool
    lines: tuple[str, ...]


class Register:
    """Asks over HTTPS. ``timeout_s`` bounds each question."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, timeout_s: float) -> None:
        self._session, self._url, self._token = session, url, token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def ask(self, kind: str, value: str, by: str, incident: str, request: str) -> Found:
        """POST the question. ``RegisterError`` for no, a wrong or too large an answer."""
        body = {"kind": kind, "value": value, "officer": by, "incident": incident, "request": request}
        return _found(await self._post(self._url, body))

    async def well(self) -> None:
        """GET the same address: 200 when the register is there; ``RegisterError`` otherwise."""
        try:
            async with self._session.get(
                self._url, headers=self._headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise RegisterError(_refused(answer.status))
        except TimeoutError:
            raise RegisterError(f"no answer in {self._timeout.total:g} s") from None
        except aiohttp.ClientError as broken:
            raise RegisterError(f"cannot be reached: {type(broken).__name__}") from None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _post(self, url: str, body: dict[str, Any]) -> Any:
        try:
            async with self._session.post(
                url, json=body, headers=self._headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise RegisterError(_refused(answer.status))
                raw = await answer.content.read(MAX_ANSWER + 1)
                while len(raw) <= MAX_ANSWER and (part := await answer.content.read(MAX_ANSWER + 1 - len(raw))):
                    raw += part
                if len(raw) > MAX_ANSWER:
                    raise RegisterError(f"the answer is over {MAX_ANSWER >> 10} KB")
                return await asyncio.to_thread(_json, raw)
        except TimeoutError:
            raise RegisterError(f"no answer in {self._timeout.total:g} s") from None
        except aiohttp.ClientError as broken:
            raise RegisterError(f"cannot be reached: {type(broken).__name__}") from None


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RegisterError("the answer is no JSON") from None


def _refused(status: int) -> str:
    words = {401: "the token is refused", 403: "the station may not ask", 404: "there is no register at this address",
             429: "it asks for patience"}  # fmt: skip
    return words.get(status, f"it answered HTTP {status}")


def _found(document: Any) -> Found:
    """``{"hit": bool, "lines": [str]}``."""
    if not isinstance(document, dict) or not isinstance(document.get("hit"), bool):
        raise RegisterError("the answer has no field hit that is true or false")
    lines = document.get("lines", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise RegisterError("the answer's lines are no list of texts")
    return Found(document["hit"], tuple(line[:MAX_LINE] for line in lines[:MAX_LINES]))
