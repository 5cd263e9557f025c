"""One connection to the zone's MQTT broker, shared by all plugins."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Self

from pydantic import Field, SecretStr, model_validator

from hub.capabilities import Mqtt, MqttMessage
from hub.sdk import Config, Context, Entity, HubError, PluginSpec, StateChanged, Text, Unavailable, plugin

from .device import Broker, Connection
from .embedded import Embedded

ENTITY = "mqtt.broker"
LOOK_S = 5.0
MAX_TEXT = 4096


class Settings(Config):
    """Configuration of the MQTT connection."""

    host: str | None = Field(None, max_length=253, description="the broker's address; without it a broker is started")
    port: int = Field(1883, ge=0, le=65535, description="its port (8883 is usual with TLS); 0: any, for the own broker")
    username: str | None = Field(None, max_length=200, description="as whom the hub signs in")
    password: SecretStr | None = Field(None, description="its password; use !secret")
    tls: bool = Field(False, description="encrypt, and check the broker's certificate")
    ca_file: str | None = Field(None, description="certificate of the authority that signed the broker's, in PEM")
    cert_file: str | None = Field(None, description="the hub's own certificate, where the broker asks for one")
    key_file: str | None = Field(None, description="its key")
    plaintext: bool = Field(False, description="accept a broker on another machine without TLS: the net can listen")
    client_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="under which the broker keeps messages; else made up once"
    )
    keepalive_s: int = Field(15, ge=5, le=300, description="seconds of silence after which the broker is asked")
    connections: int = Field(200, ge=1, le=2000, description="clients the broker of its own takes at once")
    events: list[str] = Field(
        [], max_length=20, description="topic filters whose messages become events mqtt_message, for automations"
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.host is None and (self.username or self.tls):
            raise ValueError("username and tls need a host: the broker of its own takes anyone on this machine")
        if self.host and not self.tls and not self.plaintext and not _loopback(self.host):
            raise ValueError("a broker on another machine needs tls: true (or plaintext: true, when you know the net)")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together")
        if self.host and self.port == 0:
            raise ValueError("port 0 is for the broker of its own only")
        return self


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Desk:
    """What the screens see of the connection."""

    def __init__(self, ctx: Context, config: Settings, embedded: Embedded | None) -> None:
        self._ctx, self._config, self._embedded = ctx, config, embedded
        self._state, self._reason, self._since = "connecting", "", ctx.clock.now()
        self._shown: dict[str, object] = {}
        self._heard: float | None = None
        self.connection: Connection | None = None

    async def where(self) -> Broker:
        """The broker, started when it is our own."""
        config = self._config
        if self._embedded is not None:
            return Broker("127.0.0.1", await self._embedded.ready(), keepalive_s=config.keepalive_s)
        tls = await asyncio.to_thread(_context, config) if config.tls else None
        password = config.password.get_secret_value() if config.password else None
        return Broker(str(config.host), config.port, config.username, password, tls, config.keepalive_s)

    async def changed(self, connected: bool, reason: str) -> None:
        state = "connected" if connected else "disconnected"
        if state != self._state:
            self._since = self._ctx.clock.now()
        self._state, self._reason = state, reason
        name = self._name()
        again = "" if connected else "; it is tried again"
        await self._ctx.health(connected and not reason, f"MQTT broker {name}: {reason}{again}" if reason else "")
        if connected:
            await self._ctx.alive()
        await self.show()

    def _name(self) -> str:
        broker = self.connection.broker if self.connection else None
        own = " (embedded)" if self._embedded is not None else ""
        return f"{broker.name if broker else self._config.host or '127.0.0.1'}{own}"

    async def look(self) -> None:
        """Is there a new sign of life, or a new figure?"""
        heard = self.connection.last_heard() if self.connection else None
        if heard is not None and heard != self._heard:
            self._heard = heard
            await self._ctx.alive()
        await self.show()

    async def show(self) -> None:
        held = self.connection
        shown: dict[str, object] = {
            "broker": self._name(), "embedded": self._embedded is not None, "tls": self._config.tls,
            "port": held.broker.port if held and held.broker else None, "since": self._since, "reason": self._reason,
            "received": held.receivers.received if held else 0, "dropped": held.receivers.dropped if held else 0,
            "subscriptions": len(held.receivers.wanted()) if held else 0,
            "problem": held.receivers.problem if held else "", "state": self._state,
        }  # fmt: skip
        if shown != self._shown:
            attributes = {name: value for name, value in shown.items() if name != "state"}
            with suppress(HubError):  # a busy hub, a full journal: it is shown with the next look
                await self._ctx.emit(StateChanged(state=self._state, attributes=attributes), entity=ENTITY)
                self._shown = shown

    async def message(self, message: MqttMessage) -> None:
        """An event of a message that the configuration asks for; a retained one is no news."""
        if not message.retain:
            data = {
                "topic": message.topic, "qos": message.qos,
                "payload": message.payload.decode("utf-8", "replace")[:MAX_TEXT],
            }  # fmt: skip
            await self._ctx.emit_named("mqtt_message", data, entity=ENTITY)


def _context(config: Settings) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=config.ca_file)
        if config.cert_file:
            made.load_cert_chain(config.cert_file, config.key_file)
    except (OSError, ssl.SSLError) as wrong:
        hint = "look at ca_file, cert_file and key_file"
        raise Unavailable(f"the TLS files cannot be used: {wrong}", hint=hint) from None
    return made


async def _identifier(ctx: Context, config: Settings) -> str:
    """The same after a restart, so that the broker goes on with what was not acknowledged; of this hub alone."""
    if config.client_id:
        return config.client_id
    rows = ctx.records("client")
    known = (await rows.all()).get("id")
    if not isinstance(known, str):
        known = f"safezone-{ctx.ids.new()[-10:]}"
        await rows.put("id", known)
    return known


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Offer the service at once; the broker may come later."""
    embedded = None if config.host else Embedded(config.port, config.connections, ctx.log)
    desk = _Desk(ctx, config, embedded)
    rng = ctx.ids.random
    connection = Connection(await _identifier(ctx, config), desk.where, desk.changed, ctx.log, rng)
    desk.connection = connection
    await ctx.add(Entity(ENTITY, Text("โบรกเกอร์ MQTT", "MQTT broker")))
    await desk.show()
    for wanted in config.events:
        await connection.subscribe(wanted, desk.message)
    keeping = asyncio.create_task(connection.run(), name="the MQTT connection")
    try:
        await ctx.every(LOOK_S, desk.look)
        await ctx.offer(Mqtt, connection)  # type: ignore[type-abstract] # a Protocol is its name here
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await connection.receivers.end()
        if embedded is not None:
            await embedded.stop()


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
