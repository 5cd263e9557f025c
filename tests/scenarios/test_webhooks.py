"""Another system's request, from its address to the alarm that a rule raises; and who is not let in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.webhooks.fake import JSON, Sender
from tests.scenarios.conftest import Begin, Scene
from tests.scenarios.kit import write_zone

HOOKS = """\
  - plugin: webhooks
    config:
      hooks:
        - {id: panic, name: {th: ปุ่ม, en: Button}, secret: the-button-s-secret, sign: true, simulated: true}
        - {id: flood, name: {th: น้ำ, en: Flood}, secret: the-gauge-s-secret, local_only: false}
        - {id: inside, name: {th: ใน, en: Inside}, secret: the-inner-hook-s-secret}
"""
RULES = """\
- id: panic
  use_blueprint: {path: webhook_alarm.yaml, input: {webhook: panic, title: กดปุ่มฉุกเฉิน, priority: critical}}
- id: flood
  use_blueprint: {path: webhook_alarm.yaml, input: {webhook: flood, title: น้ำท่วม}}
- id: only_put
  triggers: [{trigger: webhook, webhook_id: flood, allowed_methods: [PUT], local_only: true}]
  actions: [{action: alarm.raise, data: {title: put from inside}}]
"""
BEHIND = "web: {host: 127.0.0.1, port: 0, proxies: [127.0.0.1]}\n"
OUTSIDE = {"X-Forwarded-For": "203.0.113.9"}
SECRETS = {"panic": "the-button-s-secret", "flood": "the-gauge-s-secret", "inside": "the-inner-hook-s-secret"}


async def scene_of(begin: Begin, folder: Path) -> Scene:
    return await begin(write_zone(folder, plugins=HOOKS, automations=RULES, top=BEHIND))


def sender(scene: Scene, hook: str) -> Sender:
    return Sender(f"{scene.app.url}/hook/webhooks", hook, SECRETS[hook], sign=hook == "panic")


def told(event: Any) -> list[Any]:
    return [event.data[name] for name in ("title", "detail", "priority", "subject")]


async def test_a_panic_button_raises_one_alarm_with_its_words(begin: Begin, tmp_path: Path) -> None:
    scene = await scene_of(begin, tmp_path)
    button = sender(scene, "panic")
    body = b'{"text": "\xe0\xb8\x81\xe0\xb8\x94"}'
    headers = JSON | button.signed(body)
    assert await button.send_raw(body, headers) == (200, {"status": "taken"})
    assert await button.send_raw(body, headers) == (200, {"status": "known"})
    raised = await scene.event("alarm_raised")
    assert told(raised) == ["กดปุ่มฉุกเฉิน", "กด", "critical", "webhook.panic"]
    assert raised.data["simulated"] is True
    await scene.until(lambda: not any(one["running"] for one in scene.app.engine.list()))
    assert len(scene.events("alarm_raised")) == len(scene.events("webhook_received")) == 1


@pytest.mark.parametrize(
    ("body", "headers", "detail"),
    [
        (b'{"text": 71}', JSON, "71"), (b"[1]", JSON, ""), (b'"x"', JSON, ""), (b'{"text": null}', JSON, ""),
        ("text=น้ำ 71 ซม".encode(), {"Content-Type": "application/x-www-form-urlencoded"}, "น้ำ 71 ซม"),
    ],
)  # fmt: skip
async def test_whatever_a_gauge_sends_is_an_alarm(
    begin: Begin, tmp_path: Path, body: bytes, headers: dict[str, str], detail: str
) -> None:
    scene = await scene_of(begin, tmp_path)
    assert (await sender(scene, "flood").send_raw(body, headers))[0] == 200
    assert told(await scene.event("alarm_raised")) == ["น้ำท่วม", detail, "high", "webhook.flood"]


async def test_what_comes_from_outside_reaches_only_the_hooks_that_are_open_to_it(begin: Begin, tmp_path: Path) -> None:
    scene = await scene_of(begin, tmp_path)
    statuses = {hook: (await sender(scene, hook).send_raw(
        b"{}", JSON | OUTSIDE | sender(scene, hook).signed(b"{}"), method="PUT"))[0] for hook in SECRETS}  # fmt: skip
    assert statuses == {"panic": 404, "flood": 200, "inside": 404}
    assert (await sender(scene, "inside").send({}))[0] == 200
    said = [(event.data["webhook_id"], event.data["local"]) for event in scene.events("webhook_received")]
    assert said == [("flood", False), ("inside", True)]
    assert (await scene.event("alarm_raised")).data["title"] == "น้ำท่วม"
    assert (await sender(scene, "flood").send_raw(b"{}", JSON, method="PUT"))[0] == 200
    assert (await scene.event("alarm_raised", title="put from inside")).source == "instance:incident_desk"
    assert len(scene.events("alarm_raised", title="put from inside")) == 1  # not for what came from outside


async def test_what_was_sent_is_masked_for_who_may_not_see_it(begin: Begin, tmp_path: Path) -> None:
    scene = await scene_of(begin, tmp_path)
    await sender(scene, "inside").send({"name": "สมชาย"})
    path = "/api/events?type=webhook_received"
    cleared = await scene.machine("ccoc").get(path)
    others = await scene.machine("display").get(path)
    assert cleared[0]["data"]["json"] == {"name": "สมชาย"}
    assert [others[0]["data"][name] for name in ("webhook_id", "json", "data", "query")] == ["inside", *["•••"] * 3]
