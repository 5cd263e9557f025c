"""Police 4.0: imports of patrol scan logs, mapped to the red boxes. There is no public interface to speak to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from pydantic import Field

from hub.sdk import Config, Context, Entity, InvalidInput, LocalPath, PluginSpec, StateChanged, Text, plugin

from .importer import Folder, Importer

LOOK_S = 10.0


class Settings(Config):
    """Configuration of the imports."""

    folder: LocalPath | None = Field(
        None, description="folder into which logs are dropped, from that of config.yaml; empty: by the form only"
    )
    look_s: float = Field(LOOK_S, ge=0.05, le=3600, description="seconds between looks into the folder")
    simulated: bool = Field(False, description="the logs are invented: shown as จำลอง")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Serve the form, and watch the folder when there is one."""
    entity = Entity(
        f"patrol_log.{ctx.instance}", Text("นำเข้าบันทึก Police 4.0", "Police 4.0 imports"), simulated=config.simulated,
        attributes={"interface": "file"},
    )  # fmt: skip
    await ctx.add(entity)
    if (state := await ctx.state(entity.id)) is None or state.state == "unknown":
        await ctx.emit(StateChanged(state="waiting"), entity=entity.id)
    importer = Importer(ctx, entity.id)

    async def import_log(
        content: Annotated[
            str,
            Field(min_length=1, max_length=5 << 20, json_schema_extra={"contentMediaType": "text/csv"},
                  description="the file: CSV or JSON"),
        ],
        name: Annotated[str, Field(max_length=200)] = "form",
    ) -> dict[str, Any]:  # fmt: skip
        """Import a log; how many visits were new, known, of an unknown box or wrong, and where."""
        if not content.strip():
            raise InvalidInput("the file is empty", where="content")
        return (await importer.take(content.encode(), name)).model_dump(mode="json")

    await ctx.act("police_4_0.import_log", import_log)
    await ctx.every(30.0, ctx.alive)
    if config.folder is not None:
        await ctx.every(config.look_s, Folder(ctx, importer, config.folder).look)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
