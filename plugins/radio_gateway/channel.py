"""One radio channel of the hub: who is in it, who talks, texts, calls for help, and announcements."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.capabilities import (
    Priority,
    RadioAlarm,
    RadioAnnounced,
    RadioChannelChanged,
    RadioTalkEnded,
    RadioTalkStarted,
    RadioTextReceived,
    RadioTextSent,
)
from hub.sdk import ActionFailed, Context, InvalidInput, Unavailable, current_call

from .alarms import Calls, Guard
from .clips import Library, Plan, paced, packets
from .device import Hears, Link, LinkError, NotAllowed, Refused, Server, Told
from .turns import Turns
from .wire import Voice

QUEUED = 1_000
KEPT_KEYS = 200
BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
REFUSED_S = 30.0
RECONNECT_S = 5.0
LOOK_S = 0.2
Report = Callable[[], Awaitable[object]]
State = Literal["quiet", "talking", "announcing", "unavailable"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Times of a channel in seconds. ``talk_gap``: silence that ends a talk; ``longest_talk``: a stuck button;
    ``quiet_wait``: how long an announcement waits for others to finish; ``pause``: between two announcements."""

    talk_gap: float = 0.6
    longest_talk: float = 120.0
    quiet_wait: float = 10.0
    pause: float = 0.5
    longest_announcement: float = 60.0
    patience: float = 60.0
    waiting: int = 20


@dataclass(slots=True)
class _Talk:
    speaker: str
    began: float
    heard: float
    cut: bool = False


