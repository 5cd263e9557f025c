"""LINE Messaging API: sending, quota, and LINE's webhooks (developers.line.biz/en/reference/messaging-api).

What LINE answers is told apart, because each asks for something else: 400 is our mistake, 401/403 the account's, 429 is
patience or an empty quota, 409 means that the same retry key was accepted before, which is success.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

API = "https://api.line.me"
DATA_API = "https://api-data.line.me"
MAX_MESSAGES = 5
MAX_TEXT = 5000
"""UTF-16 code units of one text message."""
MAX_RECIPIENTS = 500
MAX_WEBHOOK = 512 << 10
MAX_EVENTS = 100
_MAX_ANSWER = 64 << 10
MAX_CONTENT = 10 << 20
"""Bytes of a picture, recording or file that are kept."""
_WORDS = (("text", MAX_TEXT), ("title", 100), ("address", 300))

Message = dict[str, Any]


class LineError(Exception):
    """LINE did not accept. ``status``: of HTTP, ``None`` without an answer; ``request_id``: for LINE's support."""

    def __init__(self, message: str, status: int | None = None, request_id: str = "") -> None:
        super().__init__(message)
        self.message, self.status, self.request_id = message, status, request_id


class Malformed(LineError):
    """400, or refused here before sending: the message or the recipient is wrong; the same again is refused again."""


class NotAllowed(LineError):
    """401 or 403: the channel access token, or what the account's plan may do."""


class TooMany(LineError):
    """429 by rate: the same may be sent later, after ``retry_after_s`` when LINE says so."""

    retry_after_s: float | None = None


class QuotaSpent(LineError):
    """429 by the month's quota: nothing more can be pushed until next month or another plan; replies still work."""


class NoAnswer(LineError):
    """No answer in time, a broken connection or 5xx. Outcome unknown: send again with the *same* retry key."""


@dataclass(frozen=True, slots=True)
class Sent:
    """LINE accepted. ``earlier``: by an earlier request with the same retry key (409); ``request_id`` is that one's."""

    request_id: str
    message_ids: tuple[str, ...] = ()
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """Pushes of this month. ``limit`` is ``None`` when the plan has none."""

    limit: int | None
    used: int

    @property
    def left(self) -> int | None:
        """What can still be pushed."""
        return None if self.limit is None else max(0, self.limit - self.used)


def text_message(text: str) -> Message:
    """A text message, cut with an ellipsis at LINE's limit."""
    if len(text.encode("utf-16-le")) // 2 > MAX_TEXT:
        text = text.encode("utf-16-le")[: 2 * (MAX_TEXT - 1)].decode("utf-16-le", "ignore") + "…"
    return {"type": "text", "text": text}


def location_message(title: str, address: str, lat: float, lon: float) -> Message:
    """A place on LINE's map. Both texts are cut at 100 characters."""
    return {"type": "location", "title": title[:100], "address": address[:100], "latitude": lat, "longitude": lon}


