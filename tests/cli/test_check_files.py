"""``hub check FILE``: automations and blueprints that were written for Home Assistant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli import main

AUTOMATION = """
- alias: Motion
  trigger:
    - platform: state
      entity_id: binary_sensor.hall
      to: "on"
    - {platform: device, device_id: abc, domain: zha, type: remote_button_short_press, subtype: on_}
  condition:
    - {condition: device, device_id: abc, domain: light, type: is_on, entity_id: light.x}
  action:
    - service: light.turn_on
      target: {area_id: hall, device_id: [abc]}
      data: {transition: 3, color_temp: 300}
    - service: mobile_app.notify
    - {device_id: abc, domain: light, type: turn_off, entity_id: light.x}
"""
BLUEPRINT = """
blueprint:
  name: Thing
  domain: automation
  input:
    more:
      collapsed: true
      input:
        motion: {selector: {entity: {domain: binary_sensor}}}
    what:
    wait: {selector: {duration: }}
    then: {default: [], selector: {action: }}
trigger:
  - {platform: state, entity_id: !input motion, to: "on"}
action:
  - service: !input what
  - delay: !input wait
  - choose: [{conditions: [], sequence: !input then}]
"""


@pytest.mark.parametrize("text", [AUTOMATION, BLUEPRINT])
def test_files_of_home_assistant_pass_leniently(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert main(["check", "--lenient", str(path)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('platform: state\n      entity_id: binary_sensor.hall\n      to: "on"', "platform: stat", ""),
        ("entity_id: binary_sensor.hall", "entity_ids: binary_sensor.hall", "a state trigger has no field"),
        ('to: "on"', "to: on", "YAML reads this as true"),
        ("service: light.turn_on", "service: light.turn_onn", "did you mean 'light.turn_on'?"),
        ("  action:", "  actoin:", "no field 'actoin'; did you mean 'action'?"),
    ],
)
def test_mistakes_are_still_found(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(AUTOMATION.replace(old, new))
    assert main(["check", "--lenient", str(path)]) == (1 if said else 0)
    assert said in capsys.readouterr().out


def test_without_lenient_devices_are_no_things_of_this_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(AUTOMATION)
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}:7:18: there is no trigger 'device'" in out
    assert "there is no action 'mobile_app.notify'" in out
    assert "there are no devices here; name the entity" in out
