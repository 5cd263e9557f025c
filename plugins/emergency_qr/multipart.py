"""Forms with files, as browsers send them (multipart/form-data: RFC 7578, RFC 2046 section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from hub.sdk import InvalidInput

MAX_PARTS = 20
MAX_HEAD = 4_096
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'[; ]name="([^"\r\n]{0,100})"')
_FILE = re.compile(rb'[; ]filename="')


@dataclass(frozen=True, slots=True)
class Form:
    """``fields``: the words by name (the last of equal names); ``files``: the bytes of those that were chosen."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


def read_form(content_type: str, body: bytes) -> Form:
    """The form; ``InvalidInput`` says what is wrong with it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Form(_urlencoded(body), {})
    if kind != "multipart/form-data":
        raise InvalidInput(f"a form was expected, not {kind[:60] or 'nothing'}", where="Content-Type")
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise InvalidInput("the form has no boundary", where="Content-Type")
    return _parts(body, b"--" + (found[1] or found[2]).encode("ascii", "replace"))


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_PARTS, errors="replace"))
    except ValueError:
        raise InvalidInput("the form cannot be read", where="body") from None


def _parts(body: bytes, line: bytes) -> Form:
    pieces = (b"\r\n" + body).split(b"\r\n" + line)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise InvalidInput("the form ends in the middle", where="body", hint="send it again")
    if len(pieces) - 2 > MAX_PARTS:
        raise InvalidInput(f"the form has more than {MAX_PARTS} fields", where="body")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, gap, content = piece.partition(b"\r\n\r\n")
        named = _NAME.search(head)
        if not gap or named is None or len(head) > MAX_HEAD:
            raise InvalidInput("a field of the form has no name", where="body")
        name = named[1].decode("utf-8", "replace")
        if _FILE.search(head) is None:
            fields[name] = content.decode("utf-8", "replace")
        elif content:  # a browser sends an empty file for a field in which none was chosen
            files[name] = content
    return Form(fields, files)
