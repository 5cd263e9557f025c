"""Configuration of the stickers, the citizens' page and the calls."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from hub.sdk import Config, Name

ICE_URL = re.compile(r"(stun|turn)s?:[A-Za-z0-9.\[\]:-]{1,255}(\?transport=(udp|tcp))?")


class StickerSettings(Config):
    """One place with a sticker."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$", description="short name: small letters, digits and _")
    name: Name = Field(description="the place, as citizens and the desk read it")
    lat: float | None = Field(None, ge=-90, le=90, description="degrees north (WGS 84)")
    lon: float | None = Field(None, ge=-180, le=180, description="degrees east (WGS 84)")
    token: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{16,64}$",
        description="the word in its address; leave it out to have a random one made (set it in a demo only)",
    )  # fmt: skip


class IceSettings(Config):
    """How two browsers find a way to each other (ICE, RFC 8445)."""

    stun: list[str] = Field([], max_length=4, description="STUN servers, such as stun:turn.example.go.th:3478")
    turn: list[str] = Field([], max_length=4, description="TURN servers, such as turn:turn.example.go.th:3478")
    turn_secret: SecretStr | None = Field(
        None, description="coturn's static-auth-secret; passwords made of it last a call; use !secret"
    )
    turn_ttl_s: int = Field(7_200, ge=60, le=86_400, description="seconds that such a password lasts")
    relay_only: bool = Field(False, description="always through TURN, so that no side learns the other's address")

    @field_validator("stun", "turn")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for url in value:
            if not ICE_URL.fullmatch(url):
                raise ValueError(f"{url!r} is not an address such as turn:turn.example.go.th:3478?transport=udp")
        return value


class Settings(Config):
    """Configuration of the citizens' page."""

    responsible: Name = Field(
        Name(th="สถานีตำรวจ (ตั้งชื่อใน config)", en="The police station (name it in the configuration)"),
        description="who is responsible for the data (PDPA: the controller), as citizens read it",
    )
    contact: str = Field("191", min_length=1, max_length=200, description="where citizens ask about their data")
    emergency_number: str = Field("191", pattern=r"^[0-9]{3,10}$", description="the number of the big button")
    stickers: list[StickerSettings] = Field([], max_length=2_000, description="places; more can be added on screen")
    ring_s: float = Field(30.0, ge=5, le=600, description="seconds of ringing after which nobody has answered")
    repeat_s: float = Field(60.0, ge=5, le=600, description="seconds after which this is said again")
    resume_s: float = Field(30.0, ge=5, le=300, description="seconds that a caller whose link dropped is waited for")
    longest_s: float = Field(7_200.0, ge=60, le=14_400, description="seconds after which a call is ended")
    max_waiting: int = Field(20, ge=1, le=100, description="calls that may ring at once")
    first_word_s: float = Field(10.0, ge=0.1, le=60, description="seconds in which an opened line must say something")
    ice: IceSettings = Field(IceSettings(), description="STUN and TURN servers; none are needed in one network")
    record: bool = Field(True, description="keep what is seen and said; the page tells citizens so")
    picture_within_s: float = Field(5.0, ge=1, le=60, description="seconds after the answer without a recording: alarm")
    recording_retention: Literal["incidents", "messages"] = Field(
        "incidents", description="the retention class of recordings"
    )
    report_days: int = Field(90, ge=1, description="how long the page says that reports are kept (class messages)")
    recording_days: int = Field(1_826, ge=1, description="how long the page says that recordings are kept")
    photos_mib_a_day: int = Field(
        2_048, ge=0, le=1 << 20,
        description="MiB of citizens' photos kept in a day, at most 100 of one phone; beyond it words are still taken",
    )  # fmt: skip
    list_hours: float = Field(24.0, ge=0.1, le=720, description="hours that an ended call stays in the list")
    simulated: bool = Field(False, description="nobody real calls here: shown as จำลอง")
