"""The places a notice may be for, as the station configures them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hub.sdk import Config, Name

Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]


class Area(Config):
    """One area."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="its short name")
    name: Name = Field(description="what people call it")
    polygon: list[tuple[Lat, Lon]] = Field(
        [], max_length=200, description="its border as [lat, lon] in degrees, WGS 84, 3 points or more, not closed"
    )
