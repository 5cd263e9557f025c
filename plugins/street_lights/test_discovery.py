"""Announcements and what becomes of them, without a broker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.street_lights.discovery import (
    Availability,
    BadDiscovery,
    LampConfig,
    Reading,
    availability_of,
    object_of,
    parse,
    slug,
)

TOPIC = "homeassistant/light/node/lamp/config"


def lamp(**fields: Any) -> LampConfig:
    return parse(TOPIC, json.dumps({"cmd_t": "a/set"} | fields).encode())


def test_abbreviations_and_the_base_topic_are_expanded() -> None:
    made = lamp(**{
        "~": "zone/lamp", "uniq_id": "L1", "name": "ถนน", "cmd_t": "~/set", "stat_t": "~/state", "bri_cmd_t": "x/~",
        "bri_stat_t": "a/~/b", "bri_scl": 100, "pl_on": 1, "pl_off": 0, "ret": True, "qos": 2,
        "avty": [{"t": "~/there", "pl_avail": "up", "pl_not_avail": "down"}, {"topic": "gateway"}], "avty_mode": "all",
        "dev": {"name": "เสา 7", "sa": "ตลาด", "ids": ["7"]},
    })  # fmt: skip
    assert made == LampConfig(
        unique_id="L1", name="เสา 7 ถนน", command_topic="zone/lamp/set", area="ตลาด", state_topic="zone/lamp/state",
        brightness_command_topic="x/zone/lamp", brightness_state_topic="a/~/b", dimmable=True, scale=100,
        payload_on="1", payload_off="0", qos=2, retain=True, availability_mode="all",
        availability=(Availability("zone/lamp/there", "up", "down"), Availability("gateway", "online", "offline")),
    )  # fmt: skip
    assert made.listens() == {"zone/lamp/state", "a/~/b", "zone/lamp/there", "gateway"}


def test_commands_of_each_kind() -> None:
    plain = lamp()
    assert (plain.commands(40), plain.commands(0)) == ([("a/set", "ON")], [("a/set", "OFF")])
    for order, expected in (
        ("last", [("b", "102"), ("a/set", "ON")]), ("first", [("a/set", "ON"), ("b", "102")]),
        ("brightness", [("b", "102")]),
    ):  # fmt: skip
        dims = lamp(bri_cmd_t="b", on_cmd_type=order)
        assert dims.commands(40) == expected
        assert dims.commands(0) == [("a/set", "OFF")]
    as_json = lamp(schema="json", brightness=True, bri_scl=100)
    assert as_json.commands(0.1) == [("a/set", '{"state": "ON", "brightness": 1}')]
    assert as_json.commands(0) == [("a/set", '{"state": "OFF"}')]
    assert lamp(schema="json").commands(50) == [("a/set", '{"state": "ON"}')]
    assert lamp(schema="json", supported_color_modes=["brightness"]).dimmable
    assert not lamp(schema="json", supported_color_modes=["onoff"]).dimmable


def test_what_is_read_of_a_state() -> None:
    state, brightness = "{{ value_json.light['state'] }}", "{{ value_json.l[1] | int }}"
    plain = lamp(stat_t="s", bri_stat_t="b", stat_val_tpl=state, bri_val_tpl=brightness)
    assert plain.read("s", b'{"light": {"state": "ON"}}') == Reading(on=True)
    assert plain.read("b", b'{"l": [0, 51]}') == Reading(pct=20.0)
    with pytest.raises(BadDiscovery, match=r"s: no light.state"):
        plain.read("s", b'{"light": 5}')
    for word in (b"256", b"-1", b"nan", b"bright"):
        with pytest.raises(BadDiscovery, match="not 0 to 255"):
            lamp(bri_stat_t="b").read("b", word)
    with pytest.raises(BadDiscovery, match=r"s: no light.state"):
        plain.read("s", b'{"light": {"state": "\\ud800"}}')
    as_json = lamp(schema="json", stat_t="s")
    assert as_json.read("s", b'{"state": "OFF", "brightness": 0}') == Reading(False, 0.0)
    assert as_json.read("s", b'{"state": null}') == Reading()
    with pytest.raises(BadDiscovery, match="neither ON nor OFF"):
        as_json.read("s", b'{"state": "on"}')


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cmd_t": None}, "command_topic is missing"), ({"cmd_t": ["a"]}, "a text of at most"),
        ({"uniq_id": "x" * 300}, "a text of at most 256"), ({"qos": 3}, "whole number from 0 to 2"),
        ({"bri_cmd_tpl": "{{ value / 2 }}"}, "not understood"), ({"stat_t": "a/+"}, "is no topic"),
        ({"avty": [{"pl_avail": "x"}]}, "without topic"), ({"avty": [{"t": "a"}] * 9}, "over 8"),
        ({"avty": True, "~": "a"}, "no list"), ({"avty": " ", "~": "a"}, "no list"),
        ({"on_cmd_type": "never"}, "one of last, first, brightness"), ({"bri_scl": True}, "whole number"),
        ({"name": "x\ud800"}, "no JSON in UTF-8"), ({"cmd_t": "a\n/set"}, "is no topic"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadDiscovery, match=words):
        lamp(**fields)


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["~", "cmd_t", "stat_t", "avty", "t", "dev", "name", "schema", "bri_scl", "uniq_id", "val_tpl", "brightness"]
    ), inner, max_size=6), max_leaves=12,
).map(lambda made: json.dumps(made).encode()))  # fmt: skip
def test_any_bytes_are_a_lamp_or_refused(payload: bytes) -> None:
    try:
        made = parse(TOPIC, payload)
    except BadDiscovery:
        return
    assert made.command_topic and made.unique_id and made.commands(50)


def test_topics_and_names() -> None:
    assert object_of("homeassistant/light/a/config") == "a"
    assert object_of(TOPIC) == "node_lamp"
    for other in ("homeassistant/switch/a/config", "homeassistant/light/a/state", "homeassistant/light/a/b/c/config"):
        assert object_of(other) is None
    assert lamp().unique_id == "node_lamp"
    assert slug("lamp_01") == "lamp_01"
    thai, other = slug("โคมไฟ 1"), slug("โคมไฟ 2")
    assert thai != other and thai.startswith("1_") and other.startswith("2_")
    assert slug("Lamp 1") != slug("lamp-1")
    assert len(slug("x" * 300)) <= 60


def test_availability_words() -> None:
    config = Availability("t", "online", "offline", ("state",))
    raws = (b'{"state":"online"}', b'{"state":"offline"}', b"online", b"{}")
    assert [availability_of(config, raw) for raw in raws] == [True, False, None, None]
