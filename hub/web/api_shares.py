"""Owners of private cameras: what they share, who looked, what is asked of them. And the asking."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub.access.rights import holders
from hub.access.share import NEEDED, NOT_TO, Share
from hub.access.shares import Shares
from hub.access.views import Views
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.web.route import Ask, Body, NoBody, Route

MAX_VIEWS = 500
# The roles that can do anything with a share, the control centre first: a share gives no right by itself.
_ABLE = {role for right in NEEDED for role in holders(right)} - NOT_TO
RECEIVERS = tuple(sorted(_ABLE, key=lambda role: (role != "ccoc", role)))


class Terms(Body):
    """Which cameras, how, for whom, at which hours, until when."""

    cameras: list[str] = Field(max_length=64)
    kinds: list[Literal["live", "recorded", "control"]] = Field(max_length=3)
    to: list[str] = Field([], max_length=20)
    until: float = Field(allow_inf_nan=False)
    hours: list[str] | None = Field(None, max_length=2)
    purpose: str | None = Field(None, max_length=120)


class ShareBody(Terms):
    """A share; ``since`` is now when it is left out."""

    since: float | None = Field(None, allow_inf_nan=False)
    note: str = Field("", max_length=500)


class WishBody(Terms):
    """A request to an owner; ``to`` is the asker when it names nobody."""

    reason: str = Field(max_length=500)


class WishAnswer(Body):
    """An owner's answer."""

    answer: Literal["yes", "no"]


class SharesApi:
    """Each caller reads and changes only what is their own: ``Shares`` looks at the account's owner."""

    def __init__(self, pipeline: Pipeline, shares: Shares, views: Views) -> None:
        self._pipeline, self._shares, self._views = pipeline, shares, views

    def routes(self) -> list[Route]:
        """Its part of the table."""
        own, ask = "share.manage", "share.ask"
        return [
            Route("GET", "/api/shares", own, "One's own cameras, shares, views, requests", self.home, filtered=True),
            Route("POST", "/api/shares", own, "Share one's own cameras", self.give, ShareBody, filtered=True),
            Route("DELETE", "/api/shares/{id}", own, "Take a share back", self.revoke, filtered=True),
            Route("GET", "/api/share-requests", ask, "One's requests to owners", self.asked),
            Route("POST", "/api/share-requests", ask, "Ask an owner for a share", self.ask, WishBody),
            Route("POST", "/api/share-requests/{id}", own, "Answer a request", self.answer, WishAnswer, filtered=True),
        ]

    async def home(self, ask: Ask[NoBody]) -> dict[str, Any]:
        owner = ask.actor.owner or ""
        await self._pipeline.settled()
        return {
            "owner": owner,
            "roles": list(RECEIVERS),
            "cameras": [_camera(state) for state in self._cameras(owner)],
            "shares": [self._share(share) for share in self._shares.of_owner(owner)],
            "views": self._views.of_owner(owner, MAX_VIEWS),
            "requests": [wish.as_data() for wish in self._shares.wishes(owner=owner)],
        }

    def _cameras(self, owner: str) -> list[EntityState]:
        known = self._pipeline.state.get
        return [state for name in self._shares.cameras_of(owner) if (state := known(name)) is not None]

    def _share(self, share: Share) -> dict[str, Any]:
        return share.as_data() | {"state": self._shares.state_of(share)}

    async def give(self, ask: Ask[ShareBody]) -> dict[str, Any]:
        body = ask.body
        since = self._pipeline.clock.now() if body.since is None else body.since
        share = self._shares.give(
            ask.actor, body.cameras, body.kinds, body.to, since, body.until, body.hours, body.purpose, body.note
        )  # fmt: skip
        await self._pipeline.settled()
        return self._share(share)

    async def revoke(self, ask: Ask[NoBody]) -> dict[str, Any]:
        share = self._shares.revoke(ask.actor, ask.path["id"])
        await self._pipeline.settled()
        return self._share(share)

    async def asked(self, ask: Ask[NoBody]) -> dict[str, Any]:
        await self._pipeline.settled()
        return {"requests": [wish.as_data() for wish in self._shares.wishes(by=ask.actor.id)]}

    async def ask(self, ask: Ask[WishBody]) -> dict[str, Any]:
        body = ask.body
        wish = self._shares.wish(
            ask.actor, body.cameras, body.kinds, body.until, body.reason, body.hours, body.to, body.purpose
        )  # fmt: skip
        await self._pipeline.settled()
        return wish.as_data()

    async def answer(self, ask: Ask[WishAnswer]) -> dict[str, Any]:
        share = self._shares.answer(ask.actor, ask.path["id"], ask.body.answer == "yes")
        await self._pipeline.settled()
        return {"share": self._share(share) if share is not None else None}


def _camera(state: EntityState) -> dict[str, Any]:
    about = state.attributes
    shown = ("name", "video", "video_reason", "available", "simulated", "silent")
    return {"entity": state.entity, "state": state.state, "updated": state.updated,
            **{key: about[key] for key in shown if key in about}}  # fmt: skip
