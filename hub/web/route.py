"""Routes as data: each names the right it needs, so that a test can walk routes × roles and the OpenAPI document
is made from the same table that serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from hub.core.access import Actor
from hub.core.error import InvalidInput

OPEN = ""  # nobody needs to be signed in
SIGNED_IN = "*"  # anybody who is signed in

B = TypeVar("B", bound=BaseModel)


class Body(BaseModel):
    """Base of request bodies: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


class NoBody(Body):
    """A request without a body."""


@dataclass(frozen=True, slots=True)
class Ask(Generic[B]):
    """One request, authenticated and validated."""

    request: web.Request
    actor: Actor
    body: B

    @property
    def path(self) -> Mapping[str, str]:
        """The variable parts of the path."""
        return self.request.match_info

    def number(self, name: str, default: int, *, lowest: int = 0, highest: int = 1 << 53) -> int:
        """A whole number from the query string; ``InvalidInput`` names it otherwise."""
        raw = self.request.query.get(name)
        if raw is None:
            return default
        try:
            value = int(raw)
        except ValueError:
            raise InvalidInput(f"{raw!r} is no whole number", where=name) from None
        if not lowest <= value <= highest:
            raise InvalidInput(f"{value} is not between {lowest} and {highest}", where=name)
        return value

    def word(self, name: str) -> str | None:
        """A text from the query string; ``None`` when it is missing or empty."""
        return self.request.query.get(name) or None


Handler = Callable[[Ask[Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``handler`` answers JSON data or a finished response."""

    method: str
    path: str
    right: str
    summary: str
    handler: Handler
    body: type[Body] = NoBody
    filtered: bool = False  # the handler shows each caller only what is theirs: any share of the right opens it