class LineClient:
    """One channel. The session is the caller's; every request ends within ``timeout_s`` seconds."""

    def __init__(
        self, session: aiohttp.ClientSession, token: str, *, base_url: str = API, data_url: str = DATA_API,
        timeout_s: float = 10.0,
    ) -> None:  # fmt: skip
        for address in (base_url, data_url):
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise Malformed(f"{address!r} is no http(s) address")
        if not token.isascii() or not token.isprintable() or not token:
            raise Malformed("the channel access token is empty or holds characters that no token has")
        self._session, self._base, self._data = session, base_url.rstrip("/"), data_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def push(self, to: str, messages: Sequence[Message], retry_key: uuid.UUID) -> Sent:
        """Send to one user, group or room. Counts against the quota once a recipient."""
        body = {"to": _recipient(to), "messages": _bounded(messages)}
        return await self._send("/v2/bot/message/push", body, retry_key)

    async def multicast(self, to: Sequence[str], messages: Sequence[Message], retry_key: uuid.UUID) -> Sent:
        """Send to several users (at most 500; no groups)."""
        if not 1 <= len(to) <= MAX_RECIPIENTS:
            raise Malformed(f"{len(to)} recipients; a multicast has 1 to {MAX_RECIPIENTS}")
        body = {"to": [_recipient(one) for one in to], "messages": _bounded(messages)}
        return await self._send("/v2/bot/message/multicast", body, retry_key)

    async def reply(self, reply_token: str, messages: Sequence[Message]) -> Sent:
        """Answer a webhook's event; free, once a token, within about a minute."""
        body = {"replyToken": reply_token, "messages": _bounded(messages)}
        return await self._send("/v2/bot/message/reply", body, None)

    async def quota(self) -> Quota:
        """The month's limit and what was used of it."""
        limit = await self._get("/v2/bot/message/quota")
        used = await self._get("/v2/bot/message/quota/consumption")
        value = limit.get("value") if limit.get("type") == "limited" else None
        return Quota(value if isinstance(value, int) else None, int(used.get("totalUsage", 0)))

    async def content(self, message_id: str) -> tuple[bytes, str]:
        """A message's picture, recording or file, and its MIME type. ``Malformed`` when it is over 10 MiB or gone;
        ``NoAnswer`` when LINE has not prepared it yet (202)."""
        if not message_id.isalnum():
            raise Malformed("the message's id is none of LINE's")
        url = f"{self._data}/v2/bot/message/{message_id}/content"
        try:
            async with self._session.get(
                url, headers=self._headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise _refusal(answer.status if answer.status != 202 else 503, answer.headers, {})
                raw = await _read(answer, MAX_CONTENT)
                if len(raw) > MAX_CONTENT:
                    raise Malformed(f"the content is over {MAX_CONTENT >> 20} MiB")
                return raw, answer.content_type
        except TimeoutError:
            raise NoAnswer(f"LINE gave no answer in {self._timeout.total:g} s") from None
        except aiohttp.ClientError as broken:
            raise NoAnswer(f"LINE cannot be reached: {type(broken).__name__}") from None

    async def _get(self, path: str) -> dict[str, Any]:
        status, headers, document = await self._request("GET", path, None, {})
        if status != 200:
            raise _refusal(status, headers, document)
        return document

    async def _send(self, path: str, body: Mapping[str, Any], retry_key: uuid.UUID | None) -> Sent:
        extra = {} if retry_key is None else {"X-Line-Retry-Key": str(retry_key)}
        status, headers, document = await self._request("POST", path, body, extra)
        if status == 409 and retry_key is not None:
            accepted = headers.get("x-line-accepted-request-id", "")
            return Sent(accepted, _message_ids(document), earlier=True)
        if status != 200:
            raise _refusal(status, headers, document)
        return Sent(headers.get("x-line-request-id", ""), _message_ids(document))

    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, extra: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        try:
            async with self._session.request(
                method, self._base + path, json=body, headers={**self._headers, **extra}, timeout=self._timeout,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                raw = await _read(answer)
                return answer.status, answer.headers, _object(raw)
        except TimeoutError:
            raise NoAnswer(f"LINE gave no answer in {self._timeout.total:g} s") from None
        except aiohttp.ClientError as broken:
            raise NoAnswer(f"LINE cannot be reached: {type(broken).__name__}") from None


async def _read(answer: aiohttp.ClientResponse, most: int = _MAX_ANSWER) -> bytes:
    """At most ``most`` bytes and one more, by which the caller sees that there is more."""
    raw = bytearray()
    while len(raw) <= most and (part := await answer.content.read(most + 1 - len(raw))):
        raw += part
    return bytes(raw)


def _object(raw: bytes) -> dict[str, Any]:
    """The answer's JSON object, empty for anything else: a proxy's page must not hide the status."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _message_ids(document: Mapping[str, Any]) -> tuple[str, ...]:
    sent = document.get("sentMessages")
    return tuple(str(one["id"]) for one in sent if isinstance(one, dict) and "id" in one) if sent else ()


def _refusal(status: int, headers: Mapping[str, str], document: Mapping[str, Any]) -> LineError:
    """The error for an answer that is no acceptance. LINE's words are kept; they name the wrong property."""
    words = [str(document.get("message") or f"HTTP {status}")[:300]]
    details = document.get("details")
    for detail in details[:5] if isinstance(details, list) else []:
        if isinstance(detail, dict):
            words.append(f"{detail.get('property', '')}: {detail.get('message', '')}"[:300])
    said, request_id = plain("; ".join(words)), headers.get("x-line-request-id", "")
    if status in (401, 403):
        return NotAllowed(f"LINE does not allow it: {said}", status, request_id)
    if status == 429 and "monthly limit" in said.lower():
        return QuotaSpent(f"the month's LINE quota is used up: {said}", status, request_id)
    if status == 429:
        many = TooMany(f"LINE asks for patience: {said}", status, request_id)
        wait = headers.get("Retry-After", "")
        many.retry_after_s = float(wait) if wait.isdecimal() and len(wait) < 6 else None
        return many
    if status >= 500:
        return NoAnswer(f"LINE has trouble: {said}", status, request_id)
    return Malformed(f"LINE refuses the message: {said}", status, request_id)


def _bounded(messages: Sequence[Message]) -> list[Message]:
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise Malformed(f"{len(messages)} messages; LINE takes 1 to {MAX_MESSAGES} in one request")
    return list(messages)


def _recipient(to: str) -> str:
    if not to or len(to) > 100 or not to.isprintable():
        raise Malformed("the recipient is no LINE id: it begins with U, C or R and is found in a webhook")
    return to


class BadWebhook(ValueError):
    """The body is not what LINE sends; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who caused an event. ``kind``: user, group or room; ids are empty where LINE gives none."""

    kind: str = ""
    user_id: str = ""
    group_id: str = ""
    room_id: str = ""

    @property
    def reply_to(self) -> str:
        """Where a push reaches the same chat."""
        return self.group_id or self.room_id or self.user_id


@dataclass(frozen=True, slots=True)
class Content:
    """An event's message. ``kind``: text, image, video, audio, file, location, sticker or newer ones."""

    id: str
    kind: str
    text: str = ""
    title: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. ``id`` (webhookEventId) stays the same when LINE delivers again; ``at``: seconds since the epoch."""

    id: str
    kind: str
    at: float
    source: Source
    redelivered: bool = False
    reply_token: str = ""
    message: Content | None = None
    postback: str = ""


def verify_signature(raw: bytes, header: str, secret: str) -> bool:
    """Whether ``X-Line-Signature`` is base64 of HMAC-SHA256 over the raw body; constant time."""
    expected = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256))
    return hmac.compare_digest(expected, header.encode("utf-8", "replace"))


def parse_webhook(raw: bytes) -> list[WebhookEvent]:
    """Events of a body whose signature was checked, in LINE's order; each id once. Errors: ``BadWebhook``."""
    if len(raw) > MAX_WEBHOOK:
        raise BadWebhook(f"the body is over {MAX_WEBHOOK >> 10} KB")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadWebhook("the body is no JSON") from None
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise BadWebhook("the body has no list of events")
    if len(events) > MAX_EVENTS:
        raise BadWebhook(f"{len(events)} events in one body, at most {MAX_EVENTS}")
    found: dict[str, WebhookEvent] = {}
    for number, event in enumerate(events):
        parsed = _event(event, f"events[{number}]")
        found.setdefault(parsed.id, parsed)
    return list(found.values())


def _event(event: Any, where: str) -> WebhookEvent:
    if not isinstance(event, dict):
        raise BadWebhook(f"{where} is no object")
    stamp = event.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, (int, float)) or not 0 <= stamp < 1e14:
        raise BadWebhook(f"{where}.timestamp is no time in milliseconds")
    identity, kind = _text(event, "webhookEventId", 64), _text(event, "type", 64)
    if not identity or not kind:
        raise BadWebhook(f"{where} has no webhookEventId or no type")
    source, message = _part(event, "source"), event.get("message")
    return WebhookEvent(
        identity,
        kind,
        stamp / 1000,
        Source(*(_text(source, name, 100) for name in ("type", "userId", "groupId", "roomId"))),
        _part(event, "deliveryContext").get("isRedelivery") is True,
        _text(event, "replyToken", 100),
        _content(message) if isinstance(message, dict) else None,
        _text(_part(event, "postback"), "data", 300),
    )


def _content(message: Mapping[str, Any]) -> Content:
    text, title, address = (_text(message, name, size) for name, size in _WORDS)
    lat, lon = _degrees(message.get("latitude"), 90), _degrees(message.get("longitude"), 180)
    known = lat is not None and lon is not None
    identity, kind = _text(message, "id", 64), _text(message, "type", 64)
    return Content(identity, kind, text, title, address, lat if known else None, lon if known else None)


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(holder: Mapping[str, Any], name: str, size: int) -> str:
    value = holder.get(name)
    return plain(value[:size]) if isinstance(value, str) else ""


def plain(text: str) -> str:
    """With ``?`` for half a surrogate pair, which no journal keeps: a citizen's other words are not lost for it."""
    return text.encode("utf-8", "replace").decode()


def _degrees(value: Any, limit: float) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and -limit <= value <= limit else None
