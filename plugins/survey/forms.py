"""Forms as the operator writes them in YAML, and what a filled one says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hub.sdk import Config, Name

from .stats import Cell, Direction

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Language = Literal["th", "en"]
MAX_OPTIONS = 20


class Option(Config):
    """One choice of a question."""

    id: Id = Field(description="its short name, which is what is counted")
    th: str = Field(min_length=1, max_length=120, description="in Thai")
    en: str = Field(min_length=1, max_length=120, description="in English")


class Question(Config):
    """One question. ``single`` and ``multiple`` need options; ``scale`` is whole numbers from ``least`` to ``most``."""

    id: Id = Field(description="its short name")
    kind: Literal["single", "multiple", "scale", "number", "text"] = Field(description="how it is answered")
    text: Name = Field(description="the question itself")
    required: bool = Field(False, description="the form is not taken without an answer")
    options: list[Option] = Field([], max_length=MAX_OPTIONS, description="choices of single and multiple")
    least: float | None = Field(None, description="lowest answer of scale and number")
    most: float | None = Field(None, description="highest answer of scale and number")
    ends: tuple[Name, Name] | None = Field(None, description="what the lowest and highest step of a scale mean")
    longest: int = Field(500, ge=1, le=1000, description="characters of a text")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind in ("single", "multiple"):
            if len({one.id for one in self.options}) != len(self.options) or len(self.options) < 2:
                raise ValueError(f"{self.id}: a {self.kind} question needs two or more options, each id once")
        elif self.options:
            raise ValueError(f"{self.id}: a {self.kind} question has no options")
        if self.kind == "scale" and not (0 < len(self.steps()) <= 11):
            raise ValueError(f"{self.id}: a scale needs whole least and most, at most 11 steps")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"{self.id}: least is over most")
        return self

    def steps(self) -> list[int]:
        """The steps of a scale."""
        if self.least is None or self.most is None or self.least % 1 or self.most % 1 or self.most - self.least > 10:
            return []
        return list(range(int(self.least), int(self.most) + 1))

    def choices(self) -> list[str]:
        """What may be counted of it, as text."""
        return [str(step) for step in self.steps()] if self.kind == "scale" else [one.id for one in self.options]


class Target(Config):
    """A share that is measured against a mark, such as fear below 40 %."""

    id: Id = Field(description="its short name; becomes poll.FORM_ID")
    title: Name = Field(description="its name on screens and in reports")
    question: Id = Field(description="the question that is counted")
    counts: list[str | int] = Field(min_length=1, max_length=MAX_OPTIONS, description="answers that count")
    below: float | None = Field(None, gt=0, lt=100, description="percent under which the share should be")
    at_least: float | None = Field(None, gt=0, lt=100, description="percent that the share should reach")

    @model_validator(mode="after")
    def _one_mark(self) -> Self:
        if (self.below is None) == (self.at_least is None):
            raise ValueError(f"{self.id}: write one of below and at_least")
        return self

    @property
    def mark(self) -> float:
        """In percent."""
        return self.below if self.below is not None else self.at_least or 0.0

    @property
    def direction(self) -> Direction:
        """Which side of the mark is wanted."""
        return "below" if self.below is not None else "at_least"


class Weights(Config):
    """How many people each answer of a question stands for."""

    question: Id = Field(description="a required single question, such as: where do you live?")
    residents: dict[str, Annotated[int, Field(gt=0)]] = Field(description="people by option")


class Form(Config):
    """One form."""

    id: Id = Field(description="its short name; becomes form.ID and stands in its address")
    title: Name = Field(description="its name")
    intro: Name | None = Field(None, description="what stands above the questions: who asks, and what for")
    once: Literal["open", "token", "device"] = Field("open", description="how often one may answer; see README")
    opened: bool = Field(True, description="its first round is open from the start")
    weights: Weights | None = Field(None, description="weighting by community")
    targets: list[Target] = Field([], max_length=10, description="shares that are measured")
    questions: list[Question] = Field(min_length=1, max_length=30, description="the questions, in order")
    simulated: bool = Field(False, description="its answers are invented: shown as จำลอง")

    @model_validator(mode="after")
    def _names(self) -> Self:
        known = {one.id: one for one in self.questions}
        if len(known) != len(self.questions) or len({one.id for one in self.targets}) != len(self.targets):
            raise ValueError(f"{self.id}: an id is used twice")
        for target in self.targets:
            asked = known.get(target.question)
            if asked is None or asked.kind not in ("single", "multiple", "scale"):
                raise ValueError(f"{self.id}: target {target.id} needs a single, multiple or scale question")
            strange = [str(one) for one in target.counts if str(one) not in asked.choices()]
            if strange:
                raise ValueError(f"{self.id}: target {target.id} counts {', '.join(strange)}, which is no answer")
        self._weighted(known)
        return self

    def _weighted(self, known: Mapping[str, Question]) -> None:
        if self.weights is None:
            return
        asked = known.get(self.weights.question)
        if asked is None or asked.kind != "single" or not asked.required:
            raise ValueError(f"{self.id}: weights need a required single question")
        if set(asked.choices()) != self.weights.residents.keys():
            raise ValueError(f"{self.id}: residents must name each option of {asked.id} and no other")

    def question(self, id: str) -> Question:
        """The question of that id."""
        return next(one for one in self.questions if one.id == id)


@dataclass(slots=True)
class Filled:
    """What was answered. ``choices``: by question, an option, a list of them or a number; ``words``: what people
    wrote themselves; ``mistakes``: by question, what is wrong (a key of the page's words)."""

    choices: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)


