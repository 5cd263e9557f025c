"""The editor's API: files saved byte for byte with versions, all or nothing, one writer at a time."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar

from hub.app import App, Options
from hub.automation.check import check_text
from hub.automation.library import VERSIONS, hash_of, included_folder
from hub.core.error import Mistake
from tests.scenarios.kit import people, write_zone
from tests.web.conftest import Door, Start

RULES = """\
# หัวไฟล์ stays as it is

- id: first
  alias: แรก / First   # a comment
  triggers:
    - {trigger: event, event_type: watchlist_hit}
  actions:
    - {action: alarm.raise, data: {title: "พบป้าย"}}

- id: second
  triggers: [{trigger: event, event_type: watchlist_hit}]
  actions: [{action: alarm.raise, data: {title: สอง}}]
"""
ONE = """\
id: {id}
triggers: [{{trigger: event, event_type: watchlist_hit}}]
actions: [{{action: alarm.raise, data: {{title: "{title}"}}}}]
"""
HIT: dict[str, Any] = {
    "plate": "1กข 1234", "read_plate": "1กข 1234", "province": "สุโขทัย", "match": "exact", "confidence": 0.9,
    "camera": "camera.own", "entry": "w1", "reason": "stolen",
}  # fmt: skip
FILES = "/api/automation-files"


@pytest.fixture
async def desk(start: Start) -> Door:
    """A hub with one file of two automations."""
    made = await start(automations=RULES)
    made.entity("camera.own")
    await made.app.pipeline.settled()
    return made


def folder(tmp_path: Path) -> Path:
    return tmp_path / "automations"


async def save(door: Door, file: str, text: str, base: str | None, role: str = "operator", **more: str) -> Any:
    return await door.ask("PUT", f"{FILES}/{file}", role, json={"text": text, "base": base, **more})


async def ids_of(door: Door) -> dict[str, bool]:
    _, told = await door.ask("GET", "/api/automations", "operator")
    return {row["id"]: row["shadow"] for row in told["automations"]}


async def test_a_file_is_read_as_it_is_and_saved_byte_for_byte(desk: Door, tmp_path: Path) -> None:
    status, told = await desk.ask("GET", f"{FILES}/rules.yaml", "operator")
    assert (status, told["text"], told["versions"], told["ids"]) == (200, RULES, [], ["first", "second"])
    text = "\r\n".join(RULES.splitlines()).replace("พบป้าย", "พบป้ายใหม่") + "\n\n\t \n# end"
    text = text.replace("\t ", "")
    status, saved = await save(desk, "rules.yaml", text, told["hash"], note="ลอง / try")
    assert (status, saved["ids"]) == (200, ["first", "second"])
    assert (folder(tmp_path) / "rules.yaml").read_bytes() == text.encode()
    assert saved["hash"] == hash_of(text.encode())
    _, told = await desk.ask("GET", f"{FILES}/rules.yaml", "operator")
    assert told["text"] == text
    shown = [(one["n"], one["by"].partition(":")[0], one["note"], one["mode"]) for one in told["versions"]]
    assert shown == [(2, "token", "ลอง / try", "live"), (1, "file", "", "live")]
    _, first = await desk.ask("GET", f"{FILES}/rules.yaml/versions/1", "operator")
    assert first.get("text") == RULES, first
    status, again = await save(desk, "rules.yaml", first["text"], told["hash"])
    assert (status, again["version"]) == (200, 3)
    assert (folder(tmp_path) / "rules.yaml").read_bytes() == RULES.encode()


async def test_mistakes_are_told_at_their_place_and_nothing_changes(desk: Door, tmp_path: Path) -> None:
    wrong = RULES.replace("watchlist_hit}\n", "watchlist_hitt}\n")
    wrong = wrong.replace("alarm.raise, data: {title: สอง}", "alarm.rise, data: {title: สอง}")
    status, told = await save(desk, "rules.yaml", wrong, hash_of(RULES.encode()))
    assert (status, told["error"]["code"]) == (400, "config")
    assert [(m["line"], m["column"]) for m in told["error"]["mistakes"]] == [(6, 36), (12, 22)]
    assert "did you mean 'watchlist_hit'" in told["error"]["mistakes"][0]["words"]
    assert (folder(tmp_path) / "rules.yaml").read_text() == RULES
    assert await ids_of(desk) == {"first": False, "second": False}
    _, read = await desk.ask("GET", f"{FILES}/rules.yaml", "operator")
    assert read["versions"] == []


async def test_who_was_slower_is_told_by_whom_and_when(desk: Door) -> None:
    base = hash_of(RULES.encode())
    person = await desk.signed_in("operator")
    body = {"text": RULES + "# mine\n", "base": base}
    status, mine = await desk.ask("PUT", f"{FILES}/rules.yaml", headers=person, json=body)
    assert status == 200
    status, told = await save(desk, "rules.yaml", RULES + "# late\n", base)
    assert (status, told["error"]["code"]) == (409, "conflict")
    assert told["error"]["other"]["hash"] == mine["hash"]
    assert told["error"]["other"]["by"] == "user:is_operator"
    assert told["error"]["other"]["at"] == pytest.approx(desk.app.clock.now(), abs=60)
    status, _ = await save(desk, "rules.yaml", RULES + "# late\n", mine["hash"])
    assert status == 200
    status, told = await save(desk, "rules.yaml", "", None)  # a new file where one stands
    assert status == 409


async def test_two_at_once_one_wins(desk: Door, tmp_path: Path) -> None:
    base = hash_of(RULES.encode())
    answers = await asyncio.gather(*(save(desk, "rules.yaml", f"{RULES}# {n}\n", base) for n in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    won = next(n for n, (status, _) in enumerate(answers) if status == 200)
    assert (folder(tmp_path) / "rules.yaml").read_text() == f"{RULES}# {won}\n"


async def test_a_new_file_begins_in_shadow_and_then_works(desk: Door) -> None:
    status, made = await save(desk, "new.yaml", ONE.format(id="third", title="สาม"), None, mode="shadow")
    assert (status, made["ids"]) == (200, ["third"])
    assert await ids_of(desk) == {"first": False, "second": False, "third": True}
    desk.emit("watchlist_hit", HIT, "camera.own")
    await desk.app.pipeline.settled()
    _, told = await desk.ask("GET", "/api/automations/third/traces", "operator")
    assert len(told["traces"]) == 1
    titles = [s.attributes["title"] for s in desk.app.pipeline.state if s.domain == "alarm"]
    assert "สาม" not in titles
    status, again = await save(desk, "new.yaml", ONE.format(id="third", title="สาม"), made["hash"])
    assert status == 200
    assert (await ids_of(desk))["third"] is False
    status, told = await desk.ask("POST", "/api/automations/third/shadow", "operator", json={"shadow": True})
    assert (status, told) == (200, {"shadow": True})
    assert (await ids_of(desk))["third"] is True
    assert again["version"] == 2


async def test_what_left_the_text_leaves_the_engine_and_a_file_can_come_back(desk: Door, tmp_path: Path) -> None:
    one = RULES[: RULES.index("- id: second")]
    status, saved = await save(desk, "rules.yaml", one, hash_of(RULES.encode()))
    assert status == 200
    assert list(await ids_of(desk)) == ["first"]
    status, _ = await desk.ask("DELETE", f"{FILES}/rules.yaml", "operator", json={"base": hash_of(RULES.encode())})
    assert status == 409
    status, _ = await desk.ask("DELETE", f"{FILES}/rules.yaml", "operator", json={"base": saved["hash"]})
    assert status == 200
    assert not (folder(tmp_path) / "rules.yaml").exists()
    assert await ids_of(desk) == {}
    _, old = await desk.ask("GET", f"{FILES}/rules.yaml/versions/1", "operator")
    status, _ = await save(desk, "rules.yaml", old["text"], None)
    assert status == 200
    assert list(await ids_of(desk)) == ["first", "second"]


async def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    config = write_zone(tmp_path, automations=RULES)
    folks = people(tmp_path / "data")

    async def begin() -> Door:
        app = App(Options(config, tmp_path / "data", port=0))
        await app.start()
        return Door(app, folks, ClientSession(cookie_jar=DummyCookieJar()))

    door = await begin()
    await save(door, "new.yaml", ONE.format(id="third", title="สาม"), None, mode="shadow", note="night")
    publisher = {row["id"]: row["publisher"] for row in door.app.engine.list()}["third"]
    await door.app.stop()
    await door.http.close()
    again = await begin()
    assert await ids_of(again) == {"first": False, "second": False, "third": True}
    assert {row["id"]: row["publisher"] for row in again.app.engine.list()}["third"] == publisher
    _, told = await again.ask("GET", f"{FILES}/new.yaml", "operator")
    assert [(one["n"], one["note"]) for one in told["versions"]] == [(1, "night")]
    await again.app.stop()
    await again.http.close()


async def test_versions_are_few_and_the_newest(desk: Door) -> None:
    base = hash_of(RULES.encode())
    for n in range(VERSIONS + 3):
        _, saved = await save(desk, "rules.yaml", f"{RULES}# {n}\n", base)
        base = saved["hash"]
    _, told = await desk.ask("GET", f"{FILES}/rules.yaml", "operator")
    numbers = [one["n"] for one in told["versions"]]
    assert (len(numbers), numbers[0], numbers[-1]) == (VERSIONS, VERSIONS + 4, 5)
    status, _ = await desk.ask("GET", f"{FILES}/rules.yaml/versions/4", "operator")
    assert status == 404


ODD = ("..%2Fconfig.yaml", "%2E%2E.yaml", "Rules.yaml", "a.yml", "a%00.yaml", f"{'x' * 61}.yaml", ".a.yaml", "a%2Fb")


@pytest.mark.parametrize("name", ODD)
async def test_no_name_leads_out_of_the_folder(desk: Door, name: str) -> None:
    status, _ = await save(desk, name, "", None)
    assert status in (400, 404)
    status, _ = await desk.ask("GET", f"{FILES}/{name}", "operator")
    assert status in (400, 404)


async def test_a_link_out_of_the_folder_is_not_followed(desk: Door, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("key: value")
    (folder(tmp_path) / "link.yaml").symlink_to(secret)
    status, _ = await desk.ask("GET", f"{FILES}/link.yaml", "operator")
    assert status == 400
    _, told = await desk.ask("GET", FILES, "operator")
    assert "value" not in str(told)


async def test_files_outside_the_folder_and_odd_names_are_shown_read_only(start: Start, tmp_path: Path) -> None:
    door = await start()
    config = tmp_path / "config.yaml"
    assert included_folder(config) is None
    status, told = await save(door, "a.yaml", "", None)
    assert (status, told["error"]["where"]) == (400, "a.yaml")
    config.write_text(config.read_text() + "automations: !include_dir_list rules\n")
    assert included_folder(config) == tmp_path / "rules"
    config.write_text("automations: !include_dir_list ../elsewhere\n")
    assert included_folder(config) is None


async def test_the_list_names_each_file_with_its_mistakes(start: Start, tmp_path: Path) -> None:
    (folder(tmp_path) / "deep").mkdir(parents=True)
    (folder(tmp_path) / "deep" / "a.yaml").write_text(ONE.format(id="deep", title="x"))
    (folder(tmp_path) / "wrong.yaml").write_text("id: wrong\ntriggers: [{trigger: evnt}]\nactions: []\n")
    door = await start(automations=RULES)
    _, told = await door.ask("GET", FILES, "operator")
    rows = {row["file"].removeprefix(str(tmp_path) + "/"): row for row in told["files"]}
    assert {name: (row["writable"], row["reason"], row["ids"]) for name, row in rows.items()} == {
        "automations/deep/a.yaml": (False, "name", ["deep"]), "rules.yaml": (True, "", ["first", "second"]),
        "wrong.yaml": (True, "", []),
    }  # fmt: skip
    assert rows["wrong.yaml"]["mistakes"][0]["line"] == 2
    assert rows["rules.yaml"]["mistakes"] == []


async def test_words_hold_what_completion_needs(desk: Door) -> None:
    _, told = await desk.ask("GET", "/api/automations/words", "operator")
    camera = next(row for row in told["entities"] if row["id"] == "camera.own")
    assert camera["name"] == {"th": "ก", "en": "a"}
    alarm = next(row for row in told["actions"] if row["name"] == "alarm.raise")
    fields = {field["name"]: field for field in alarm["fields"]}
    assert fields["title"]["required"] is True
    assert set(fields["priority"]["choices"]) == {"critical", "high", "normal", "info"}
    assert (alarm["target"], alarm["title"]["en"] != "") == (False, True)
    hit = next(row for row in told["events"] if row["name"] == "watchlist_hit")
    assert "plate" in [field["name"] for field in hit["fields"]]
    assert {"event", "state", "numeric_state", "time", "tag"} <= set(told["triggers"])
    assert {"state", "and", "not", "trigger"} <= set(told["conditions"])
    assert {"action", "choose", "repeat", "escalate"} <= set(told["steps"])
    assert "service" not in told["steps"]
    paths = {row["path"]: [one["name"] for one in row["inputs"]] for row in told["blueprints"]}
    assert paths["watchlist_hit.yaml"] == ["camera", "line_group", "drone", "altitude_m"]
    assert (await desk.ask("GET", "/api/automations/words", "partner"))[0] == 403


async def test_a_blueprint_is_filled_and_its_mistakes_are_told(desk: Door) -> None:
    _, told = await desk.ask("GET", "/api/blueprints", "operator")
    hit = next(row for row in told["blueprints"] if row["path"] == "watchlist_hit.yaml")
    assert hit["source"] == "hub"
    assert [(one["name"], one["required"]) for one in hit["inputs"]] == [
        ("camera", False), ("line_group", True), ("drone", True), ("altitude_m", False),
    ]  # fmt: skip
    assert hit["inputs"][2]["selector"] == {"entity": {"domain": "drone"}}
    given = {"line_group": "on", "drone": "drone.sky"}
    body = {"path": "watchlist_hit.yaml", "id": "mine", "alias": "ป้าย: ของฉัน", "input": given}
    status, made = await desk.ask("POST", "/api/blueprints/render", "operator", json=body)
    assert status == 200
    assert made["text"] == (
        "id: mine\nalias: 'ป้าย: ของฉัน'\nuse_blueprint:\n  path: watchlist_hit.yaml\n  input:\n"
        "    line_group: 'on'\n    drone: drone.sky\n"
    )
    head = "id: mine\nalias: 'ป้าย: ของฉัน'\nmode: parallel\nmax: 20\ntriggers:\n  - trigger: event\n"
    assert made["filled"].startswith(head)
    assert "altitude_m: 40" in made["filled"]
    assert any("drone.sky" in mistake["words"] for mistake in made["mistakes"])
    status, made = await desk.ask(
        "POST", "/api/blueprints/render", "operator", json={**body, "input": {}, "yaml": {"line_group": "[a"}}
    )
    assert (status, made["error"]["where"]) == (400, "line_group")
    status, _ = await desk.ask("POST", "/api/blueprints/render", "operator", json={**body, "path": "../x.yaml"})
    assert status == 404


SECTIONED = """\
blueprint:
  name: แสง / Light
  domain: automation
  input:
    when:
      name: เมื่อไร / When
      collapsed: true
      input:
        hour: {name: โมง / Hour, selector: {number: {min: 0, max: 23}}, default: 6}
    title: {name: หัวข้อ / Title}
