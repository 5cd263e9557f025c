"""What people at the station do in the simulated evening: signed in with the demo's accounts, through the staff API.

Each step is done once a day: its key is its number and the date, so a restart repeats nothing.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import aiohttp

from hub.sdk import Context, HubError, Unavailable

from .settings import StepSettings

WITHIN_S = 40.0
RETRY_S = 10.0
MAX_TRIES = 6
MOMENT = re.compile(r"\{now([+-]\d+)?\}")


class Evening:
    """Does the steps when their time has come. ``wrong``: what did not work, for the plugin's page."""

    def __init__(self, ctx: Context, hub: str, steps: list[StepSettings], password: str) -> None:
        self._ctx, self._hub, self._password = ctx, hub, password
        self._steps = sorted(enumerate(steps), key=lambda row: row[1].after_s)
        self._began = ctx.clock.monotonic()
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._kept: dict[str, str] = {}
        self._tries = 0
        self.wrong = ""

    async def look(self) -> None:
        """Do what is due; a step whose plugin is not there yet is tried again for a minute."""
        while self._steps and self._ctx.clock.monotonic() - self._began >= self._steps[0][1].after_s:
            number, step = self._steps[0]
            try:
                result = await self._do(number, step)
            except (HubError, aiohttp.ClientError, TimeoutError, KeyError) as fault:
                self._tries += 1
                if self._tries < MAX_TRIES:
                    self._steps[0] = (number, step.model_copy(update={"after_s": step.after_s + RETRY_S}))
                    self._steps.sort(key=lambda row: row[1].after_s)
                    return
                self.wrong = f"step {number + 1}, {step.action or step.path}: {fault}"
                self._ctx.log.warning("the demo's evening: %s", self.wrong)
            else:
                if step.keep is not None:
                    self._kept[step.keep] = str(result)
            self._tries = 0
            self._steps.pop(0)

    async def _do(self, number: int, step: StepSettings) -> Any:
        session = await self._session(step.user)
        day = datetime.datetime.fromtimestamp(self._ctx.clock.now(), datetime.UTC).date().isoformat()
        now = self._ctx.clock.now()
        params = _filled(step.params, self._kept, now)
        body = {"params": params, "key": f"evening:{day}:{number}"}
        if step.target is not None:
            body["target"] = _filled(step.target, self._kept, now)
        path, sent = (step.path, params) if step.path else (f"/api/actions/{step.action}", body)
        async with session.post(self._hub + path, json=sent) as answer:
            told = await answer.json()
        if answer.status not in (200, 202) or told.get("status", "done") not in ("done", "confirming"):
            raise Unavailable(str((told.get("error") or {}).get("message", answer.status)), where=path)
        return told.get("result")

    async def _session(self, user: str) -> aiohttp.ClientSession:
        if user in self._sessions:
            return self._sessions[user]
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=WITHIN_S)
        )
        try:
            body = {"user": user, "password": self._password}
            async with session.post(f"{self._hub}/api/session", json=body) as answer:
                told = await answer.json()
            if answer.status != 200:
                raise Unavailable(f"{user} cannot sign in: {told.get('error', {}).get('message')}", where="evening")
        except BaseException:
            await session.close()
            raise
        session.headers["X-CSRF"] = told["csrf"]
        self._sessions[user] = session
        return session

    async def close(self) -> None:
        """Sign out."""
        for session in self._sessions.values():
            await session.close()


def _filled(value: Any, kept: dict[str, str], now: float) -> Any:
    """With the results of earlier steps in the place of ``{NAME}``, and ``{now+SECONDS}`` as a time."""
    if isinstance(value, str):
        if (moment := MOMENT.fullmatch(value)) is not None:
            return now + float(moment[1] or 0)
        for name, text in kept.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: _filled(item, kept, now) for key, item in value.items()}
    return [_filled(item, kept, now) for item in value] if isinstance(value, list) else value
