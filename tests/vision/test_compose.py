"""From characters with alternatives to a plate's text, of one picture and of several together."""

from __future__ import annotations

import pytest

from hub.vision.compose import one_line, registration
from hub.vision.lattice import Lattice, fused


def row(text: str, **doubts: tuple[str, float]) -> Lattice:
    """A lattice that is sure of ``text``, but for the letters at ``_N``: (the other, its probability)."""
    made = []
    for at, letter in enumerate(text):
        other, share = doubts.get(f"_{at}", ("", 0.0))
        made.append(((letter, 1 - share), (other, share)) if other else ((letter, 0.99),))
    return tuple(made)


def test_a_doubtful_consonant_is_the_first_alternative() -> None:
    characters = row("1กญ1234", _2=("ณ", 0.3))
    text = registration(characters, "สุโขทัย")
    assert text is not None
    assert (text.text, text.province) == ("1กญ 1234", "สุโขทัย")
    assert text.alternatives[0].text == "1กณ 1234"
    assert text.alternatives[0].confidence < text.confidence
    assert text.lattice == characters


@pytest.mark.parametrize("doubt", [0.3, 0.45])
def test_all_readings_together_are_one_at_most(doubt: float) -> None:
    thai, latin = registration(row("1กญ1234", _2=("ณ", doubt)), ""), one_line(row("AB1234", _0=("R", doubt)))
    for text, other in ((thai, "1กณ 1234"), (latin, "RB1234")):
        assert text is not None
        told = [text.confidence, *(one.confidence for one in text.alternatives)]
        assert sum(told) <= 1.0 and told == sorted(told, reverse=True)
        assert text.alternatives[0].text == other


def test_a_sure_reading_has_no_alternatives() -> None:
    text = registration(row("ลย8908"), "ตาก")
    assert text is not None and text.confidence > 0.9
    assert text.alternatives == ()  # not the same without one of its digits


def test_pictures_together_outvote_one_that_errs() -> None:
    wrong, right = row("1กณ1234", _2=("ญ", 0.45)), row("1กญ1234", _2=("ณ", 0.2))
    together = fused([(wrong, 0.6), (right, 0.6)])
    assert [choices[0][0] for choices in together] == list("1กญ1234")
    # by hand: √(.45·.8) to √(.55·.2), each as its share of both
    assert dict(together[2])["ญ"] == pytest.approx(0.6 / (0.6 + 0.11**0.5), abs=0.001)


def test_a_picture_that_lost_a_character_does_not_shift_the_others() -> None:
    whole, cut = row("1กญ1234"), row("กญ1234")
    assert fused([(whole, 0.9), (cut, 0.5)]) == fused([(whole, 0.9)])
    assert fused([]) == ()


def test_a_line_of_latin_letters_is_one_number() -> None:
    text = one_line(row("WXY1234", _2=("V", 0.2)))
    assert text is not None
    assert (text.series, text.number, text.province, text.text) == ("", "WXY1234", "", "WXY1234")
    assert [other.number for other in text.alternatives] == ["WXV1234"]


@pytest.mark.parametrize("nothing", ["AB1", "ABCDEFG", "1234567890", "กขคง"])
def test_what_is_no_plate_is_none(nothing: str) -> None:
    assert one_line(row(nothing)) is None
