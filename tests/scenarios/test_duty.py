"""The shift's rules, and its handover as it is printed and read by another plugin."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.scenarios.conftest import Begin
from tests.scenarios.kit import write_plugin, write_zone

ROSTER = """\
  - plugin: duty_roster
    config:
      officers:
        - {account: is_ccoc, name: สมชาย ใจดี, title: ร.ต.อ.}
        - {account: is_commander, name: มาลี ตั้งใจ, title: พ.ต.ท.}
      shifts: [{id: all, name: {th: ทั้งวัน, en: All day}, start: "00:00", end: "24:00", officers: [is_ccoc]}]
      sign_in_within_min: 0.001
      sound_test_within_min: 0.001
"""
RULES = """\
id: duty_trouble
use_blueprint:
  path: duty_trouble.yaml
  input: {priority: critical}
"""
ASKER_TOML = """\
[[actions]]
name = "asker.who"
title = { th = "ใคร", en = "Who" }
right = "document.read"
"""
ASKER = """\
from hub.capabilities import Roster


class Settings(Config):
    pass


async def setup(ctx: Context, config: Settings):
    roster = await ctx.need(Roster)

    async def who() -> list:
        return await roster.on_duty()

    await ctx.act("asker.who", who)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    return PluginSpec(Settings, setup)
"""


async def test_too_few_on_duty_and_no_sound_test_raise_alarms(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path, plugins=ROSTER, automations=RULES))
    short = await scene.event("alarm_raised", title="ผู้เข้าเวรไม่ครบ 0/2 คน")
    assert (short.data["priority"], short.data["subject"]) == ("critical", "shift.current")
    overdue = await scene.event("alarm_raised", title="ยังไม่ทดสอบเสียงสัญญาณเตือนของเวรนี้")
    assert overdue.data["priority"] == "normal"
    officer, commander = await scene.person("ccoc"), await scene.person("commander")
    await officer.act("shift.sign_in", "shift.current")
    await officer.act("shift.sound_test", "shift.current", result="not_heard")
    unheard = await scene.event("alarm_raised", title="ทดสอบเสียงแล้วไม่ได้ยิน ตรวจลำโพงศูนย์ควบคุม")
    assert unheard.data["priority"] == "high"
    assert scene.events("duty_filled") == []
    await commander.act("shift.sign_in", "shift.current")
    assert (await scene.event("duty_filled")).data["count"] == 2


async def test_another_plugin_asks_who_is_on_duty(begin: Begin, tmp_path: Path) -> None:
    write_plugin(tmp_path, "asker", ASKER, ASKER_TOML)
    scene = await begin(write_zone(tmp_path, plugins=f"{ROSTER}  - plugin: asker\n"))
    officer = await scene.person("ccoc")
    assert await officer.act("asker.who") == []
    await officer.act("shift.sign_in", "shift.current")
    assert await officer.act("asker.who") == ["user:is_ccoc"]


async def test_the_handover_is_printed_in_thai_for_who_may_read_it(begin: Begin, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler-utils (Debian) is not installed")
    scene = await begin(write_zone(tmp_path, plugins=ROSTER))
    officer, commander = await scene.person("ccoc"), await scene.person("commander")
    assert (await officer.ask("GET", "/plugin/duty_roster/handover.pdf"))[0] == 404
    await officer.act("incident.open", kind="theft", title="ชิงทรัพย์ร้านทอง")
    await officer.act("watchlist.add", plate="1กข 1234", reason="รถหาย", legal_ground="คดี 12/2569", days=1)
    await officer.act("shift.sign_in", "shift.current")
    await commander.act("shift.sign_in", "shift.current")
    await officer.act("shift.hand_over", "shift.current", note="น้ำเริ่มท่วมตลาด <ระวัง>")
    done = await commander.act("shift.accept", "shift.current")
    event = await scene.event("shift_handed_over")
    assert (event.data["hash"], event.data["counts"]["watchlist"], event.data["counts"]["incidents"]) == (
        done["hash"], 1, 1,
    )  # fmt: skip
    status, pdf = await officer.ask("GET", f"/plugin/duty_roster/handover.pdf?id={done['handover']}")
    assert (status, pdf[:5]) == (200, b"%PDF-")
    reader = await asyncio.create_subprocess_exec("pdftotext", "-layout", "-", "-", stdin=-1, stdout=-1)
    text = (await reader.communicate(pdf))[0].decode().replace("\n", "")
    incident = (await scene.event("incident_opened")).data["reference"]
    # marks above and below Thai letters come back in another order: so words without them
    for words in ("รถหาย", "<ระวัง>", "SHA-256", "is_commander", str(incident), done["hash"][:20]):
        assert words in text, words
    assert "1กข" not in text  # the list's plates are not printed
    assert (await (await scene.person("municipality")).ask("GET", "/plugin/duty_roster/handover.pdf"))[0] == 403
    assert (await officer.ask("GET", "/plugin/duty_roster/handover.pdf?id=../x"))[0] == 404