triggers: [{trigger: time_pattern, hours: !input hour}]
actions: [{action: alarm.raise, data: {title: !input title}}]
"""


async def test_a_blueprint_is_brought_in_checked(desk: Door, tmp_path: Path) -> None:
    async def bring(path: str, text: str) -> Any:
        return await desk.ask("POST", "/api/blueprints", "operator", json={"path": path, "text": text})

    assert await bring("mine/light.yaml", SECTIONED) == (200, {"path": "mine/light.yaml"})
    assert (tmp_path / "blueprints/automation/mine/light.yaml").read_text() == SECTIONED
    _, told = await desk.ask("GET", "/api/blueprints", "operator")
    row = next(row for row in told["blueprints"] if row["path"] == "mine/light.yaml")
    assert (row["source"], row["mistakes"]) == ("own", [])
    section = {"id": "when", "title": "เมื่อไร / When", "description": "", "collapsed": True}
    assert [(one["name"], one["section"]) for one in row["inputs"]] == [("hour", section), ("title", None)]
    assert row["inputs"][0]["default"] == 6
    assert (await bring("mine/light.yaml", SECTIONED))[0] == 200
    assert (await bring("mine/light.yaml", SECTIONED + "# other\n"))[0] == 409
    assert (await bring("watchlist_hit.yaml", SECTIONED))[0] == 409
    assert (await bring("../out.yaml", SECTIONED))[0] == 400
    status, told = await bring("b.yaml", SECTIONED.replace("!input hour", "!input our"))
    assert (status, told["error"]["mistakes"][0]["line"]) == (400, 11)
    status, told = await bring("b.yaml", "id: x\n")
    assert (status, told["error"]["code"]) == (400, "config")


async def test_a_draft_is_replayed_and_compared_with_the_rule_that_works(desk: Door) -> None:
    desk.emit("watchlist_hit", HIT, "camera.own")
    await desk.app.pipeline.settled()
    now = desk.app.clock.now()
    draft = ONE.format(id="first", title="x").replace("watchlist_hit}", "watchlist_hit, event_data: {plate: ไม่ใช่}}")
    status, told = await desk.ask(
        "POST", "/api/automations/replay", "operator", json={"text": draft, "from": now - 60, "to": now + 1}
    )
    assert status == 200
    assert (told["total"], told["live"]["total"], told["live"]["only_live"]) == (0, 1, 1)
    status, told = await desk.ask(
        "POST", "/api/automations/replay", "operator", json={"text": "id: [", "from": now - 60, "to": now}
    )
    assert (status, bool(told["error"]["mistakes"])) == (400, True)


async def test_a_replay_over_peoples_data_needs_clearance_and_leaves_a_line(desk: Door) -> None:
    desk.emit("watchlist_hit", HIT, "camera.own")
    await desk.app.pipeline.settled()
    now = desk.app.clock.now()
    ask = {"text": ONE.format(id="first", title="x"), "from": now - 60, "to": now + 1}
    status, told = await desk.ask("POST", "/api/automations/replay", "auditor", json=ask)
    assert (status, told["error"]["code"]) == (403, "denied")
    status, told = await desk.ask("POST", "/api/automations/replay", "operator", json=ask)
    assert (status, told["personal"]) == (200, ["watchlist_hit"])
    _, ledger = await desk.ask("GET", "/api/audit?limit=1000", "auditor")
    lines = [line for line in ledger["entries"] if line["what"] == "automation.replay"]
    assert [(line["subject"], line["detail"]) for line in lines] == [("watchlist_hit", {"events": 1, "runs": 1})]


async def test_only_who_may_publish_saves(desk: Door, tmp_path: Path) -> None:
    for role in ("display", "patrol", "commander"):
        status, _ = await save(desk, "rules.yaml", "", hash_of(RULES.encode()), role=role)
        assert status == 403
    assert (folder(tmp_path) / "rules.yaml").read_text() == RULES


async def test_a_text_is_checked_beside_the_loop(desk: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def check(text: str, *rest: Any) -> list[Mistake]:
        threads.append(threading.current_thread())
        return check_text(text, *rest)

    monkeypatch.setattr("hub.app.check_text", check)
    status, told = await desk.ask("POST", "/api/automations/check", "operator", json={"text": "id: ["})
    assert (status, told["mistakes"][0]["line"]) == (200, 2)
    assert [thread is threading.main_thread() for thread in threads] == [False]
