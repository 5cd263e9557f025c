"""The citizen's page, reports and stickers through real HTTP."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.capabilities import ReportAnswered, ReportStatusChanged
from hub.sdk import InvalidInput, Unavailable
from plugins.emergency_qr.conftest import HERE, JPEG, TOKEN, Desk, desk
from plugins.emergency_qr.multipart import read_form

MAX_PAGE = 10_240
THAI = re.compile("[\u0e00-\u0e7f]+")


async def test_the_page_is_small_complete_and_in_both_languages() -> None:
    async with desk() as at:
        status, thai, headers = await at.get(f"p/{TOKEN}")
        assert status == 200
        assert len(thai.encode()) <= MAX_PAGE, len(thai.encode())
        assert thai.index('href="tel:191"') < thai.index('id="video"') < thai.index("<form")
        for words in ("ประตูศาลตาผาแดง", "สภ.เมืองสุโขทัย", "90 วัน", "1826 วัน", "พ.ร.บ.คุ้มครองข้อมูลส่วนบุคคล"):
            assert words in thai
        assert "<script>" not in thai
        assert headers["Permissions-Policy"] == "camera=(self), microphone=(self), geolocation=(self)"
        status, english, _ = await at.get(f"p/{TOKEN}?lang=en")
        assert len(english.encode()) <= MAX_PAGE
        assert THAI.findall(english) == ["ภาษาไทย"]
        for words in ("San Ta Pha Daeng gate", "Mueang Sukhothai police station", "Personal Data Protection Act"):
            assert words in english
        assert 'lang="en"' in (await at.get(f"p/{TOKEN}", **{"Accept-Language": "en-US,en"}))[1]
        script = (await at.get("page.js"))[1]
        assert re.search(r"=>|`|\b(?:let|const|class|async|await)\b", re.sub(r"//.*|'[^']*'", "", script)) is None


async def test_a_report_is_an_event_with_a_receipt_and_its_answers_are_read_by_its_secret() -> None:
    async with desk() as at:
        said = {"text": "ไฟไหม้ <b>ตลาด</b>", "phone": "081-234 5678", "lat": "17.02", "lon": "99.71"}
        status, _, where = await at.post(f"p/{TOKEN}", said, JPEG)
        (report,) = at.told("report_received")
        assert status == 303
        assert (report["channel"], report["text"], report["reporter"]) == ("qr", said["text"], said["phone"])
        assert (report["lat"], report["lon"], report["place_entity"]) == (17.02, 99.71, "sticker.gate")
        assert await at.hub.app.media.get(report["media"][0]) == (JPEG, "image/jpeg")
        path = where.removeprefix("/hook/emergency_qr/").partition("?")[0]
        receipt = report["receipt"]
        assert path.startswith(f"r/{receipt}/")
        page = (await at.get(path))[1]
        assert receipt in page and "&lt;b&gt;ตลาด" in page and "[ส่งภาพแล้ว]" in page and "ยังไม่มีคำตอบ" in page
        before = (await at.get(f"{path}?version"))[1]
        answer = ReportAnswered(receipt=receipt, door="emergency_qr", text="กำลังไป", by="user:noi")
        await at.hub.emit(answer, entity="report.x")
        closed = ReportStatusChanged(
            receipt=receipt, door="emergency_qr", status="closed", by="user:noi", result="ดับแล้ว"
        )
        await at.hub.emit(closed, entity="report.x")
        async with asyncio.timeout(5):
            while int((await at.get(f"{path}?version"))[1]) < int(before) + 2:
                pass
        page = (await at.get(path))[1]
        assert "กำลังไป" in page and "ดับแล้ว" in page and "ปิดเรื่องแล้ว" in page and "<form" not in page
        assert (await at.get(f"r/{receipt}/wrong-secret-000"))[0] == 404
        assert (await at.get(f"r/{receipt}"))[0] == 404


async def test_more_can_be_said_and_everything_survives_a_restart() -> None:
    async with desk() as at:
        _, _, where = await at.post(f"p/{TOKEN}", {"text": "มีคนล้ม"})
        path = where.removeprefix("/hook/emergency_qr/").partition("?")[0]
        assert await at.hub.restart() == "running"
        assert (await at.post(path, {"text": "ยังหายใจ"}, JPEG))[0] == 303
        (added,) = at.told("report_added")
        assert (added["text"], len(added["media"])) == ("ยังหายใจ", 1)
        page = (await at.get(path))[1]
        assert "มีคนล้ม" in page and "ยังหายใจ" in page
        assert at.hub.state("sticker.gate").attributes["reports"] == 1  # type: ignore[union-attr]


BAD = {
    "malformed": (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 400, "แบบฟอร์มมาไม่ครบ"),
    "wrong type": (b'{"text": "a"}', "application/json", 400, "แบบฟอร์มมาไม่ครบ"),
    "no boundary": (b"--x--", "multipart/form-data", 400, "แบบฟอร์มมาไม่ครบ"),
    "empty": (b"text=", "application/x-www-form-urlencoded", 400, "กรุณาพิมพ์"),
    "oversized": (b"text=" + b"a" * (12 << 20), "application/x-www-form-urlencoded", 413, "12 MiB"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_bad_forms_are_refused_in_words_and_the_next_good_one_is_taken(kind: str) -> None:
    body, content_type, status, words = BAD[kind]
    async with desk() as at:
        url = at.hub.hook(f"p/{TOKEN}")
        async with at.http.post(url, data=body, headers={"Content-Type": content_type}) as answer:
            assert (answer.status, words in await answer.text()) == (status, True)
        assert at.told("report_received") == []
        assert (await at.post(f"p/{TOKEN}", {"text": "ดี"}))[0] == 303


async def test_a_photo_of_another_kind_keeps_what_was_typed() -> None:
    async with desk() as at:
        status, page, _ = await at.post(f"p/{TOKEN}", {"text": "ข้อความยาวของฉัน"}, b"%PDF-1.7 nothing to see")
        assert status == 400
        assert "ภาพต้องเป็น JPEG" in page and "ข้อความยาวของฉัน</textarea>" in page
        assert at.told("report_received") == []


async def test_a_full_disk_keeps_the_words_without_the_photo_and_says_when_it_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk() as at:
        async def refused(*_: object, **__: object) -> str:
            raise Unavailable("the disk is too full to keep this")

        monkeypatch.setattr(at.hub.app.media, "put", refused)
        status, _, where = await at.post(f"p/{TOKEN}", {"text": "คำพูดสำคัญกว่า"}, JPEG)
        assert (status, at.told("report_received")[0]["media"]) == (303, [])
        path = where.removeprefix("/hook/emergency_qr/").partition("?")[0]
        assert "แต่ข้อความของท่านถึงเจ้าหน้าที่แล้ว" in (await at.get(path))[1]
        assert (await at.post(path, {"text": "เพิ่ม"}, JPEG))[0] == 303
        assert at.told("report_added")[0]["text"] == "เพิ่ม\n[ภาพที่ส่งมาไม่ได้เก็บ]"
        status, page, _ = await at.post(path, {"text": ""}, JPEG)
        assert (status, "กรุณาโทร 191" in page) == (503, True)
        monkeypatch.setattr(at.hub.app.pipeline, "submit", refused)
        status, page, _ = await at.post(f"p/{TOKEN}", {"text": "ครั้งที่สอง"})
        assert (status, "กรุณาโทร 191" in page, "ครั้งที่สอง</textarea>" in page) == (503, True, True)
        monkeypatch.undo()


async def test_photos_have_a_budget_of_the_day_and_the_words_are_taken_without_them() -> None:
    photo = JPEG + b"\x00" * 700_000
    async with desk(photos_mib_a_day=1) as at:
        _, _, where = await at.post(f"p/{TOKEN}", {"text": "ภาพแรก"}, photo)
        first = where.removeprefix("/hook/emergency_qr/").partition("?")[0]
        assert await at.hub.restart() == "running"  # which does not begin the day anew
        status, _, where = await at.post(f"p/{TOKEN}", {"text": "ภาพที่สอง"}, photo)
        second = where.removeprefix("/hook/emergency_qr/").partition("?")[0]
        assert status == 303
        told = [(len(one["media"]), one["text"]) for one in at.told("report_received")]
        assert told == [(1, "ภาพแรก"), (0, "ภาพที่สอง\n[ภาพที่ส่งมาไม่ได้เก็บ]")]
        words = "วันนี้รับภาพครบจำนวนแล้ว"
        assert (words in (await at.get(first))[1], words in (await at.get(second))[1]) == (False, True)
        status, page, _ = await at.post(first, {"text": ""}, photo)
        assert (status, words in page) == (429, True)
        assert (await at.post(first, {"text": ""}, JPEG))[0] == 303  # a small one still fits


async def test_one_phone_does_not_use_up_the_budget_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as at:
        monkeypatch.setattr(sys.modules["hub_plugins.emergency_qr.photos"], "MAX_OF_ONE", 2 * len(JPEG))
        for _ in range(3):
            assert (await at.post(f"p/{TOKEN}", {"text": "ภาพ"}, JPEG))[0] == 303
        assert [len(one["media"]) for one in at.told("report_received")] == [1, 1, 0]
        monkeypatch.setattr(sys.modules["hub_plugins.emergency_qr.door"], "sender", lambda remote: "another phone")
        await at.post(f"p/{TOKEN}", {"text": "ภาพ"}, JPEG)
        assert len(at.told("report_received")[-1]["media"]) == 1


async def test_a_closed_report_goes_before_an_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as at:
        monkeypatch.setattr(sys.modules["hub_plugins.emergency_qr.reports"], "MAX_REPORTS", 2)
        paths = []
        for text in ("เก่าแต่ยังเปิด", "ปิดแล้ว"):
            _, _, where = await at.post(f"p/{TOKEN}", {"text": text})
            paths.append(where.removeprefix("/hook/emergency_qr/").partition("?")[0])
        receipt = at.told("report_received")[1]["receipt"]
        closed = ReportStatusChanged(receipt=receipt, door="emergency_qr", status="closed", by="user:noi", result="")
        await at.hub.emit(closed, entity="report.x")
        async with asyncio.timeout(5):
            while "ปิดเรื่องแล้ว" not in (await at.get(paths[1]))[1]:
                pass
        assert (await at.post(f"p/{TOKEN}", {"text": "ใหม่"}))[0] == 303
        assert [(await at.get(path))[0] for path in paths] == [200, 404]


async def test_a_flood_is_told_to_wait_and_loses_no_words() -> None:
    async with desk() as at:
        answers = [await at.post(f"p/{TOKEN}", {"text": f"เรื่อง {n}"}) for n in range(14)]
        assert [status for status, _, _ in answers] == [303] * 12 + [429] * 2
        assert "เรื่อง 13</textarea>" in answers[13][1] and "รออีกหนึ่งนาที" in answers[13][1]
        assert len(at.told("report_received")) == 12


async def test_silence_in_mid_form_disturbs_nobody() -> None:
    async with desk() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.hub.port)
        writer.write(
            f"POST /hook/emergency_qr/p/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\ntext=half".encode()
        )
        await writer.drain()
        assert (await at.post(f"p/{TOKEN}", {"text": "อีกคน"}))[0] == 303
        writer.close()
        await writer.wait_closed()
        assert [one["text"] for one in at.told("report_received")] == ["อีกคน"]
        assert await reader.read() == b""


async def test_a_revoked_or_replaced_code_says_so_and_a_new_one_works() -> None:
    async with desk() as at:
        assert (await at.hub.call("sticker.replace", params={"id": "gate"})).status == "done"
        status, page, _ = await at.get(f"p/{TOKEN}")
        assert (status, "ป้ายนี้ยกเลิกแล้ว" in page, 'href="tel:191"' in page) == (410, True, True)
        assert (await at.post(f"p/{TOKEN}", {"text": "x"}))[0] == 410
        fresh = await token_of(at, "gate")
        assert (await at.get(f"p/{fresh}"))[0] == 200
        await at.hub.restart()
        assert await token_of(at, "gate") == fresh
        await at.hub.call("sticker.revoke", params={"id": "gate"})
        assert (await at.get(f"p/{fresh}"))[0] == 410
        assert at.hub.state("sticker.gate").state == "revoked"  # type: ignore[union-attr]
        put = {"id": "pier", "th": "ท่าเรือ", "en": "Pier", "lat": 17.0, "lon": 99.8}
        await at.hub.call("sticker.put", params=put)
        assert "ท่าเรือ" in (await at.get(f"p/{await token_of(at, 'pier')}"))[1]


async def token_of(at: Desk, sticker: str) -> str:
    document = await at.hub.app.documents.get("emergency_qr.stickers", sticker)
    assert document is not None
    return str(document["token"])


async def test_the_sheet_prints_codes_that_a_scanner_reads(tmp_path: Path) -> None:
    async with desk() as at:
        url = f"{at.url}/plugin/emergency_qr/sheet.pdf"
        async with at.http.get(url) as refused:
            assert refused.status == 401
        async with at.http.get(url, headers=at.bearer("noi")) as answer:
            pdf = await answer.read()
            assert (answer.status, answer.content_type, pdf[:5]) == (200, "application/pdf", b"%PDF-")
        address = await at.hub.supervised.attempt.ctx.address()  # type: ignore[union-attr]
    assert scanned(pdf, tmp_path) == [f"{address}/hook/emergency_qr/p/{TOKEN}"]


def scanned(pdf: bytes, folder: Path) -> list[str]:
    """What a scanner reads from a printed page."""
    (folder / "sheet.pdf").write_bytes(pdf)
    try:
        subprocess.run(["pdftoppm", "-r", "150", "-png", "sheet.pdf", "sheet"], cwd=folder, check=True)
        picture = next(folder.glob("sheet*.png"))
        read = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True, check=True)
    except FileNotFoundError as missing:
        pytest.skip(f"{missing.filename} is not installed: apt-get install poppler-utils zbar-tools")
    return read.stdout.split()


def test_forms_are_read_as_rfc_7578_says() -> None:
    body = (
        b"preamble\r\n--a'b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nline\r\n--not the boundary\r\n"
        b'--a\'b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\x00\r\n\xff\r\n--a'b--\r\n"
    )
    form = read_form('multipart/form-data; boundary="a\'b"', body)
    assert form.fields == {"text": "line\r\n--not the boundary"}
    assert form.files == {"photo": b"\x00\r\n\xff"}
    with pytest.raises(InvalidInput, match="ends in the middle"):
        read_form("multipart/form-data; boundary=a'b", body[:-9])
    assert read_form("application/x-www-form-urlencoded", b"text=a+%E0%B8%81").fields == {"text": "a ก"}


def test_no_file_of_the_page_asks_another_host() -> None:
    for name in ("page.html", "status.html", "said.html", "page.js", "status.js", "page.css"):
        text = (HERE / name).read_text(encoding="utf-8").replace("/^http/", "").replace("nohttps", "")
        assert "http" not in text, name
