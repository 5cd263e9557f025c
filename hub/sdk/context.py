"""``Context``: all that a plugin instance may do, whether it runs in the hub's process or in a child of its own.

Every method is async and every value serialisable, so the same plugin runs in both. What an instance may do is
limited by its grants: it emits only the event types its ``plugin.toml`` lists, for its own entities.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from hub.core.action import Call, Outcome
from hub.core.clock import Clock
from hub.core.entity import Entity
from hub.core.event import Event, EventData
from hub.core.ids import Ids
from hub.core.journal import Query
from hub.core.state import EntityState

S = TypeVar("S")
Handler = Callable[[Event], Awaitable[None]]

MAX_BODY = 1 << 20

_current_call: ContextVar[Call | None] = ContextVar("hub_current_call", default=None)


def current_call() -> Call:
    """Inside an action: who asked, under which key and for what cause."""
    call = _current_call.get()
    if call is None:
        raise RuntimeError("current_call() is for the body of an action only")
    return call


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What came to a route. ``path`` is the part after the instance's own prefix; header names are small letters.

    ``actor``: who is signed in (``user:NAME``), on staff routes; ``None`` on public ones. ``remembered``: what the
    browser keeps for this instance since an answer's ``remember``, on public routes.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    remote: str
    actor: str | None = None
    remembered: str = ""


@dataclass(frozen=True, slots=True)
class WebResponse:
    """What a route answers.

    For public pages of plugins in the hub's own process: with ``scripts`` the page's script files run (those below
    the instance's address and the hub's ``/vendor/``; no inline script), reach the instance's own addresses, and may
    keep data in the browser. ``remember``: what the browser is to keep for this instance (a cookie no script sees, 90
    days, at most 512 letters, digits and ``. _ ~ -``); "" forgets it.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    scripts: bool = False
    remember: str | None = None


class Socket(Protocol):
    """A WebSocket at one of the instance's addresses (RFC 6455)."""

    request: WebRequest

    async def receive(self) -> str | bytes | None:
        """The next message, of at most 1 MiB; ``None`` when the other side has closed."""

    async def send(self, message: str | bytes) -> None:
        """Send; ``Unavailable`` when the other side is gone or took nothing for 10 s."""

    async def close(self, reason: str = "") -> None:
        """Close, with a reason of at most 120 bytes."""


@dataclass(frozen=True, slots=True)
class VideoSource:
    """Where a camera's picture comes from; the vision process does the rest.

    ``url``: rtsp://, rtsps://, http:// or https://. ``analyse``: any of ``motion`` and ``plate``. ``fps``: pictures
    a second that are analysed. Credentials are given apart so that they never stand in a log.

    ``kind``: ``stream`` (RTSP), ``snapshot`` (a JPEG or PNG by HTTP, fetched every ``every_s`` seconds, else ``fps``
    times a second) or ``mjpeg`` (multipart/x-mixed-replace by HTTP); "" takes what the address says, and over HTTP
    what answers. ``live_url``: another stream of the same camera for viewers and evidence, such as an H.264 one where
    ``url`` is H.265; "" uses ``url``, with one pull for both. ``record_s``: seconds of video that are kept in memory
    for ``Video.clip``, 0 to 60; 0 keeps none.
    """

    url: str
    username: str | None = None
    password: str | None = None
    analyse: tuple[str, ...] = ()
    fps: float = 5.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    every_s: float | None = None
    live_url: str = ""
    record_s: float = 0.0


class Video(Protocol):
    """A source under the vision process's care."""

    async def snapshot(self) -> str:
        """Keep the newest picture; its media id. ``Unavailable`` when there is none yet."""

    async def clip(self, before_s: float = 10.0, after_s: float = 10.0, incident: str | None = None) -> list[str]:
        """Keep the video around now as MP4 and report each piece as ``clip_saved``; their media ids, in order: more
        than one only where a single file would be over 15 MiB. Returns after ``after_s`` seconds (each 0 to 60).
        ``Unavailable`` when no video comes."""

    async def close(self) -> None:
        """Stop."""


class Records(Protocol):
    """A table of the instance's own in the journal's database: many small rows, encrypted, no limit of documents."""

    async def put(self, key: str, value: Any) -> None:
        """Write one; durable when it returns."""

    async def delete(self, key: str) -> None:
        """Remove one."""

    async def all(self) -> dict[str, Any]:
        """All rows by key."""


Choices = Sequence[Sequence[tuple[str, float]]]
"""Of each letter of a reading what it may be, and at what cost."""


class WordList(Protocol):
    """Words by name that uncertain readings are compared with, as the plates of a watch-list: at most 100,000 of 2 to
    12 letters, where ``?`` is a letter that nobody saw. Kept in memory: put them again at set-up."""

    async def put(self, words: Mapping[str, str | None]) -> None:
        """Add or replace words; ``None`` takes one out."""

    async def nearest(
        self, read: Choices, *, other: float, gap: float, bound: float, most: int = 16
    ) -> list[tuple[str, float]]:
        """(name, cost) of the words that cost at most ``bound``, cheapest first. A letter that ``read`` does not name
        costs ``other``, one too many or too few ``gap``; ``?`` costs nothing. 0.3 ms for 100,000 words and the way to
        the vision process, which compares. ``Unavailable`` while that starts anew."""


