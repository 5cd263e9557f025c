"""What goes out: pushes that are sent once, and the quota they use."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

from pydantic import Field

from hub.capabilities import MessageSent
from hub.sdk import ActionFailed, Context, HubError, InvalidInput, LimitExceeded, Unavailable, current_call

from .device import (
    LineClient,
    LineError,
    Malformed,
    NoAnswer,
    NotAllowed,
    Quota,
    QuotaSpent,
    Sent,
    TooMany,
    text_message,
)
from .status import Status

_KEYS = uuid.uuid5(uuid.NAMESPACE_URL, "https://developers.line.biz/en/docs/messaging-api/retrying-api-request/")
ATTEMPTS = 3
PAUSE_S = 1.0
LONGEST_PAUSE_S = 5.0
QUOTA_WITHIN_S = 3.0
FIRST_RETRY_S = 5.0


def retry_key(key: str) -> uuid.UUID:
    """The same for the same call, so that a call that is sent again after a crash reaches people once."""
    return uuid.uuid5(_KEYS, key)


class Channel:
    """One channel's sending side and its entity's state: ``ok``, ``quota_spent`` or ``failing``."""

    def __init__(self, ctx: Context, client: LineClient, entity: str, status: Status, quota_check_s: float) -> None:
        self._ctx, self._client, self._entity, self._status = ctx, client, entity, status
        self._quota_check_s, self._wait, self._look_at = quota_check_s, FIRST_RETRY_S, float("-inf")

    async def push(
        self,
        to: Annotated[str, Field(min_length=1, max_length=100)],
        text: Annotated[str, Field(min_length=1, max_length=5000)],
        incident: str | None = None,
    ) -> dict[str, Any]:
        """Send a text to a user, group or room; ``{"request_id", "quota_left"}`` when LINE has accepted it."""
        if not text.strip():
            raise InvalidInput("the message is empty", where="text")
        try:
            return await self.tell(to, text, retry_key(current_call().key), incident)
        except LineError as refused:
            raise explained(refused, self._entity) from None

    async def tell(self, to: str, text: str, key: uuid.UUID, incident: str | None = None) -> dict[str, Any]:
        """Push a text once a key and report it. ``LineError`` when LINE did not accept."""
        try:
            sent = await self._send(to, text, key)
        except LineError as refused:
            await self.failed(refused)
            raise
        left = await self._quota_left()
        said = MessageSent(channel="line", to=to, text=text, quota_left=left, incident=incident)
        await self._ctx.emit(said, entity=self._entity)
        await self._status.show("quota_spent" if left == 0 else "ok", last_sent_at=self._ctx.clock.now())
        return {"request_id": sent.request_id, "quota_left": left}

    async def _send(self, to: str, text: str, key: uuid.UUID) -> Sent:
        """Up to ``ATTEMPTS`` times with one retry key: LINE delivers it once, however often it is asked."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._client.push(to, [text_message(text)], key)
            except (NoAnswer, TooMany) as later:
                wanted = later.retry_after_s if isinstance(later, TooMany) else None
                pause = PAUSE_S * attempt if wanted is None else wanted
                if attempt == ATTEMPTS or pause > LONGEST_PAUSE_S:
                    raise
                self._ctx.log.warning("attempt %d of %d: %s", attempt, ATTEMPTS, later.message)
                await self._ctx.clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _quota_left(self) -> int | None:
        """After a push; not knowing it is no reason to call the push failed."""
        try:
            async with asyncio.timeout(QUOTA_WITHIN_S):
                quota = await self._client.quota()
        except (LineError, TimeoutError):
            return None
        await self._known(quota)
        return quota.left

    async def look(self) -> None:
        """Look at the quota when it is due; a channel that does not answer is asked ever more seldom."""
        now = self._ctx.clock.monotonic()
        if now < self._look_at:
            return
        try:
            quota = await self._client.quota()
        except LineError as refused:
            self._look_at = now + self._wait
            self._wait = min(self._wait * 2, self._quota_check_s)
            await self.failed(refused)
            return
        self._look_at, self._wait = now + self._quota_check_s, FIRST_RETRY_S
        await self._known(quota)

    async def _known(self, quota: Quota) -> None:
        state = "quota_spent" if quota.left == 0 else "ok"
        await self._status.show(state, quota_left=quota.left, quota_limit=quota.limit)
        await self._ctx.alive()
        await self._ctx.health(True)

    async def given_up(self, receipt: str, what: str, reason: str) -> None:
        """Something owed to a reporter will not be done: an event, since a person must do it another way."""
        self._ctx.log.warning("given up: the %s of report %s: %s", what, receipt, reason)
        said = {"receipt": receipt, "what": what, "reason": reason[:300]}
        await self._ctx.emit_named("line_given_up", said, entity=self._entity)
        await self._status.show(last_error=f"{receipt}: {reason}"[:300], last_error_at=self._ctx.clock.now())

    async def failed(self, refused: LineError) -> None:
        """Show the reason. What one message's sender did wrong says nothing about the channel."""
        if isinstance(refused, Malformed):
            return
        at = self._ctx.clock.now()
        if isinstance(refused, QuotaSpent):
            await self._status.show("quota_spent", quota_left=0, last_error=refused.message, last_error_at=at)
        elif isinstance(refused, TooMany):
            await self._status.show(last_error=refused.message, last_error_at=at)
        else:
            await self._status.show("failing", last_error=refused.message, last_error_at=at)
            await self._ctx.health(False, refused.message)


def explained(refused: LineError, where: str) -> HubError:
    """The hub's error for LINE's refusal, with what to do."""
    words = refused.message + (f" (LINE request {refused.request_id})" if refused.request_id else "")
    match refused:
        case QuotaSpent():
            hint = "buy more messages in LINE Official Account Manager, or tell people by radio or telephone"
            return ActionFailed(words, where=where, hint=hint)
        case TooMany():
            return LimitExceeded(words, where=where, hint="send again in a minute")
        case NoAnswer():
            return Unavailable(words, where=where, hint="send again; look at the line to the internet")
        case NotAllowed():
            hint = "look at channel_token in the configuration and at the account's plan"
            return ActionFailed(words, where=where, hint=hint)
        case _:
            return ActionFailed(words, where=where, hint="look at the recipient: it begins with U, C or R")
