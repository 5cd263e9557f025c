"""The errors of the hub, as one small tree.

::

    HubError                     something was asked that cannot be done; the words are for the reader
    ├── InvalidInput             the input is wrong: which field, what is wrong, what to do
    │   └── ConfigError          one or more mistakes in files, each with file, line and column
    ├── NotFound                 no such entity, action, event type, document, incident
    ├── Denied                   known, but not allowed: names the missing right
    │   └── Unauthenticated      nobody is signed in, or the token is not valid
    ├── Conflict                 it contradicts what is already so (a taken name, a second approval by the first)
    ├── LimitExceeded            a queue, size, rate or depth limit
    ├── Unavailable              the device, process or store does not answer now; later it may
    │   └── StorageFailed        the journal could not commit: nothing of that group was acknowledged
    ├── TimedOut                 an action or a set-up ran past its limit
    ├── Expired                  a confirmation or deadline has passed
    └── ActionFailed             the device refused or failed; its own words

Each travels between processes and to HTTP clients as ``as_data()``: ``{"code", "message", "where", "hint"}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


class HubError(Exception):
    """Root. ``message`` says what is wrong, ``where`` the field, entity or file, ``hint`` what to do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} ({self.hint})" if self.hint else head

    def as_data(self) -> dict[str, Any]:
        """JSON form, the same on the wire and in an HTTP answer."""
        return {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}


class InvalidInput(HubError):
    """The input is wrong."""

    code = "invalid_input"
    status = 400


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file. ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.words}"


class ConfigError(InvalidInput):
    """All mistakes found in one pass over the configuration."""

    code = "config"

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(m) for m in mistakes))
        self.mistakes = mistakes


class NotFound(HubError):
    """It does not exist."""

    code = "not_found"
    status = 404


class Denied(HubError):
    """The caller lacks the right."""

    code = "denied"
    status = 403


class Unauthenticated(Denied):
    """Nobody is signed in."""

    code = "unauthenticated"
    status = 401


class Conflict(HubError):
    """It contradicts what is already so."""

    code = "conflict"
    status = 409


class LimitExceeded(HubError):
    """A limit was reached."""

    code = "limit"
    status = 429


class Unavailable(HubError):
    """It does not answer now."""

    code = "unavailable"
    status = 503


class StorageFailed(Unavailable):
    """The journal could not commit."""

    code = "storage"
    status = 507


class TimedOut(HubError):
    """It ran past its limit."""

    code = "timed_out"
    status = 504


class Expired(HubError):
    """Its time has passed."""

    code = "expired"
    status = 410


class ActionFailed(HubError):
    """The device refused or failed."""

    code = "action_failed"
    status = 502


_BY_CODE: dict[str, type[HubError]] = {
    kind.code: kind
    for kind in (
        HubError, InvalidInput, NotFound, Denied, Unauthenticated, Conflict, LimitExceeded, Unavailable,
        StorageFailed, TimedOut, Expired, ActionFailed,
    )
}  # fmt: skip


def from_data(data: dict[str, Any]) -> HubError:
    """The error that ``as_data`` described; an unknown code becomes a plain ``HubError``."""
    kind = _BY_CODE.get(str(data.get("code")), HubError)
    return kind(str(data.get("message", "")), where=str(data.get("where", "")), hint=str(data.get("hint", "")))
