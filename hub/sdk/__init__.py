"""With ``hub.capabilities``, all that a plugin imports of the hub.

::

    from hub.sdk import Config, Context, Entity, PluginSpec, Text, plugin

    class Settings(Config):
        host: str = Field(description="address of the device")

    async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
        await ctx.add(Entity("light.gate", Text("ไฟหน้าประตู", "Gate light"), ("light",)), GateLight(config.host))
        yield

    @plugin
    def hub_plugin() -> PluginSpec:
        return PluginSpec(Settings, setup)
"""

from hub.core.action import Call, Outcome
from hub.core.clock import Clock, ManualClock, SystemClock
from hub.core.entity import Entity
from hub.core.error import (
    ActionFailed,
    Conflict,
    Denied,
    Expired,
    HubError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    TimedOut,
    Unavailable,
)
from hub.core.event import Event, EventData
from hub.core.geo import distance_m
from hub.core.ids import Ids, receipt_of
from hub.core.journal import Query
from hub.core.state import EntityState
from hub.core.system import StateChanged
from hub.core.text import Text
from hub.sdk.context import (
    Collection,
    Context,
    MediaDraft,
    MediaStore,
    Records,
    Socket,
    Video,
    VideoSource,
    WebRequest,
    WebResponse,
    WordList,
    current_call,
)
from hub.sdk.picture import MotionConfig
from hub.sdk.spec import Config, LocalPath, Name, PluginSpec, plugin

__all__ = [
    "ActionFailed", "Call", "Clock", "Collection", "Config", "Conflict", "Context", "Denied", "Entity",
    "EntityState", "Event", "EventData", "Expired", "HubError", "Ids", "InvalidInput", "LimitExceeded", "LocalPath",
    "ManualClock", "MediaDraft", "MediaStore", "MotionConfig", "Name", "NotFound", "Outcome", "PluginSpec",
    "Query", "Records", "Socket", "StateChanged", "SystemClock",
    "Text", "TimedOut", "Unavailable", "Video", "VideoSource",
    "WebRequest", "WebResponse", "WordList", "current_call", "distance_m", "plugin", "receipt_of",
]  # fmt: skip
