"""The citizens' pages: plain HTML that works without JavaScript, in Thai or English, at most 10 KB each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

from .forms import Filled, Form, Language, Question

MAX_PAGE: Final = 10_240
STYLE: Final = (
    "body{font:18px/1.5 sans-serif;max-width:38em;margin:0 auto;padding:1em;color:#111;background:#fff}"
    "h1{font-size:1.35em}fieldset{border:1px solid #999;border-radius:6px;margin:0 0 1em;padding:.6em .9em}"
    "legend{font-weight:700}label{display:block;padding:.45em 0}"
    ".r{display:flex;flex-wrap:wrap}.r label{flex:1 1 0;min-width:1.9em;text-align:center;overflow-wrap:anywhere}"
    "input[type=radio],input[type=checkbox]{width:1.3em;height:1.3em;vertical-align:middle;margin-right:.5em}"
    ".r input[type=radio]{display:block;margin:0 auto .2em}"
    "textarea,input[type=text]{width:100%;box-sizing:border-box;font:inherit;padding:.4em}"
    "button,.go{font:inherit;font-weight:700;padding:.7em 1.6em;border:0;border-radius:6px;background:#0b4f9c;"
    "color:#fff;text-decoration:none;display:inline-block}.bad{color:#a40000;font-weight:700}"
    ".ok{border:2px solid #176b2c;padding:.6em .9em;border-radius:6px}.s{color:#555;font-size:.85em}"
)
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "th": {
        "send": "ส่งคำตอบ", "begin": "เริ่มตอบ", "anew": "ล้างคำตอบ เริ่มใหม่", "other": "English", "sim": "จำลอง",
        "private": "ไม่เก็บชื่อ เบอร์โทร หรือข้อมูลที่บอกว่าท่านเป็นใคร กรุณาอย่าเขียนชื่อผู้ใดลงในคำตอบ",
        "thanks": "บันทึกคำตอบแล้ว ขอบคุณ", "again": "ผู้ตอบคนต่อไปกดเริ่มได้เลย",
        "missing": "กรุณาตอบข้อนี้", "strange": "คำตอบนี้ไม่อยู่ในตัวเลือก", "number": "กรุณากรอกตัวเลขที่อยู่ในช่วง",
        "long": "ข้อความยาวเกินไป", "fix": "ยังไม่ได้บันทึก กรุณาแก้ข้อที่มีเครื่องหมาย", "must": "ต้องตอบ",
        "no_form": "ไม่มีแบบสอบถามนี้ กรุณาสแกนรหัสอีกครั้ง", "closed": "แบบสอบถามนี้ปิดรับคำตอบแล้ว",
        "token": "แบบสอบถามนี้ต้องใช้รหัสจากใบที่แจก กรุณาสแกนคิวอาร์บนใบของท่าน",
        "used": "รหัสบนใบนี้ใช้ตอบไปแล้ว ใบหนึ่งตอบได้หนึ่งครั้ง", "device": "เครื่องนี้ตอบรอบนี้ไปแล้ว",
        "old": "หน้านี้เปิดทิ้งไว้นานเกินไปหรือไม่สมบูรณ์ กรุณาเปิดใหม่", "full": "รับคำตอบครบจำนวนสูงสุดของรอบนี้แล้ว",
        "broken": "คำตอบที่ส่งมาอ่านไม่ได้ กรุณาเปิดแบบสอบถามใหม่", "big": "คำตอบที่ส่งมาใหญ่เกินไป",
        "between": "ระหว่าง", "and": "ถึง", "upto": "ไม่เกิน {n} ตัวอักษร",
    },
    "en": {
        "send": "Send", "begin": "Begin", "anew": "Clear and start again", "other": "ไทย", "sim": "simulated",
        "private": "No name, number or anything that says who you are is kept. Please write no names in your answers.",
        "thanks": "Your answers were saved. Thank you.", "again": "The next person may begin.",
        "missing": "Please answer this", "strange": "This answer is not among the choices",
        "number": "Please write a number in the range", "long": "This text is too long",
        "fix": "Not saved yet: please look at what is marked", "must": "required",
        "no_form": "There is no such form. Please scan the code again.",
        "closed": "This form takes no answers any more.",
        "token": "This form needs the code of a sheet. Please scan the QR code on yours.",
        "used": "This sheet was used already. One sheet answers once.",
        "device": "This device has answered this round.",
        "old": "This page was open too long or is not whole. Please open it again.",
        "full": "This round has as many answers as it can take.",
        "broken": "What was sent cannot be read. Please open the form again.", "big": "What was sent is too large.",
        "between": "from", "and": "to", "upto": "at most {n} characters",
    },
}  # fmt: skip


def document(lang: Language, title: str, body: str) -> bytes:
    """A whole page."""
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><body>{body}</body></html>"
    ).encode()


def message_page(lang: Language, key: str, more: str = "") -> bytes:
    """One sentence, such as why the form cannot be answered. ``more`` is HTML."""
    words = WORDS[lang][key]
    return document(lang, words, f"<h1>{escape(words)}</h1>{more}")


def thanks_page(form: Form, lang: Language, begin: str) -> bytes:
    """The answers are saved. ``begin``: where a tablet begins again, "" elsewhere."""
    words = WORDS[lang]
    more = f'<p>{words["again"]}</p><p><a class="go" href="{escape(begin)}">{words["begin"]}</a></p>' if begin else ""
    said = f'<p class="ok" role="status">{words["thanks"]}</p>'
    return document(lang, words["thanks"], f"<h1>{escape(_said(form.title, lang))}</h1>{said}{more}")


def form_page(form: Form, lang: Language, hidden: Mapping[str, str], filled: Filled | None = None) -> bytes:
    """The form itself. ``hidden``: what goes back unseen; ``filled``: what was sent and is to be mended."""
    words, filled = WORDS[lang], filled or Filled()
    other = "en" if lang == "th" else "th"
    link = "?" + urlencode({**{key: value for key, value in hidden.items() if key in ("via", "t")}, "lang": other})
    sim = f' <b>({words["sim"]})</b>' if form.simulated else ""
    head = f'<h1>{escape(_said(form.title, lang))}{sim}</h1><p><a href="{escape(link)}">{words["other"]}</a></p>'
    intro = f"<p>{escape(_said(form.intro, lang))}</p>" if form.intro else ""
    bad = f'<p class="bad" role="alert">{words["fix"]}</p>' if filled.mistakes else ""
    anew = f'<p><a href="?via=tablet&amp;lang={lang}">{words["anew"]}</a></p>' if hidden.get("via") == "tablet" else ""
    fields = "".join(f'<input type="hidden" name="{key}" value="{escape(value)}">' for key, value in hidden.items())
    questions = "".join(_question(one, lang, filled) for one in form.questions)
    body = (
        f'{head}{intro}<p class="s">{words["private"]}</p>{bad}<form method="post" autocomplete="off">{fields}'
        f'{questions}<button>{words["send"]}</button></form>{anew}'
    )
    return document(lang, _said(form.title, lang), body)


def _said(name: object, lang: Language) -> str:
    return str(getattr(name, lang))


def _question(question: Question, lang: Language, filled: Filled) -> str:
    words, wrong = WORDS[lang], filled.mistakes.get(question.id)
    must = f' <span class="s">({words["must"]})</span>' if question.required else ""
    bad = f'<p class="bad">{words[wrong]}</p>' if wrong else ""
    legend = f"<legend>{escape(_said(question.text, lang))}{must}</legend>"
    return f"<fieldset>{legend}{bad}{_field(question, lang, filled)}</fieldset>"


def _field(question: Question, lang: Language, filled: Filled) -> str:
    name, label = f"q_{question.id}", escape(_said(question.text, lang))
    if question.kind == "text":
        held, hint = escape(filled.words.get(question.id, "")), WORDS[lang]["upto"].format(n=question.longest)
        area = f'<textarea name="{name}" rows="3" maxlength="{question.longest}" aria-label="{label}">{held}</textarea>'
        return f'{area}<p class="s">{hint}</p>'
    said = filled.choices.get(question.id)
    if question.kind == "number":
        held = "" if said is None else escape(str(said))
        box = f'<input type="text" inputmode="decimal" name="{name}" value="{held}" aria-label="{label}">'
        return box + _range(question, lang)
    kind = "checkbox" if question.kind == "multiple" else "radio"
    chosen = {str(one) for one in (said if isinstance(said, list) else [said])}
    rows = ""
    for value, words in _choices(question, lang):
        mark = " checked" if value in chosen else ""
        rows += f'<label><input type="{kind}" name="{name}" value="{value}"{mark}>{escape(words)}</label>'
    return f'<div class="r">{rows}</div>' if question.kind == "scale" else rows


def _choices(question: Question, lang: Language) -> Sequence[tuple[str, str]]:
    if question.kind != "scale":
        return [(one.id, _said(one, lang)) for one in question.options]
    steps = question.choices()
    ends = {} if question.ends is None else dict(zip((steps[0], steps[-1]), question.ends, strict=True))
    return [(step, f"{step} {_said(ends[step], lang)}" if step in ends else step) for step in steps]


def _range(question: Question, lang: Language) -> str:
    if question.least is None or question.most is None:
        return ""
    words = WORDS[lang]
    return f'<p class="s">{words["between"]} {question.least:g} {words["and"]} {question.most:g}</p>'
