"""A zone of a test's own: its configuration, a street of test devices, accounts, and clients of a hub that serves."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from hub.access.accounts import Accounts
from hub.access.passwords import Hasher
from hub.access.rights import ASSIGNABLE, OWN
from hub.core.clock import SystemClock

OWNER = "gold_shop_1"
PASSWORD = "rain on the old temple"
UNITS = ("s1", "s2", "s3")
BASE = """\
zone: {name: {th: ทดสอบ, en: Test}, center: [17.0079, 99.8228], simulated: true}
"""


WEB = "web: {host: 127.0.0.1, port: 0}\n"


def unit_secret(unit: str) -> str:
    """The secret of a unit's phone."""
    return f"secret-of-{unit}"


def desk(*, units: tuple[str, ...] = UNITS) -> str:
    """The three plugins of the control desk as lines of ``plugins:``; every read of a listed plate is a hit."""
    phones = "".join(
        f"        - {{id: {unit}, name: {{th: {unit}, en: {unit}}}, secret: {unit_secret(unit)}}}\n" for unit in units
    )
    return (
        "  - plugin: incident_desk\n  - {plugin: watchlist, config: {quiet_s: 0}}\n"
        f"  - plugin: units\n    config:\n      devices:\n{phones}"
    )


def write_zone(folder: Path, *, plugins: str = "", automations: str = "", top: str = WEB) -> Path:
    """``config.yaml`` in ``folder``; plugins of the test's own stand in ``folder/partners`` and run in children."""
    (folder / "partners").mkdir(exist_ok=True)
    text = f"{BASE}{top}plugin_folders: [partners]\nplugins:\n{desk()}{plugins}"
    if automations:
        (folder / "automations").mkdir(exist_ok=True)
        (folder / "automations" / "rules.yaml").write_text(textwrap.dedent(automations))
        text += "automations: !include_dir_list automations\n"
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def write_plugin(folder: Path, name: str, code: str, toml: str = "") -> Path:
    """A plugin in ``folder/partners``; ``code`` may use everything of ``hub.sdk`` and ``asyncio``."""
    home = folder / "partners" / name
    home.mkdir(parents=True)
    (home / "plugin.toml").write_text(
        f'name = "{name}"\napi = 1\ntitle = {{ th = "{name}", en = "{name}" }}\n'
        f'description = {{ th = "{name}", en = "{name}" }}\n{textwrap.dedent(toml)}'
    )
    head = "import asyncio\nimport os\nfrom pydantic import Field\nfrom hub.sdk import *\n"
    (home / "__init__.py").write_text(head + textwrap.dedent(code))
    return home


STREET_TOML = """\
[[actions]]
name = "siren.sound"
title = { th = "ไซเรน", en = "Siren" }
right = "siren.control"
idempotent = false
"""

# The siren is the device that must never be called twice: it notes each call's key, synced, before it answers.
STREET = """\
class Settings(Config):
    calls: str = Field(description="file of the siren's calls")


class Camera:
    async def snapshot(self) -> str:
        raise Unavailable("no picture here")

    async def clip(self, before_s: float = 10.0, after_s: float = 10.0, incident: str | None = None) -> list[str]:
        raise Unavailable("no video here")


class Drone:
    def __init__(self, calls: str) -> None:
        self.calls = calls

    async def dispatch(self, lat: float, lon: float, altitude_m: float = 40.0, incident: str | None = None) -> dict:
        note(self.calls, "drone", current_call().key)
        return {"lat": lat, "lon": lon}

    async def return_(self) -> None:
        pass


def note(path: str, what: str, key: str) -> None:
    with open(path, "a") as book:
        book.write(f"{what} {key}\\n")
        book.flush()
        os.fsync(book.fileno())


async def setup(ctx: Context, config: Settings):
    for n, at in ((1, (17.0090, 99.8240)), (2, (17.0060, 99.8210))):
        camera = Entity(f"camera.c{n}", Text(f"กล้อง {n}", f"Camera {n}"), ("camera",), position=at)
        await ctx.add(camera, Camera())
    await ctx.add(Entity("drone.sky1", Text("โดรน", "Drone"), ("drone",)), Drone(config.calls))

    async def sound() -> None:
        note(config.calls, "siren", current_call().key)

    await ctx.act("siren.sound", sound)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    return PluginSpec(Settings, setup)
"""


def street(folder: Path) -> str:
    """Write the street; its lines of ``plugins:``. Its calls stand in ``folder/calls``, ``WHAT KEY`` a line."""
    write_plugin(folder, "street", STREET, STREET_TOML)
    return f"  - {{plugin: street, config: {{calls: {folder / 'calls'}}}}}\n"


def device_calls(folder: Path) -> list[str]:
    """What the street's devices were asked, in order: ``siren KEY``, ``drone KEY``."""
    book = folder / "calls"
    return book.read_text().splitlines() if book.exists() else []


@dataclass(frozen=True, slots=True)
class People:
    """Accounts in a data folder and their tokens, by role."""

    accounts: Accounts
    tokens: dict[str, str]

    def bearer(self, role: str) -> dict[str, str]:
        """The header of a machine with that role."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


def people(data: Path, roles: tuple[str, ...] = ASSIGNABLE) -> People:
    """An account ``is_ROLE`` for each role with a token, and ``nothing`` without any role.

    Hashed fast: what is tested with them is not argon2.
    """
    data.mkdir(parents=True, exist_ok=True)
    accounts = Accounts(data, SystemClock(), hasher=Hasher(memory_kib=8, passes=1))
    tokens: dict[str, str] = {}
    for role in (*roles, "nothing"):
        held = () if role == "nothing" else (role,)
        accounts.add(f"is_{role}", PASSWORD, held, owner=OWNER if role in OWN else None)
        tokens[role] = accounts.add_token(f"is_{role}")[0]
    return People(accounts, tokens)
