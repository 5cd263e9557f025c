"""Surveys: forms in the operator's YAML, answered by QR, LINE link or tablet, and polls measured against a mark."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field, field_validator

from hub.sdk import Config, Context, PluginSpec, plugin

from .device import Doors
from .forms import Form
from .pages import MAX_PAGE, form_page
from .poll import Poll
from .tokens import KEY_BYTES

ALIVE_S = 30.0
_HIDDEN = {"n": "n" * 64, "via": "tablet", "lang": "th", "t": "t" * 64}  # at least as long as what a page carries


class Settings(Config):
    """Configuration of the forms."""

    forms: list[Form] = Field([], max_length=50, description="the forms, each in a file of its own: !include_dir_list")

    @field_validator("forms")
    @classmethod
    def _small(cls, value: list[Form]) -> list[Form]:
        if len({form.id for form in value}) != len(value):
            raise ValueError("two forms have the same id")
        for form in value:
            size = max(len(form_page(form, "th", _HIDDEN)), len(form_page(form, "en", _HIDDEN)))
            if size > MAX_PAGE:
                raise ValueError(f"{form.id}: its page has {size} bytes, at most {MAX_PAGE}: make two forms of it")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up the open rounds, then serve the pages."""
    polls = {form.id: Poll(ctx, form) for form in config.forms}
    for poll in polls.values():
        await poll.take_up()
    doors = Doors(ctx, polls, await _key(ctx))
    await ctx.act("survey.open", doors.open)
    await ctx.act("survey.close", doors.close)
    await ctx.route("GET", "f/*", doors.show)
    await ctx.route("POST", "f/*", doors.take)
    await ctx.route("GET", "thanks/*", doors.thanks)
    await ctx.route("GET", "codes.pdf", doors.codes, right="document.read")
    await ctx.route("GET", "sheets.pdf", doors.sheets, right="document.write")
    await ctx.every(ALIVE_S, ctx.alive)
    yield


async def _key(ctx: Context) -> bytes:
    """The key that signs tokens: made once, kept encrypted in the journal."""
    keys = ctx.records("keys")
    held = (await keys.all()).get("sign")
    if not isinstance(held, str):
        held = ctx.ids.random.randbytes(KEY_BYTES).hex()
        await keys.put("sign", held)
    return bytes.fromhex(held)


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
