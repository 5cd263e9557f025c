"""The peer of the plate reader: the program ``tesseract`` with Thai data, one process a row of text.

The rows go in through a pipe (no plate is written to disk) and come back as hOCR with the engine's choices for each
symbol, from which ``grammar`` takes the likeliest text.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import threading

import numpy as np
from numpy.typing import NDArray

from hub.core.error import Unavailable
from hub.kernels.plate import rectify
from hub.vision import grammar, provinces
from hub.vision.network import NetworkReader
from hub.vision.reader import Luma, PlateRead, PlateText, Quad
from tests.bench import text_rows as kernel

MISSING = "plate reading is off: tesseract with Thai is not installed (apt-get install tesseract-ocr tesseract-ocr-tha)"
_CHOICE = re.compile(r"x_confs ([0-9.]+)'>([^<]*)</span>")
_SYMBOL = re.compile(r"id='lstm_choices_")
_UPRIGHT = (176, 400)
MIN_FIT = 0.5
"""Least mean likelihood of a row's symbols. Of plates whose number was read right none was below 0.56; what is no plate
mostly is. One letter that could be many lowers the confidence and not the fit: such a plate is told, with alternatives.
"""
_CONFUSION = 0.04
SWALLOWED: dict[str, str] = {
    "ข": "ชซ", "จ": "ฐ", "น": "ฉ", "ม": "ฆ", "ท": "ฑ", "ด": "ค", "ฎ": "ฏ", "ณ": "ฌ", "ง": "ฌ"
}  # fmt: skip
"""Letters that engines for printed text read, surely, where the narrow face of plates shows one of the others."""
_SWALLOWING = 0.4
_THAI_DIGITS = {ord(thai): latin for thai, latin in zip("๐๑๒๓๔๕๖๗๘๙", grammar.DIGITS, strict=True)}
_LETTERS = grammar.DIGITS + grammar.CONSONANTS
_WORD = "8"  # page segmentation: the picture is one word; it reads short rows better than "one line" does


def installed(program: str = "tesseract") -> bool:
    """Whether the program and its Thai data are there."""
    path = shutil.which(program)
    if path is None:
        return False
    try:
        listed = subprocess.run([path, "--list-langs"], capture_output=True, timeout=10, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "tha" in listed.stdout.split()


def widened(choices: grammar.Choices) -> grammar.Choices:
    """One symbol's letters, with those that are easily confused and Thai digits as Latin ones."""
    letters: dict[str, float] = {}
    for text, likelihood in choices:
        for letter in text.translate(_THAI_DIGITS)[:1]:
            letters[letter] = max(letters.get(letter, 0.0), min(max(likelihood, 0.002), 0.995))
    for letter, likelihood in list(letters.items()):
        for group in grammar.CONFUSED:
            for other in group if letter in group else "":
                letters[other] = max(letters.get(other, 0.0), likelihood * _CONFUSION)
        for other in SWALLOWED.get(letter, ""):
            letters[other] = max(letters.get(other, 0.0), likelihood * _SWALLOWING)
    return list(letters.items())


class TesseractReader:
    """``PlateReader`` over the program ``tesseract``; at most ``parallel`` processes at a time, each ``limit`` s."""

    def __init__(self, *, program: str = "tesseract", limit: float = 5.0, parallel: int = 2) -> None:
        self._program = program
        self._limit = limit
        self._slots = threading.BoundedSemaphore(parallel)

    refines = False

    def read(self, luma: Luma, quad: Quad) -> PlateRead | None:
        """See ``PlateReader``."""
        plate = rectify(luma, quad, *_UPRIGHT)
        strokes = kernel.ink(plate)
        parts = kernel.rows(strokes)
        if parts is None:
            return None
        lower = kernel.line(plate, strokes, parts[1], height=48, margin=14)
        found = grammar.readings([widened(choices) for choices in self._registration(plate, strokes, parts[0])])
        if lower is None or not found or found[0].fit < MIN_FIT:
            return None
        province = self._province(lower)
        best, *others = (PlateText(r.series, r.number, province, r.likelihood) for r in found)
        return PlateRead(PlateText(best.series, best.number, province, best.confidence, tuple(others)), quad)

    def _registration(
        self, plate: NDArray[np.uint8], strokes: NDArray[np.uint8], row: tuple[int, int]
    ) -> list[grammar.Choices]:
        """Series and number each by itself: beside each other the engine swallows the number's first digit."""
        width = plate.shape[1]
        gap = kernel.gap(strokes, row)
        parts = [((0, width), _LETTERS)]
        if gap is not None:
            parts = [((0, gap[0]), _LETTERS), ((gap[1], width), grammar.DIGITS)]
        symbols: list[grammar.Choices] = []
        for between, letters in parts:
            picture = kernel.line(plate, strokes, row, height=48, margin=14, between=between)
            if picture is not None:
                symbols += self._symbols(picture, letters)
        return symbols

    def _symbols(self, picture: NDArray[np.uint8], letters: str) -> list[grammar.Choices]:
        page = self._run(picture, "-c", "lstm_choice_mode=2", "-c", f"tessedit_char_whitelist={letters}", "hocr")
        symbols: list[grammar.Choices] = []
        for part in _SYMBOL.split(page)[1:]:
            symbols.append([(html.unescape(letter), float(conf) / 100) for conf, letter in _CHOICE.findall(part)])
        return symbols

    def _province(self, row: NDArray[np.uint8]) -> str:
        nearest = provinces.nearest(self._run(row))
        return nearest[0] if nearest else ""

    def _run(self, row: NDArray[np.uint8], *options: str) -> str:
        """What the engine prints for one picture of text, given to it as a portable grey map."""
        picture = b"P5 %d %d 255\n" % (row.shape[1], row.shape[0]) + row.tobytes()
        command = [self._program, "stdin", "stdout", "-l", "tha", "--psm", _WORD, "--dpi", "300", *options]
        environment = {"PATH": os.environ.get("PATH", ""), "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
        if "TESSDATA_PREFIX" in os.environ:
            environment["TESSDATA_PREFIX"] = os.environ["TESSDATA_PREFIX"]
        with self._slots:
            try:
                done = subprocess.run(
                    command, input=picture, capture_output=True, timeout=self._limit, check=False, env=environment
                )
            except FileNotFoundError:
                raise Unavailable(MISSING) from None
            except subprocess.TimeoutExpired:
                raise Unavailable(f"tesseract gave no answer in {self._limit:g} s") from None
        return done.stdout.decode("utf-8", "replace")


class Rectified:
    """The same on the plate that the hub's corner network straightens."""

    refines = True

    def __init__(self) -> None:
        self._corners, self._reader = NetworkReader(), TesseractReader()

    def read(self, luma: Luma, quad: Quad) -> PlateRead | None:
        """See ``PlateReader``."""
        return self._reader.read(luma, self._corners.locate(luma, quad).quad)
