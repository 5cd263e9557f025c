"""One form's rounds: who answered already, what was answered, and what a closed round shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.sdk import Conflict, Context, Entity, Event, LimitExceeded, Query, Text

from .forms import Filled, Form, Target, cells
from .stats import METHOD, METHOD_WEIGHTED, MIN_CELL, Cell, hidden, verdict, weighted, wilson

MAX_ANSWERS = 20_000
PAGE = 1_000
_FEW = {
    "th": f"คำตอบน้อยกว่า {MIN_CELL} หรือต้องปิดเพื่อไม่ให้คำนวณย้อนได้",
    "en": f"fewer than {MIN_CELL} answers, or hidden so that such cannot be had by subtraction",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a page, as far as the form asks: digests only. ``once``: what may answer once; ``page``: the page."""

    once: str
    page: str
    via: str


@dataclass(slots=True)
class Poll:
    """One form. Results are shown when a round is closed, never while it runs: whoever sees them change with each
    answer knows the answers, and stopping when they please would prove nothing."""

    ctx: Context
    form: Form
    round: int = 0
    open: bool = False
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    unreadable: int = 0
    _used: dict[str, str] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def entity(self) -> str:
        """Its entity id."""
        return f"form.{self.form.id}"

    async def take_up(self) -> None:
        """Bring its entities in and go on with the round that was open."""
        form = self.form
        await self.ctx.add(Entity(self.entity, form.title.text(), simulated=form.simulated))
        for target in form.targets:
            for group, name in self._groups(target):
                domain = "poll_cell" if group else "poll"
                shown, about = f"{domain}.{self._name(target, group)}", {"measure": target.title.text().as_data()}
                await self.ctx.add(Entity(shown, name, simulated=form.simulated, attributes=about))
        known = await self.ctx.state(self.entity)
        if known is not None and known.state in ("open", "closed"):
            self.round, self.open = int(known.attributes["round"]), known.state == "open"
            await self._count_again()
        elif form.opened:
            await self.begin("hub")

    def _groups(self, target: Target) -> list[tuple[str, Text]]:
        """The whole and each community, with their names."""
        form, rows = self.form, [("", target.title.text())]
        if form.weights is not None:
            rows += [(one.id, Text(one.th, one.en)) for one in form.question(form.weights.question).options]
        return rows

    def _name(self, target: Target, group: str) -> str:
        return "_".join(part for part in (self.form.id, target.id, group) if part)

    async def _count_again(self) -> None:
        after = 0
        while self.open:
            query = Query("survey_answered", self.entity, after=after, match={"round": self.round}, limit=PAGE)
            found = await self.ctx.history(query)
            for event in found:
                self._keep(event)
            if len(found) < PAGE:
                break
            after = found[-1].seq

    def _keep(self, event: Event) -> None:
        self._used[str(event.data["once"])] = str(event.data["page"])
        choices = event.data.get("choices")
        if isinstance(choices, dict):
            self.answers.append(choices)
        else:
            self.unreadable += 1  # its key was destroyed: it is older than answers are kept

    async def begin(self, by: str) -> int:
        """Open the next round, unless one is open; its number."""
        async with self._turn:
            if not self.open:
                at = self.ctx.clock.now()
                fields = {"round": self.round + 1, "by": by, "at": at, "answers": 0, "once": self.form.once}
                await self.ctx.emit_named("survey_opened", fields, entity=self.entity)
                self.round, self.open, self.unreadable = self.round + 1, True, 0
                self.answers, self._used = [], {}
            return self.round

    def seen(self, sender: Sender) -> bool:
        """Did this very page come already?"""
        return self._used.get(sender.once) == sender.page

    def spent(self, sender: Sender) -> bool:
        """Did this token or device answer already, with another page?"""
        return self._used.get(sender.once) not in (None, sender.page)

    async def answer(self, filled: Filled, sender: Sender) -> None:
        """Keep one filled page; it is durable when this returns. The same page sent again is kept once.
        ``Conflict`` when the round is closed or the token spent, ``LimitExceeded`` when the round is full."""
        async with self._turn:
            if self.seen(sender):
                return
            if not self.open or self.spent(sender):
                raise Conflict("closed" if not self.open else "used", where=self.entity)
            if len(self._used) >= MAX_ANSWERS:
                raise LimitExceeded("full", where=self.entity)
            fields = {
                "round": self.round, "answers": len(self._used) + 1, "via": sender.via, "choices": filled.choices,
                "words": filled.words, "once": sender.once, "page": sender.page, "simulated": self.form.simulated,
            }  # fmt: skip
            await self.ctx.emit_named("survey_answered", fields, entity=self.entity)
            self._used[sender.once] = sender.page
            self.answers.append(filled.choices)

    async def close(self, by: str) -> dict[str, Any]:
        """Close the round and show what it says: verdicts by target, and one text for people."""
        async with self._turn:
            if not self.open:
                return await self._closed()
            shown = {}
            for target in self.form.targets:
                shown[target.id] = await self._show(target)
            fields = {
                "round": self.round, "by": by, "at": self.ctx.clock.now(), "answers": len(self._used),
                "unreadable": self.unreadable,
            }  # fmt: skip
            await self.ctx.emit_named("survey_closed", fields, entity=self.entity)
            self.open = False
            return self._told(shown, len(self._used))

    def _told(self, shown: Mapping[str, Mapping[str, Any]], answers: int) -> dict[str, Any]:
        text = self._text(shown, answers)
        return {"form": self.entity, "round": self.round, "answers": answers, "results": shown, "text": text}

    async def _closed(self) -> dict[str, Any]:
        """What the last closing showed, for who asks again."""
        if not self.round:
            raise Conflict("no round of this form was ever open", where=self.entity, hint="survey.open begins one")
        shown = {}
        for target in self.form.targets:
            known = await self.ctx.state(f"poll.{self._name(target, '')}")
            facts = known.attributes if known is not None else {}
            shown[target.id] = {
                "verdict": known.state if known is not None else "hidden", "n": facts.get("n"),
                "interval": facts.get("interval"), "note": facts.get("note", {}),
            }  # fmt: skip
        form = await self.ctx.state(self.entity)
        return self._told(shown, int(form.attributes.get("answers", 0)) if form is not None else 0)

    async def _show(self, target: Target) -> dict[str, Any]:
        """Emit the result of one target, of the whole and of each community; the whole's."""
        groups = cells(self.form, target, self.answers)
        result = self.whole(target, groups)
        few = hidden(groups) if self.form.weights is not None else set()
        await self._emit(target, "", result)
        if self.form.weights is not None:
            for group, cell in groups.items():
                await self._emit(target, group, self._of(target, cell, group in few))
        return result

    async def _emit(self, target: Target, group: str, result: Mapping[str, Any]) -> None:
        domain = "poll_cell" if group else "poll"
        fields = {
            "form": self.entity, "target": target.id, "group": group, "round": self.round,
            "at": self.ctx.clock.now(), "simulated": self.form.simulated, **result,
        }  # fmt: skip
        await self.ctx.emit_named("survey_result", fields, entity=f"{domain}.{self._name(target, group)}")

    def whole(self, target: Target, groups: Mapping[str, Cell]) -> dict[str, Any]:
        """The result of all communities together."""
        n = sum(cell.n for cell in groups.values())
        weights = self.form.weights
        if weights is None or n < MIN_CELL:
            return self._of(target, groups.get("", Cell(0, n)), n < MIN_CELL)
        found = weighted(groups, weights.residents)
        if found is None:
            silent = [text for name, text in self._groups(target) if name and groups[name].n == 0]
            note = {
                "th": f"ไม่มีคำตอบจาก {', '.join(one.th for one in silent)}",
                "en": f"no answers from {', '.join(one.en for one in silent)}",
            }
            return {"verdict": "cannot_tell", "n": n, "interval": None, "note": note}
        return self._interval(target, found[0], found[1], n, METHOD_WEIGHTED)

    def _of(self, target: Target, cell: Cell, unseen: bool) -> dict[str, Any]:
        if unseen or cell.n == 0:
            return {"verdict": "hidden", "n": None, "interval": None, "note": _FEW}
        return self._interval(target, cell.hits / cell.n, cell.n, cell.n, METHOD)

    def _interval(self, target: Target, share: float, effective: float, n: int, method: str) -> dict[str, Any]:
        found = wilson(share, effective)
        said = verdict(found, target.mark / 100, target.direction)
        drawn = {
            "low": round(found.low * 100, 2), "estimate": round(share * 100, 2), "high": round(found.high * 100, 2),
            "mark": target.mark, "direction": target.direction, "verdict": said, "n": n, "method": method,
            "n_effective": round(effective, 1),
        }  # fmt: skip
        return {"verdict": said, "n": n, "interval": drawn, "note": {}}

    def _text(self, shown: Mapping[str, Mapping[str, Any]], answers: int) -> str:
        """The result in Thai for a message."""
        said = {"met": "ถึงเป้า", "not_met": "ไม่ถึงเป้า", "cannot_tell": "ยังสรุปไม่ได้", "hidden": "คำตอบน้อยเกินไป"}
        lines = [f"{self.form.title.th} รอบที่ {self.round}: {answers} คำตอบ"]
        lines += ["(จำลอง)"] if self.form.simulated else []
        for target in self.form.targets:
            drawn, word = shown[target.id]["interval"], said.get(shown[target.id]["verdict"], "")
            figures = f" {drawn['estimate']:.1f}% (ช่วง {drawn['low']:.1f}–{drawn['high']:.1f}%)" if drawn else ""
            sign = "ต่ำกว่า" if target.direction == "below" else "อย่างน้อย"
            lines.append(f"{target.title.th}: {word}{figures} เป้าหมาย{sign} {target.mark:g}%")
        return "\n".join(lines)
