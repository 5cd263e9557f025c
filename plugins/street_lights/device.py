"""One lamp: what it should be, what it was told, what it says, and what is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub.capabilities import (
    LightBoosted,
    LightCommanded,
    LightFault,
    LightFaultCleared,
    LightOverridden,
    LightReported,
    LightScheduled,
    Mqtt,
    MqttMessage,
    MqttSubscription,
)
from hub.sdk import Conflict, Context, EventData, InvalidInput, LimitExceeded, Unavailable, current_call

from .discovery import Availability, BadDiscovery, LampConfig, availability_of
from .plan import BANGKOK, Limits, Moment, Plan, Wish

WEEK_S = 7 * 86_400.0
SAY_AGAIN_S = 60.0  # a lamp that says the same is shown as heard so often
SAY_AT_MOST_S = 0.2
TRIES = 3
LOST_S = 10.0  # a broker that restarts is no news
NEAR_PCT = 6.0  # lamps round brightness to their own steps
ADOPT_S = 3.0  # after a restart the lamp may say first that it is as it should be


@dataclass
class Zone:
    """What all lamps share."""

    ctx: Context
    limits: Limits
    fault_after_s: float
    announce_within_s: float
    scheduled: Callable[[], Moment | None]
    problem: Callable[[str], None]
    mqtt: Mqtt | None = None
    linked_at: float | None = None  # since when the broker is reached; ``None``: it is not
    lost_at: float = 0.0  # since when it is not


@dataclass
class Heard:
    """What the lamp said, and when (seconds since 1970)."""

    on: bool | None = None
    pct: float | None = None
    at: float | None = None
    available: dict[str, bool] = field(default_factory=dict)  # by topic, the newest last


class Lamp:
    """Serves the actions of one light. ``save`` keeps its plan; it returns when that is durable."""

    def __init__(self, zone: Zone, entity: str, rows: Any, plan: Plan) -> None:
        self._zone, self.entity, self._rows, self.plan = zone, entity, rows, plan
        self.config: LampConfig | None = None
        self.heard = Heard()
        self._subscriptions: list[MqttSubscription] = []
        self._settling = asyncio.Lock()
        self._again = False
        self._commanded: float | None = None
        self._commanded_at, self._tries = float("-inf"), 0
        self._shown: dict[type[EventData], EventData] = {}
        self._said_at = float("-inf")
        self.fault: str | None = None

    # --- its announcement

    async def announced(self, config: LampConfig) -> None:
        """It said what it is, at first or anew."""
        if config == self.config:
            return
        listened = self.config.listens() if self.config else set()
        self.config = config
        if config.listens() != listened:
            await self.listen()
        await self.settle()

    async def listen(self) -> None:
        """Subscribe to what it reports."""
        for old in self._subscriptions:
            await old.end()
        self._subscriptions.clear()
        self.heard.available.clear()
        mqtt = self._zone.mqtt
        if mqtt is not None and self.config is not None:
            for topic in sorted(self.config.listens()):
                self._subscriptions.append(await mqtt.subscribe(topic, self.message, qos=1))

    async def gone(self) -> None:
        """It is taken out."""
        for old in self._subscriptions:
            await old.end()
        self._subscriptions.clear()
        self.config = None

    async def message(self, message: MqttMessage) -> None:
        """A message on one of its topics."""
        config = self.config
        if config is None:
            return
        try:
            for one in config.availability:
                if one.topic == message.topic:
                    self._available(one, message.payload)
            if message.topic in (config.state_topic, config.brightness_state_topic):
                read = config.read(message.topic, message.payload)
                self.heard.on = read.on if read.on is not None else self.heard.on
                self.heard.pct = read.pct if read.pct is not None else self.heard.pct
                self.heard.at = self._zone.ctx.clock.now()
        except BadDiscovery as wrong:
            self._zone.problem(f"{self.entity}: {wrong}")
            return
        await self._zone.ctx.alive()
        await self.settle()

    def _available(self, config: Availability, payload: bytes) -> None:
        told = availability_of(config, payload)
        if told is not None:
            self.heard.available.pop(config.topic, None)
            self.heard.available[config.topic] = told

    @property
    def missing(self) -> str:
        """Why it cannot be reached; empty when it can."""
        zone, config = self._zone, self.config
        if zone.linked_at is None:
            return "the MQTT broker is not reached"
        if config is None:
            late = zone.ctx.clock.now() - zone.linked_at > zone.announce_within_s
            return "it has not announced itself on MQTT" if late else "it has not announced itself yet"
        known = [self.heard.available[one.topic] for one in config.availability if one.topic in self.heard.available]
        if not known:
            return ""
        newest = [*self.heard.available.values()][-1]
        there = {"all": all(known), "any": any(known)}.get(config.availability_mode, newest)
        return "" if there else "it says on MQTT that it is offline"

    @property
    def _patience(self) -> float:
        """Seconds that one command has to be done."""
        return self._zone.fault_after_s / (TRIES + 1)

    @property
    def level(self) -> float | None:
        """What it reports, in percent; 0 is off."""
        if self.heard.on is None:
            return None
        if not self.heard.on:
            return 0.0
        dims = self.config is not None and self.config.dimmable
        return self.heard.pct if dims and self.heard.pct is not None else 100.0

    # --- actions

    async def turn_on(self, brightness_pct: float = 100.0) -> dict[str, Any]:
        return await self.command(brightness_pct)

    async def turn_off(self) -> dict[str, Any]:
        return await self.command(0.0)

    async def command(self, level_pct: float) -> dict[str, Any]:
        """To a level until the schedule's next change."""
        self._free()
        now = self._zone.ctx.clock.now()
        allowed, limit = self._zone.limits.level(level_pct, "base", now, BANGKOK)
        plan = replace(self.plan, base=level_pct, base_at=now, boost=None)
        moment = self._zone.scheduled()
        return await self._keep(plan, allowed, moment.until if moment else None, limit)

    async def boost(
        self, brightness_pct: float = 100.0, minutes: float = 15.0, reason: str = ""
    ) -> dict[str, Any]:
        self._free()
        call, now, limits = current_call(), self._zone.ctx.clock.now(), self._zone.limits
        allowed, limit = limits.level(brightness_pct, "boost", now, BANGKOK)
        if minutes > limits.max_boost_min:
            minutes, limit = limits.max_boost_min, limit or "max_boost_min"
        if call.key in self.plan.keys:
            held = self.plan.boost
            return _answer(held.level_pct if held else allowed, held.until if held else None, limit)
        wish = Wish(allowed, now + minutes * 60, call.actor, reason, call.key)
        return await self._keep(replace(self._based(now), boost=wish).done(call.key), allowed, wish.until, limit)

    async def override(
        self, level_pct: float, reason: str, minutes: float = 60.0, until: str | None = None
    ) -> dict[str, Any]:
        call, now = current_call(), self._zone.ctx.clock.now()
        end = _moment(until, now) if until is not None else now + minutes * 60
        allowed, limit = self._zone.limits.level(level_pct, "override", now, BANGKOK)
        if call.key in self.plan.keys:
            held = self.plan.override
            return _answer(held.level_pct if held else allowed, held.until if held else None, limit)
        wish = Wish(allowed, end, call.actor, reason, call.key)
        return await self._keep(replace(self._based(now), override=wish).done(call.key), allowed, end, limit)

    async def release(self) -> dict[str, Any]:
        plan = replace(self.plan, boost=None, override=None)
        level, limit = self._wanted(plan)
        return await self._keep(plan, level, None, limit)

    def _free(self) -> None:
        held = self.plan.at(self._zone.ctx.clock.now()).override
        if held is not None:
            end = datetime.fromtimestamp(held.until, BANGKOK).strftime("%d/%m %H:%M")
            raise Conflict(
                f"{held.by} holds it at {held.level_pct:g} % until {end}: {held.reason}", where=self.entity,
                hint="light.release ends the override",
            )  # fmt: skip

    def _based(self, now: float) -> Plan:
        """With a level to return to, when nobody ever asked for one: what it is now."""
        plan = self.plan.at(now)
        return replace(plan, base=self.level or 0.0, base_at=now) if plan.base is None else plan

    async def _keep(self, plan: Plan, level: float | None, until: float | None, limit: str | None) -> dict[str, Any]:
        """Durable first, then told to the lamp: a crash in between loses nothing."""
        await self._rows.put(self.entity, plan.as_data())
        self.plan, self._tries = plan, 0
        await self.settle()
        if missing := self.missing:
            raise Unavailable(f"{missing}; it is kept and done when the lamp is back", where=self.entity)
        return _answer(level, until, limit)

    # --- what follows

    def _wanted(self, plan: Plan) -> tuple[float | None, str | None]:
        level, why = plan.wanted()
        if level is None:
            return None, None
        return self._zone.limits.level(level, why, self._zone.ctx.clock.now(), BANGKOK)

    async def settle(self) -> None:
        """Bring lamp and screens to what they should be now. Calls that come meanwhile are done once more, together."""
        self._again = True
        async with self._settling:
            while self._again:
                self._again = False
                await self._settle()

    async def _settle(self) -> None:
        now = self._zone.ctx.clock.now()
        plan, moment = self.plan.at(now), self._zone.scheduled()
        if moment is not None:
            plan = plan.scheduled(moment.level_pct, moment.since)
        if plan is not self.plan:
            await self._rows.put(self.entity, plan.as_data())
            self.plan = plan
        level, _ = self._wanted(plan)
        if self.missing:
            self._commanded, self._tries = None, 0  # it may have lost its power: it is told anew when it is back
        elif level is not None:
            await self._obey(level, plan.wanted()[1], now)
        await self._show(moment, now)

    async def _obey(self, level: float, why: str, now: float) -> None:
        """Tell the lamp, when it was not told, or was and does not do it."""
        zone = self._zone
        if self._commanded is None and self.heard.on is None and now - (zone.linked_at or now) < ADOPT_S:
            return
        if self._commanded != level:
            self._tries = 0
        elif self._differs(level) and self._tries < TRIES and now - self._commanded_at >= self._patience:
            self._tries += 1
        else:
            return
        if self._commanded is None and self.heard.on is not None and not self._differs(level):
            self._commanded, self._commanded_at = level, now  # as it should be already: after a restart
            return
        config, mqtt = self.config, zone.mqtt
        if config is None or mqtt is None:
            return
        try:
            for topic, payload in config.commands(level):
                await mqtt.publish(topic, payload, qos=max(1, config.qos), retain=config.retain)
        except (Unavailable, LimitExceeded, InvalidInput) as failed:
            zone.problem(f"{self.entity}: {failed.message}")
            return
        self._commanded, self._commanded_at = level, now
        word = {"base": "schedule" if self.plan.base_at == getattr(zone.scheduled(), "since", None) else "command"}
        await self._emit(LightCommanded(commanded_pct=level, commanded_at=now, why=word.get(why, why)))

    def _differs(self, level: float) -> bool:
        """Does it report something else than it was told? Unknown is not something else."""
        if self.level is None:
            return False
        if (level > 0) != (self.level > 0):
            return True
        dims = self.config is not None and self.config.dimmable
        return dims and abs(level - self.level) > NEAR_PCT

    async def _show(self, moment: Moment | None, now: float) -> None:
        boost, override = self.plan.boost, self.plan.override
        if moment is not None:
            await self._emit(LightScheduled(scheduled_pct=moment.level_pct, next_change_at=moment.until))
        await self._emit(LightBoosted(
            boost_pct=boost.level_pct if boost else None, boost_until=boost.until if boost else None,
            boost_by=boost.by if boost else None, boost_reason=boost.reason if boost else None,
        ))  # fmt: skip
        await self._emit(LightOverridden(
            override_pct=override.level_pct if override else None, override_until=override.until if override else None,
            override_by=override.by if override else None, override_reason=override.reason if override else None,
        ))  # fmt: skip
        await self._show_report(now)
        await self._show_fault(moment, now)

    async def _show_report(self, now: float) -> None:
        zone, heard = self._zone, self.heard
        if zone.linked_at is None and now - zone.lost_at < LOST_S:
            return
        if zone.linked_at is not None and self.config is None and now - zone.linked_at < zone.announce_within_s:
            return  # a moment after the start nothing is known, and what was known before still stands
        if not self.missing and heard.on is None and now - (zone.linked_at or now) < ADOPT_S:
            return
        state = "unavailable" if self.missing else {True: "on", False: "off", None: "unknown"}[heard.on]
        level = self.level if state in ("on", "off") else None
        before = self._shown.get(LightReported)
        said = LightReported(state=state, level_pct=level, reported_at=heard.at)
        if isinstance(before, LightReported):
            same = (before.state, before.level_pct) == (said.state, said.level_pct)
            gone = before.state != said.state and "unavailable" in (before.state, said.state)
            if not gone and now - self._said_at < (SAY_AGAIN_S if same else SAY_AT_MOST_S):
                return
        self._said_at = now
        await self._emit(said)

    async def _show_fault(self, moment: Moment | None, now: float) -> None:
        zone, kind, detail = self._zone, "", ""
        missing = self.missing
        if zone.linked_at is None:
            return  # the broker's fault is told by its own plugin
        if missing and (self.config is not None or "yet" not in missing):
            kind, detail = "unavailable", missing
        elif self._commanded is not None and self._differs(self._commanded):
            if self._tries < TRIES or now - self._commanded_at < self._patience:
                return
            said = "off" if not self.level else f"{self.level:g} %"
            kind, detail = "disobeys", f"commanded {self._commanded:g} %, reports {said}"
        if detail == (self.fault or ""):
            return
        self.fault = detail or None
        if kind:
            by_day = moment is not None and moment.level_pct <= 0
            await self._emit(LightFault(kind=kind, detail=detail, commanded_pct=self._commanded, by_day=by_day))
        else:
            await self._emit(LightFaultCleared())

    async def _emit(self, data: EventData) -> None:
        """Report, unless that is what was reported last. The hub may be busy: then it is said with the next look."""
        before = self._shown.get(type(data))
        if before == data:
            return
        nothing = before is None and isinstance(data, LightBoosted | LightOverridden) and not any(dict(data).values())
        if nothing and not await self._still_shows(data):
            self._shown[type(data)] = data
            return
        with contextlib.suppress(LimitExceeded):
            await self._zone.ctx.emit(data, entity=self.entity)
            self._shown[type(data)] = data

    async def _still_shows(self, data: EventData) -> bool:
        """Does the state hold a wish of before the restart that is over?"""
        state = await self._zone.ctx.state(self.entity)
        return state is not None and any(state.attributes.get(name) is not None for name in type(data).model_fields)


def _answer(level: float | None, until: float | None, limit: str | None) -> dict[str, Any]:
    return {"level_pct": level, "until": until, "limited_by": limit}


def _moment(text: str, now: float) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no time", where="until", hint="such as 2026-11-23T06:00+07:00") from None
    end = (when if when.tzinfo else when.replace(tzinfo=BANGKOK)).timestamp()
    if not now < end <= now + WEEK_S:
        raise InvalidInput("the end must be in the future, at most a week ahead", where="until")
    return end