class Collection(Protocol):
    """Documents that people edit; at most 5,000."""

    async def get(self, key: str) -> dict[str, Any] | None:
        """One document."""

    async def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Write one; durable when it returns."""

    async def delete(self, key: str) -> None:
        """Remove one."""

    async def all(self) -> dict[str, dict[str, Any]]:
        """All by key."""


class MediaDraft(Protocol):
    """Media that come piece by piece (a recording): what ``append`` returned for is there after a crash. One caller at
    a time."""

    @property
    def size(self) -> int:
        """Bytes that are on the disk."""

    async def append(self, chunk: bytes) -> int:
        """Add; on the disk when it returns. The size then. ``LimitExceeded`` beyond 16 MiB."""

    async def keep(self) -> str:
        """Make it media; the id. ``InvalidInput`` when nothing came."""

    async def drop(self) -> None:
        """Forget it."""


class MediaStore(Protocol):
    """Pictures and recordings."""

    async def put(
        self, content: bytes, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> str:
        """Keep; the media id. ``entity``: the instance's own camera or other entity it came from, whose owner may see
        it."""

    async def get(self, media: str) -> tuple[bytes, str]:
        """Bytes and MIME type; ``Denied`` for what neither the instance kept nor came from its entities."""

    async def draft(
        self, key: str, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> MediaDraft:
        """Begin media that come piece by piece, or go on with those of ``key`` after a crash. At most 64 unfinished;
        for plugins in the hub's own process."""

    async def drafts(self) -> list[str]:
        """The keys of what the instance began and did not finish."""


class Context(Protocol):
    """The hub as an instance sees it."""

    instance: str
    clock: Clock
    ids: Ids
    log: logging.Logger
    media: MediaStore

    async def add(self, entity: Entity, device: object | None = None) -> None:
        """Bring an entity in. ``device`` implements the Protocols named in ``entity.capabilities``; its methods
        serve the actions. Adding it again updates the description."""

    async def remove(self, entity: str) -> None:
        """Take one of the instance's entities out."""

    async def emit(
        self, data: EventData, *, entity: str | None = None, at: float | None = None, cause: str | None = None
    ) -> int:
        """Report a fact; its sequence number, once it is durable. Inside an action the cause is filled in."""

    async def emit_named(
        self, type: str, data: Mapping[str, Any], *, entity: str | None = None, at: float | None = None,
        cause: str | None = None,
    ) -> int:  # fmt: skip
        """The same for a type declared in ``plugin.toml``."""

    async def on(
        self, type: str, handler: Handler, *, match: Mapping[str, Any] | None = None, entity: str | None = None,
        durable: bool = False,
    ) -> None:  # fmt: skip
        """Call ``handler`` with each committed event of that type, in order, one at a time (queue of 1,000).

        ``durable``: events that came while the instance was not there, or were in the queue when the hub stopped,
        are delivered first; an event may then come twice, so the handler must be idempotent.
        """

    async def act(self, name: str, handler: Callable[..., Awaitable[Any]]) -> None:
        """Serve an action declared in ``plugin.toml``; the handler's signature validates the parameters."""

    async def call(
        self, action: str, target: str | None = None, params: Mapping[str, Any] | None = None, *,
        key: str | None = None, cause: str | None = None,
    ) -> Outcome:  # fmt: skip
        """Ask for an action with the instance's own rights."""

    async def state(self, entity: str) -> EntityState | None:
        """One entity's state."""

    async def states(self, domain: str) -> list[EntityState]:
        """All of a domain."""

    async def history(self, query: Query) -> list[Event]:
        """Committed events."""

    async def every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        """Call again and again, ``seconds`` after the last call ended, until unload."""

    async def offer(self, protocol: type[S], service: S) -> None:
        """Offer a service to other plugins under a Protocol they know."""

    async def need(self, protocol: type[S]) -> S:
        """A service another instance offers; waits until it is there (the set-up's time limit bounds it)."""

    async def video(self, entity: str, source: VideoSource) -> Video:
        """Hand a camera's source to the vision process; what it sees comes as events of ``entity``."""

    def documents(self, name: str) -> Collection:
        """A collection of the instance's own."""

    def records(self, name: str) -> Records:
        """A table of the instance's own."""

    def words(self, name: str) -> WordList:
        """A list of words of the instance's own, empty at first."""

    async def route(
        self, method: str, path: str, handler: Callable[[WebRequest], Awaitable[WebResponse]],
        right: str | None = None,
    ) -> None:  # fmt: skip
        """Serve ``/hook/INSTANCE/path`` on the public listener (bodies up to 1 MiB), or, with a ``right``,
        ``/plugin/INSTANCE/path`` on the staff listener (up to 16 MiB): who is signed in and has it may ask.
        The hub refuses the others before the handler."""

    async def socket(
        self, path: str, handler: Callable[[Socket], Awaitable[None]], right: str | None = None
    ) -> None:
        """The same for a WebSocket; it is open as long as ``handler`` runs. 200 an instance at once."""

    async def address(self) -> str:
        """The address under which phones and webhooks reach the hub: ``https://HOST:PORT``."""

    async def health(self, ok: bool, reason: str = "") -> None:
        """Say that the instance cannot do its duty now (shown with the reason), or that it can again."""

    async def alive(self, entity: str | None = None) -> None:
        """The other side (device, service, person) gave a sign of life, and so did ``entity`` when it is named: a
        device whose ``silent_after`` is set and that has nothing to tell. Each emit is one too. When ``silent_after_s``
        passes without any, the hub reports the instance as silent."""

    async def pdf(self, html: str) -> bytes:
        """A PDF of a page of HTML and CSS (A4 unless ``@page`` says otherwise). Only ``data:`` addresses load.
        ``InvalidInput`` when it is over 4 MiB, ``TimedOut`` after 30 s."""
