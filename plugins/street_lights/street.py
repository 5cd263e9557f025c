"""All lamps and groups: found, remembered, looked after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from hub.capabilities import Mqtt, MqttMessage, MqttSubscription
from hub.sdk import (
    Context,
    Entity,
    HubError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    StateChanged,
    Text,
    current_call,
    distance_m,
)

from .device import Lamp, Zone
from .discovery import BadDiscovery, LampConfig, parse, slug
from .groups import Group
from .plan import Limits, Plan
from .settings import GroupSettings, LampSettings, Settings

MAX_LAMPS = 500
MAX_PROBLEMS = 20
NO_MQTT_S = 5.0
NO_MQTT = "no MQTT connection: add the mqtt plugin to the configuration"
NO_BROKER = "the MQTT broker is not reached; see the mqtt plugin's page"


class Street:
    """The lamps by ``unique_id``, and what is kept of them over a restart: announcements, plans, limits."""

    def __init__(self, ctx: Context, config: Settings, zone: Zone) -> None:
        self._ctx, self._config, self._zone = ctx, config, zone
        self.entity = f"lighting.{ctx.instance}"
        self._plans, self._known, self._limits = ctx.records("plans"), ctx.records("known"), ctx.records("limits")
        self.lamps: dict[str, Lamp] = {}
        self._by_topic: dict[str, str] = {}  # discovery topic -> unique_id
        self._described: dict[str, Entity] = {}
        self._places = {one.unique_id: one for one in config.lamps}
        self._neighbours = _neighbours(config)
        self._groups: dict[str, tuple[GroupSettings, Group]] = {}
        self._changing = asyncio.Lock()
        self._listening: list[MqttSubscription] = []
        self._kept: dict[str, Plan] = {}
        self._shown: dict[str, Any] = {}
        self.problems: list[str] = []
        self.refused = 0
        zone.problem = self.problem

    # --- before the broker is there

    async def take_up(self) -> None:
        """What is configured, and what was known before a restart."""
        await self._ctx.add(Entity(self.entity, self._config.name.text(), simulated=self._config.simulated))
        if stored := (await self._limits.all()).get("limits"):
            self._zone.limits = Limits(**stored)
        self._kept = {name: Plan.from_data(row) for name, row in (await self._plans.all()).items()}
        for one in self._config.lamps:
            await self._lamp(one.unique_id, one.unique_id)
        for topic, row in (await self._known.all()).items():
            try:
                config = parse(topic, str(row["payload"]).encode())
            except BadDiscovery as wrong:  # an older hub understood it
                self.problem(f"{topic}: {wrong}")
                continue
            await self._alone(topic, self._announce(topic, config))
        for group in self._config.groups:
            made = Group(self._ctx, f"light.{group.id}", lambda group=group: self._members(group))  # type: ignore[misc]
            self._groups[group.id] = (group, made)
            await self._describe_group(group.id)

    async def connect(self, mqtt: Mqtt) -> None:
        """Listen to announcements, and to lamps that are known already."""
        while self._listening:  # of a try before that did not come to its end
            await self._listening.pop().end()
        self._zone.mqtt = mqtt
        for lamp in list(self.lamps.values()):
            await self._alone(lamp.entity, lamp.listen())
        prefix = self._config.discovery_prefix
        for place in ("light/+/config", "light/+/+/config"):
            self._listening.append(await mqtt.subscribe(f"{prefix}/{place}", self.announcement, qos=1))
        self._listening.append(await mqtt.on_connection(self.linked))

    async def linked(self, connected: bool) -> None:
        """The broker came or went. When it came, lamps are asked to announce themselves (Home Assistant's birth
        message)."""
        zone, now = self._zone, self._ctx.clock.now()
        zone.linked_at, zone.lost_at = (now, zone.lost_at) if connected else (None, now)
        await self._ctx.health(connected, "" if connected else NO_BROKER)
        if connected and zone.mqtt is not None:
            try:
                await zone.mqtt.publish(f"{self._config.discovery_prefix}/status", "online")
            except HubError as failed:
                self.problem(f"lamps were not asked to announce themselves: {failed.message}")

    # --- announcements

    async def announcement(self, message: MqttMessage) -> None:
        """A lamp says what it is, or, with an empty payload, that it is no more."""
        async with self._changing:
            try:
                if not message.payload:
                    await self._withdraw(message.topic)
                    return
                config = parse(message.topic, message.payload)
                holder = self._topic_of(config.unique_id)
                if holder is not None and holder != message.topic:
                    raise BadDiscovery(f"unique_id {config.unique_id!r} is announced at {holder} already")
                if any(f"light.{slug(config.unique_id)}" == group.entity for _, group in self._groups.values()):
                    raise BadDiscovery(f"unique_id {config.unique_id!r} is the name of a group")
                if config.unique_id not in self.lamps and len(self.lamps) >= MAX_LAMPS:
                    raise BadDiscovery(f"over {MAX_LAMPS} lamps")
                if config != self._config_at(message.topic):
                    await self._known.put(message.topic, {"payload": message.payload.decode()})
                await self._announce(message.topic, config)
                await self._ctx.alive()
            except (BadDiscovery, UnicodeDecodeError) as wrong:
                await self._refuse(message.topic, str(wrong))

    async def _announce(self, topic: str, config: LampConfig) -> None:
        before = self._by_topic.get(topic)
        if before is not None and before != config.unique_id:
            await self._withdraw(topic)  # the same topic is another lamp now
        self._by_topic[topic] = config.unique_id
        lamp = await self._lamp(config.unique_id, config.name, config.area)
        await lamp.announced(config)

    async def _withdraw(self, topic: str) -> None:
        unique_id = self._by_topic.pop(topic, None)
        await self._known.delete(topic)
        if unique_id is None:
            return
        lamp = self.lamps[unique_id]
        await lamp.gone()
        if unique_id in self._places:  # the configuration still expects it
            await lamp.settle()
            return
        del self.lamps[unique_id]
        self._described.pop(lamp.entity, None)
        self._kept.pop(lamp.entity, None)
        await self._plans.delete(lamp.entity)
        await self._ctx.remove(lamp.entity)
        await self._regroup()

    async def _refuse(self, topic: str, reason: str) -> None:
        self.refused += 1
        self.problem(f"{topic}: {reason}")
        data = {"topic": topic[:256], "reason": reason[:300]}
        try:
            await self._ctx.emit_named("light_discovery_refused", data, entity=self.entity)
        except LimitExceeded:
            self._ctx.log.warning("a lamp's announcement was refused: %s", data)

    async def _lamp(self, unique_id: str, name: str, area: str | None = None) -> Lamp:
        """The lamp of that id, made when it is new; its description is brought up to date."""
        entity, place = f"light.{slug(unique_id)}", self._places.get(unique_id)
        lamp = self.lamps.get(unique_id)
        new = lamp is None
        if lamp is None:
            lamp = Lamp(self._zone, entity, self._plans, self._kept.get(entity, Plan()))
            self.lamps[unique_id] = lamp
        described = Entity(
            entity, place.name.text() if place and place.name else Text(name, name), ("light",),
            area=place.area if place and place.area else None, position=place.position if place else None,
            simulated=self._config.simulated,
            attributes={
                "unique_id": unique_id, "group": False, "suggested_area": area,
                "neighbours": self._neighbours.get(unique_id, []),
            },
        )  # fmt: skip
        if described != self._described.get(entity):
            self._described[entity] = described
            await self._ctx.add(described, lamp)
        if new:
            await self._regroup()
        return lamp

    def _topic_of(self, unique_id: str) -> str | None:
        return next((topic for topic, known in self._by_topic.items() if known == unique_id), None)

    def _config_at(self, topic: str) -> LampConfig | None:
        unique_id = self._by_topic.get(topic)
        return self.lamps[unique_id].config if unique_id is not None else None

    # --- groups

    def _members(self, group: GroupSettings) -> list[Lamp]:
        return [
            lamp for unique_id, lamp in sorted(self.lamps.items())
            if any(fnmatchcase(unique_id, pattern) for pattern in group.members)
        ]  # fmt: skip

    async def _regroup(self) -> None:
        for name in self._groups:
            await self._describe_group(name)

    async def _describe_group(self, name: str) -> None:
        group, made = self._groups[name]
        members = [lamp.entity for lamp in self._members(group)]
        described = Entity(
            made.entity, group.name.text(), ("light",), position=group.position, simulated=self._config.simulated,
            attributes={"group": True, "members": members},
        )  # fmt: skip
        if described != self._described.get(made.entity):
            self._described[made.entity] = described
            await self._ctx.add(described, made)

    # --- time

    async def tick(self) -> None:
        """Once a second: ends of boosts and overrides, the schedule, faults, groups."""
        zone = self._zone
        if zone.mqtt is None and self._ctx.clock.now() - zone.lost_at > NO_MQTT_S:
            await self._ctx.health(False, NO_MQTT)
        for lamp in list(self.lamps.values()):
            await self._alone(lamp.entity, lamp.settle())
        for _, group in self._groups.values():
            await self._alone(group.entity, group.show())
        await self._show()

    async def _alone(self, what: str, doing: Awaitable[None]) -> None:
        """One lamp's fault is told, and does not cost the others their commands."""
        try:
            await doing
        except Exception as fault:
            why = fault.message if isinstance(fault, HubError) else f"{type(fault).__name__}: {fault}"
            words = f"{what}: {why}"[:300]
            if words not in self.problems:
                self._ctx.log.warning("a lamp failed: %s", words, exc_info=True)
            self.problem(words)

    async def _show(self) -> None:
        lamps = list(self.lamps.values())
        faults = sum(lamp.fault is not None for lamp in lamps)
        held = sum(lamp.plan.override is not None for lamp in lamps)
        shown = {
            "lamps": len(lamps), "lit": sum(bool(lamp.level) for lamp in lamps if not lamp.missing), "faults": faults,
            "overrides": held, "refused": self.refused, "problem": self.problems[-1] if self.problems else "",
            **asdict(self._zone.limits),
        }  # fmt: skip
        if shown != self._shown:
            state = "faults" if faults else "ok"
            try:
                await self._ctx.emit(StateChanged(state=state, attributes=shown), entity=self.entity)
                self._shown = shown
            except LimitExceeded:
                self._ctx.log.info("the figures are shown with the next look")

    def problem(self, words: str) -> None:
        """What went wrong last, for the page; the newest stands last."""
        if not self.problems or self.problems[-1] != words:
            self.problems = [*self.problems, words[:300]][-MAX_PROBLEMS:]

    # --- actions of the plugin

    async def set_limits(
        self,
        max_brightness_pct: float | None = None,
        max_boost_min: float | None = None,
        quiet_from: str | None = None,
        quiet_to: str | None = None,
        quiet_max_pct: float | None = None,
    ) -> dict[str, Any]:
        """Change what is given. Empty words for ``quiet_from`` and ``quiet_to`` take the quiet hours away."""
        given = {
            "max_brightness_pct": max_brightness_pct, "max_boost_min": max_boost_min, "quiet_from": quiet_from,
            "quiet_to": quiet_to, "quiet_max_pct": quiet_max_pct,
        }  # fmt: skip
        new = asdict(self._zone.limits) | {name: value for name, value in given.items() if value is not None}
        new |= {name: new[name] or None for name in ("quiet_from", "quiet_to")}
        checked = self._config.limits.check(new)
        await self._limits.put("limits", checked)
        self._zone.limits = Limits(**checked)
        await self._ctx.emit_named("light_limits_changed", {**checked, "by": current_call().actor}, entity=self.entity)
        await self.tick()
        return checked

    async def forget(self, light: str) -> None:
        """Take out a lamp that is there no more. One that still announces itself comes back."""
        async with self._changing:
            unique_id = next((key for key, lamp in self.lamps.items() if lamp.entity == light), None)
            if unique_id is None:
                raise NotFound(f"no lamp {light[:80]!r}", where="light")
            if unique_id in self._places:
                raise InvalidInput("the configuration names it", where="light", hint="take it out of lamps: there")
            if (topic := self._topic_of(unique_id)) is not None:
                await self._withdraw(topic)


def _neighbours(config: Settings) -> dict[str, list[str]]:
    """For each lamp with a place: the nearest others within the radius, nearest first."""
    placed: list[tuple[LampSettings, tuple[float, float]]] = [
        (one, one.position) for one in config.lamps if one.position is not None
    ]
    found: dict[str, list[str]] = {}
    for one, here in placed:
        near = sorted(
            (distance, f"light.{slug(other.unique_id)}")
            for other, there in placed
            if other is not one and (distance := distance_m(here, there)) <= config.neighbour_radius_m
        )
        found[one.unique_id] = [entity for _, entity in near[: config.neighbours]]
    return found