class Channel:
    """Serves ``radio.CHANNEL``; ``run`` keeps its connection."""

    def __init__(
        self, ctx: Context, entity: str, server: Server, library: Library, templates: Mapping[str, Sequence[str]],
        calls: Calls, limits: Limits, *, simulated: bool = False, tell: Callable[[], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self._ctx, self.entity, self._server = ctx, entity, server
        self._library, self._templates, self._calls = library, templates, calls
        self._limits, self._simulated, self._tell = limits, simulated, tell
        self._turns, self._guard = Turns(limits.waiting, limits.patience), Guard()
        self._link: Link | None = None
        self._talks: dict[int, _Talk] = {}
        self._silent = asyncio.Event()
        self._silent.set()
        self._up = asyncio.Event()
        self._reports: asyncio.PriorityQueue[tuple[int, int, Report]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._signed = float("-inf")
        self._said = ctx.records(f"said_{entity.partition('.')[2]}")
        self._known: OrderedDict[str, Any] = OrderedDict()
        self._shown: tuple[object, ...] = ()
        self.problem = "not connected yet"

    # --- the connection

    async def run(self) -> None:
        """Connect, serve, and connect again, until cancelled."""
        rows = await self._said.all()
        self._known = OrderedDict(sorted(rows.items(), key=lambda row: float(row[1].get("at", 0))))
        tries = 0
        while True:
            link = Link(self._server, self._ears())
            wait = BACKOFF_S[min(tries, len(BACKOFF_S) - 1)]
            try:
                await link.open()
                self._link, tries = link, 0
                self._up.set()
                await self._connected("")
                await link.serve()
            except Refused as no:
                wait = REFUSED_S
                await self._connected(str(no))
            except LinkError as gone:
                await self._connected(str(gone))
            finally:
                self._link = None
                self._up.clear()
                await link.close()
            tries += 1
            await asyncio.sleep(wait)

    def _ears(self) -> Hears:
        return Hears(self._heard_text, self._heard_voice, self._users, self._sign, self._odd)

    async def _connected(self, problem: str) -> None:
        self.problem = problem
        if problem:
            self._talks.clear()
            self._silent.set()
        await self._show()
        if self._tell is not None:
            await self._tell()

    async def _show(self) -> None:
        """Report the channel when it is not as it was last reported."""
        users = [user.name for user in self._link.users] if self._link and not self.problem else []
        if self.problem:
            state: State = "unavailable"
        else:
            talking = any(not talk.cut for talk in self._talks.values())
            state = "announcing" if self._turns.busy else "talking" if talking else "quiet"
        now = (state, tuple(users), self.problem)
        if now != self._shown:
            self._shown = now
            changed = RadioChannelChanged(
                state=state, users=users[:500], count=len(users), reason=self.problem[:300], since=self._ctx.clock.now()
            )  # fmt: skip
            await self._ctx.emit(changed, entity=self.entity)

    # --- hearing: called by the connection, so only noted here and reported in order by ``report``

    def _note(self, report: Report, urgent: bool = False) -> None:
        """Put it into the queue. What is urgent goes first and always fits: repeated calls for help are few."""
        if urgent or self._reports.qsize() < QUEUED:
            self._reports.put_nowait((0 if urgent else 1, next(self._order), report))
        else:
            self._guard.lost("several", self._ctx.clock.now())

    async def report(self) -> None:
        """Report what was heard, in order, until cancelled."""
        while True:
            _, _, report = await self._reports.get()
            await report()

    def _sign(self) -> None:
        now = self._ctx.clock.monotonic()
        if now - self._signed >= 1.0:
            self._signed = now
            self._note(self._ctx.alive)

    def _odd(self, words: str) -> None:
        self._ctx.log.warning("%s: %s", self.entity, words)

    def _users(self) -> None:
        if self._link is not None:  # while signing in, everyone is told one by one
            self._note(self._show)

    def _heard_voice(self, packet: Voice, speaker: str) -> None:
        now = self._ctx.clock.now()
        talk = self._talks.get(packet.session)
        if talk is None:
            if not packet.last:
                self._begin_talk(packet.session, speaker, now)
            return
        talk.heard = now
        if packet.last:
            self._end_talk(packet.session, now)

    def _begin_talk(self, session: int, speaker: str, now: float) -> None:
        told = self._guard.passes(f"talk of {speaker}", now)  # a button that flutters is not told a thousand times
        self._talks[session] = _Talk(speaker, now, now, cut=not told)
        self._silent.clear()
        if told:
            started = RadioTalkStarted(speaker=speaker, started_at=now)
            self._note(lambda: self._ctx.emit(started, entity=self.entity))
            self._note(self._show)

    def _end_talk(self, session: int, now: float, cut: bool = False) -> None:
        talk = self._talks[session]
        if not talk.cut:
            ended = RadioTalkEnded(
                speaker=talk.speaker, ended_at=now, duration_s=round(max(0.0, now - talk.began), 2), cut=cut
            )  # fmt: skip
            self._note(lambda: self._ctx.emit(ended, entity=self.entity))
        if cut:
            talk.cut = True  # a stuck button: told once, then waited out
        else:
            del self._talks[session]
        self._quieter()

    def _quieter(self) -> None:
        if all(talk.cut for talk in self._talks.values()):
            self._silent.set()
            self._note(self._show)

    async def look(self) -> None:
        """End talks that fell silent or go on too long; say when a flood of texts is over."""
        now = self._ctx.clock.now()
        for session, talk in list(self._talks.items()):
            if now - talk.heard >= self._limits.talk_gap:
                self._end_talk(session, talk.heard)
            elif not talk.cut and now - talk.began >= self._limits.longest_talk:
                self._end_talk(session, now, cut=True)
        if self._guard.changed(now) and self._tell is not None:
            await self._tell()

    def _heard_text(self, told: Told) -> None:
        now = self._ctx.clock.now()
        call = self._calls.find(told.text, told.sender, now)
        if call is not None:
            self._note(lambda: self._alarm(call.kind, call.callsign, told, now), urgent=True)
        if not self._guard.passes(told.sender, now):
            return
        text = RadioTextReceived(sender=told.sender, text=told.text, private=told.private)
        self._note(lambda: self._ctx.emit(text, entity=self.entity, at=now))

    async def _alarm(self, kind: str, callsign: str, told: Told, now: float) -> None:
        name = re.sub(r"[^a-z0-9_]", "", callsign.lower())
        known = await self._ctx.state(f"unit.{name}") if name else None
        alarm = RadioAlarm(
            callsign=callsign, unit=known.entity if known else None, kind=kind, sender=told.sender,
            text=told.text[:2_000], raised_at=now, simulated=self._simulated,
        )  # fmt: skip
        await self._ctx.emit(alarm, entity=self.entity, at=now)

    def trouble(self) -> str:
        """What keeps the channel from its duty, in words; empty when nothing does."""
        if self.problem:
            return self.problem
        return self._guard.trouble

    # --- saying

    def _need(self) -> Link:
        if self._link is None:
            raise Unavailable(f"the radio channel is not connected: {self.problem}", where=self.entity)
        return self._link

    async def _soon(self) -> Link:
        """The connection, waited for a little: most breaks last a second or two."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECONNECT_S):
                await self._up.wait()
        return self._need()

    @contextlib.contextmanager
    def _words(self) -> Any:
        try:
            yield
        except NotAllowed as no:
            raise ActionFailed(f"the radio server refused it: {no}", where=self.entity) from None
        except LinkError as gone:
            raise Unavailable(str(gone), where=self.entity, hint="it connects again by itself") from None

    async def say_text(self, text: str) -> dict[str, Any]:
        with self._words():
            listeners = await self._need().say(text)
        sent = RadioTextSent(text=text, listeners=listeners, by=current_call().actor)
        await self._ctx.emit(sent, entity=self.entity)
        return {"listeners": listeners}

    async def announce(
        self, template: str = "", clips: list[str] | None = None, params: dict[str, str] | None = None, text: str = "",
        priority: Priority = Priority.HIGH,
    ) -> dict[str, Any]:  # fmt: skip
        call = current_call()
        if call.key in self._known:  # sent again after it was said
            return dict(self._known[call.key]["result"])
        plan = self._plan(template, clips or [], params or {}, text)
        begun = self._ctx.clock.monotonic()
        with self._words():
            await (await self._soon()).say(f"[จำลอง] {plan.text}" if self._simulated else plan.text)
            async with self._turns.turn(priority, self.entity):
                await self._quiet(priority)
                result = await self._play(plan, priority, call.actor, self._ctx.clock.monotonic() - begun)
                await self._keep(call.key, result)
                await asyncio.sleep(self._limits.pause)
        await self._show()
        return result

    def _plan(self, template: str, clips: list[str], params: dict[str, str], text: str) -> Plan:
        parts = list(clips)
        if template:
            if template not in self._templates:
                names = ", ".join(sorted(self._templates)) or "none"
                raise InvalidInput(f"there is no template {template!r}", where="template", hint=f"there are: {names}")
            parts = [*self._templates[template], *parts]
        plan = self._library.plan(parts, params)
        words = text.strip() or plan.text
        if not words:
            raise InvalidInput("there is nothing to say", where="text", hint="give a template, clips or text")
        return Plan(plan.clips, words, plan.unknown)

    async def _quiet(self, priority: Priority) -> None:
        """Do not talk over others, unless it is critical."""
        if priority != Priority.CRITICAL:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.quiet_wait):
                    await self._silent.wait()

    async def _play(self, plan: Plan, priority: Priority, by: str, waited_s: float) -> dict[str, Any]:
        await self._show()
        longest = self._limits.longest_announcement
        said = await asyncio.to_thread(self._library.sound, plan, longest)
        opus = await asyncio.to_thread(packets, said.sound) if len(said.sound) else []
        link = self._need()
        listeners = await link.speak(paced(opus)) if opus else len(link.users)
        announced = RadioAnnounced(
            text=plan.text, clips=[one for one in plan.clips if one not in said.missing], missing=sorted(said.missing),
            duration_s=round(said.seconds, 2), listeners=listeners, priority=priority, said_at=self._ctx.clock.now(),
            by=by, simulated=said.simulated or self._simulated, cut=said.seconds >= longest,
        )  # fmt: skip
        await self._ctx.emit(announced, entity=self.entity)
        return {
            "text": plan.text, "clips": announced.clips, "missing": dict(said.missing),
            "duration_s": announced.duration_s, "listeners": listeners, "waited_s": round(waited_s, 2),
        }  # fmt: skip

    async def _keep(self, key: str, result: dict[str, Any]) -> None:
        self._known[key] = {"at": self._ctx.clock.now(), "result": result}
        await self._said.put(key[:200], self._known[key])
        while len(self._known) > KEPT_KEYS:
            oldest, _ = self._known.popitem(last=False)
            await self._said.delete(oldest[:200])


__all__ = ["LOOK_S", "Channel", "Limits"]