def read(form: Form, given: Mapping[str, Sequence[str]]) -> Filled:
    """A filled page. ``given``: the values by field name, as they came."""
    filled = Filled()
    for question in form.questions:
        values = [value.strip() for value in given.get(f"q_{question.id}", ()) if value.strip()]
        if not values:
            if question.required:
                filled.mistakes[question.id] = "missing"
            continue
        wrong = _take(question, values, filled)
        if wrong:
            filled.mistakes[question.id] = wrong
    return filled


def _take(question: Question, values: list[str], filled: Filled) -> str:
    """Write one answer down; what is wrong with it otherwise."""
    if question.kind == "text":
        filled.words[question.id] = values[0].replace("\r\n", "\n")[: question.longest]
        return "long" if len(values[0].replace("\r\n", "\n")) > question.longest else ""
    if question.kind == "number":
        return _number(question, values[0], filled)
    if any(value not in question.choices() for value in values):
        return "strange"
    if question.kind == "multiple":
        filled.choices[question.id] = sorted(set(values), key=question.choices().index)
        return ""
    filled.choices[question.id] = int(values[0]) if question.kind == "scale" else values[0]
    return "" if len(values) == 1 else "strange"


def _number(question: Question, text: str, filled: Filled) -> str:
    try:
        number = float(text) if len(text) <= 20 else math.nan
    except ValueError:
        return "number"
    low, high = question.least, question.most
    if not math.isfinite(number) or (low is not None and number < low) or (high is not None and number > high):
        return "number"
    filled.choices[question.id] = int(number) if number.is_integer() else number
    return ""


def cells(form: Form, target: Target, answers: Sequence[Mapping[str, Any]]) -> dict[str, Cell]:
    """How many of each community count, among those who answered the target's question ("" without weights)."""
    counted = {str(one) for one in target.counts}
    names = list(form.weights.residents) if form.weights else [""]
    hits, n = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for choices in answers:
        answer = choices.get(target.question)
        place = str(choices.get(form.weights.question)) if form.weights else ""
        if answer is None or place not in n:
            continue
        n[place] += 1
        said = answer if isinstance(answer, list) else [answer]
        hits[place] += any(str(one) in counted for one in said)
    return {name: Cell(hits[name], n[name]) for name in names}
