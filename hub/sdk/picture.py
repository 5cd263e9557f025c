"""What is looked for in a camera's picture, as operators configure it; the same for every plugin of cameras."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from hub.sdk.spec import Config

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
Name = Annotated[str, Field(min_length=1, max_length=60)]


class LineConfig(Config):
    """A line; who crosses it is told as ``line_crossed``."""

    name: Name = Field(description="what rules call it")
    points: Annotated[list[Point], Field(min_length=2, max_length=2)] = Field(
        description="its two ends, x and y as fractions of the picture from the upper left corner"
    )


class AreaConfig(Config):
    """An area; who stays in it is told as ``loitering``."""

    name: Name = Field(description="what rules call it")
    points: Annotated[list[Point], Field(min_length=3, max_length=64)] = Field(description="its corners, as of lines")
    after_s: float = Field(60.0, ge=1, le=86_400, description="seconds in it that are told")


class MotionConfig(Config):
    """How motion is looked for."""

    sensitivity: float = Field(0.5, ge=0, le=1, description="0: only strong changes, 1: faint ones too")
    min_size_m: float = Field(0.5, ge=0, le=100, description="what is smaller, in metres, is left out; needs a scale")
    scale: list[tuple[Share, Annotated[float, Field(gt=0, le=10_000)]]] = Field(
        [], max_length=2, description="one or two rows of the picture (fractions), and the metres of its height there"
    )
    masks: list[Annotated[list[Point], Field(min_length=3, max_length=64)]] = Field(
        [], max_length=32, description="polygons in which nothing is looked for: trees, a neighbour's window"
    )
    lines: list[LineConfig] = Field([], max_length=16, description="lines; who crosses them is told")
    areas: list[AreaConfig] = Field([], max_length=16, description="areas; who stays in them is told")
    tamper: bool = Field(True, description="tell when the camera is covered, moved, out of focus or dark")

    def as_settings(self) -> dict[str, Any]:
        """For ``VideoSource.settings``."""
        given = self.model_dump(mode="json")
        return {"motion": {**given, "scale": given["scale"] or None}}
