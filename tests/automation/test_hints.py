"""What was perhaps meant: told a few times of each text, and cheaply, since a text may hold thousands of slips."""

from __future__ import annotations

import difflib

import pytest

from hub.automation import Catalogue, check_text
from hub.automation.language import known
from hub.automation.language.known import COMPARED, MAX_HINTS, near

LAMPS = {f"light.lamp_number_{n}": ("light",) for n in range(3_000)}


def test_a_text_is_told_ten_times_what_was_meant() -> None:
    rule = "- id: a{0}\n  triggers: {{trigger: state, entity_id: light.lamp_nomber_{0}}}\n  actions: []\n"
    text = "".join(map(rule.format, range(100)))
    words = [mistake.words for mistake in check_text(text, "f.yaml", Catalogue(LAMPS))]
    assert words[:2] == [
        f"there is no entity 'light.lamp_nomber_{n}'; did you mean 'light.lamp_number_{n}'?" for n in (0, 1)
    ]
    assert [n for n, one in enumerate(words) if "did you mean" in one] == [*range(MAX_HINTS)]
    assert words[MAX_HINTS:] == [f"there is no entity 'light.lamp_nomber_{n}'" for n in range(MAX_HINTS, 100)]


def test_few_names_are_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[list[str]] = []

    def counting(word: str, choices: list[str], n: int, cutoff: float) -> list[str]:
        compared.append(choices)
        return difflib.get_close_matches(word, choices, n, cutoff)

    monkeypatch.setattr(known, "get_close_matches", counting)
    names = [*LAMPS, "camera.lamp_number_7777", "switch.gate"]
    assert near("light.lamp_nomber_2717", names) == "; did you mean 'light.lamp_number_2717'?"
    assert near("switch.gaet", names) == "; did you mean 'switch.gate'?"
    assert near("ligth.lamp_number_12", names) == "; did you mean 'light.lamp_number_12'?"
    assert near("camera.lamp_number_1", names) == "; did you mean 'camera.lamp_number_7777'?"  # of its own domain only
    assert near("x" * 200_000, names) == ""
    assert [len(choices) for choices in compared] == [COMPARED, 1, COMPARED, 1]
