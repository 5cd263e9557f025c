"""What citizens read, in Thai and English. Short words: the first page has 10 KB, and its reader is frightened."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["th", "en"]

WORDS: Final[dict[Language, dict[str, str]]] = {
    "th": {
        "lang": "th", "other": "en", "other_name": "English",
        "title": "แจ้งเหตุฉุกเฉิน", "dial": "โทร", "dial_note": "โทรฟรี 24 ชั่วโมง เร็วที่สุดเมื่อมีอันตราย",
        "video": "โทรวิดีโอหาเจ้าหน้าที่", "video_note": "เจ้าหน้าที่เห็นภาพและได้ยินเสียงของท่าน",
        "video_recorded": "มีการบันทึกภาพและเสียง",
        "or": "หรือแจ้งเป็นข้อความ", "what": "เกิดอะไรขึ้น", "phone": "เบอร์โทรกลับ (ไม่บังคับ)",
        "photo": "ภาพถ่าย (ไม่บังคับ ไม่เกิน 10 MB)", "send": "ส่งแจ้งเหตุ", "here": "ส่งตำแหน่งของฉันด้วย",
        "last": "ดูเรื่องที่แจ้งไว้", "simulated": "จำลอง ไม่ใช่การแจ้งเหตุจริง",
        "who": "ผู้รับผิดชอบข้อมูล", "ask": "สอบถามหรือขอลบ",
        "kept": "เก็บข้อความ ภาพ เบอร์โทร และตำแหน่งที่ท่านส่ง {report_days} วัน "
                "บันทึกการโทรวิดีโอ {recording_days} วัน เพื่อช่วยเหลือและดำเนินคดีเท่านั้น "
                "(พ.ร.บ.คุ้มครองข้อมูลส่วนบุคคล พ.ศ. 2562) ท่านขอดู แก้ หรือขอลบได้",
        "privacy": "ข้อมูลของท่าน",
        "receipt": "เลขรับเรื่อง", "status": "สถานะ", "keep_link": "เก็บหน้านี้ไว้เพื่อดูคำตอบ",
        "answers": "ข้อความ", "me": "ท่าน", "desk": "เจ้าหน้าที่", "no_answers": "ยังไม่มีคำตอบ",
        "more": "แจ้งเพิ่มเติม", "add": "ส่งเพิ่ม", "again": "ดูคำตอบล่าสุด", "picture": "[ส่งภาพแล้ว]",
        "called": "[โทรวิดีโอ]",
        "received": "ได้รับแจ้งแล้ว", "seen": "เจ้าหน้าที่รับเรื่องแล้ว", "helping": "เจ้าหน้าที่กำลังไปช่วย",
        "closed": "ปิดเรื่องแล้ว ขอบคุณที่แจ้ง",
        "gone": "ป้ายนี้ยกเลิกแล้ว", "gone_note": "หากมีเหตุด่วน โทร",
        "unknown": "ไม่พบเรื่องนี้", "unknown_note": "ลิงก์อาจไม่ครบหรือเกินกำหนดเก็บ",
        "empty": "กรุณาพิมพ์ว่าเกิดอะไรขึ้น",
        "too_many": "มีการแจ้งจากเครื่องนี้ถี่เกินไป รออีกหนึ่งนาทีแล้วส่งใหม่",
        "bad_photo": "ภาพต้องเป็น JPEG, PNG หรือ WebP และไม่เกิน 10 MB ข้อความยังไม่ได้ส่ง",
        "many_photos": "เรื่องนี้มีภาพครบ 10 ภาพแล้ว",
        "photo_many": "ขออภัย วันนี้รับภาพครบจำนวนแล้ว ภาพนี้จึงไม่ได้เก็บ ส่งเป็นข้อความได้เสมอ",
        "photo_lost": "ขออภัย ภาพนี้เก็บไม่ได้ในขณะนี้ แต่ข้อความของท่านถึงเจ้าหน้าที่แล้ว",
        "failed": "ระบบรับเรื่องไม่ได้ในขณะนี้ กรุณาโทร 191",
        "bad_form": "แบบฟอร์มมาไม่ครบ กรุณาส่งใหม่",
        "js_asking": "ขอใช้กล้องและไมโครโฟน…", "js_ringing": "กำลังเรียกเจ้าหน้าที่…",
        "js_ahead": "มีผู้รอก่อนท่าน {n} สาย", "js_next": "ท่านเป็นสายถัดไป", "js_answered": "เจ้าหน้าที่รับสายแล้ว กำลังต่อภาพ…",
        "js_talking": "กำลังคุยกับเจ้าหน้าที่", "js_lost": "สัญญาณหลุด กำลังต่อใหม่…",
        "js_held": "เจ้าหน้าที่สัญญาณหลุด กรุณารอ", "js_transferred": "กำลังโอนสาย กรุณารอ",
        "js_ended": "จบสายแล้ว", "js_hangup": "วางสาย", "js_mute": "ปิดเสียงฉัน", "js_unmute": "เปิดเสียงฉัน",
        "js_turn": "สลับกล้อง",
        "js_nocamera": "ใช้กล้องหรือไมโครโฟนไม่ได้ กรุณาอนุญาต หรือโทร 191",
        "js_nohttps": "โทรวิดีโอต้องเปิดหน้านี้ด้วย https หรือโทร 191",
        "js_failed": "ต่อสายไม่ได้ กรุณาโทร 191", "js_locate": "เจ้าหน้าที่ขอตำแหน่งของท่าน",
        "js_located": "ส่งตำแหน่งแล้ว", "js_status": "ดูสถานะ", "js_silent": "ไม่มีกล้อง ส่งเสียงอย่างเดียว",
    },
    "en": {
        "lang": "en", "other": "th", "other_name": "ภาษาไทย",
        "title": "Emergency report", "dial": "Call", "dial_note": "Free, day and night. The fastest when in danger",
        "video": "Video call to an officer", "video_note": "The officer sees your picture and hears you",
        "video_recorded": "Picture and sound are recorded",
        "or": "Or report in writing", "what": "What has happened?", "phone": "Telephone, to call you back (optional)",
        "photo": "Photo (optional, up to 10 MB)", "send": "Send the report", "here": "Send my position too",
        "last": "See your last report", "simulated": "Simulated: no real report",
        "who": "Responsible for the data", "ask": "Questions, or to have it deleted",
        "kept": "We keep the words, photo, telephone number and position you send for {report_days} days, and the "
                "recording of a video call for {recording_days} days, only to help you and for a criminal case "
                "(Personal Data Protection Act B.E. 2562). You may see it, correct it or ask to have it deleted",
        "privacy": "Your data",
        "receipt": "Receipt", "status": "Status", "keep_link": "Keep this page to read the answer",
        "answers": "Messages", "me": "You", "desk": "Officer", "no_answers": "No answer yet",
        "more": "Add to the report", "add": "Send", "again": "Look for answers", "picture": "[a photo was sent]",
        "called": "[video call]",
        "received": "We have your report", "seen": "An officer has it", "helping": "Officers are on their way",
        "closed": "Closed. Thank you for reporting",
        "gone": "This sticker is no longer used", "gone_note": "In an emergency call",
        "unknown": "No such report", "unknown_note": "The address may be incomplete, or the report is no longer kept",
        "empty": "Please write what has happened",
        "too_many": "Too many reports from this phone. Wait a minute and send it again",
        "bad_photo": "A photo is JPEG, PNG or WebP of up to 10 MB. Your report is not sent yet",
        "many_photos": "This report has 10 photos already",
        "photo_many": "Sorry, no more photos can be taken today and this one was not kept. Your words are always taken",
        "photo_lost": "Sorry, this photo could not be kept just now. Your words have reached the officers",
        "failed": "This could not be received now. Please call 191",
        "bad_form": "The form did not arrive whole. Please send it again",
        "js_asking": "Asking for camera and microphone…", "js_ringing": "Calling an officer…",
        "js_ahead": "{n} before you", "js_next": "You are next", "js_answered": "An officer answered. Connecting…",
        "js_talking": "You are talking with an officer", "js_lost": "Connection lost. Connecting again…",
        "js_held": "The officer's connection is lost. Please wait",
        "js_transferred": "You are being transferred. Please wait",
        "js_ended": "The call has ended", "js_hangup": "End the call", "js_mute": "Mute me", "js_unmute": "Unmute me",
        "js_turn": "Other camera",
        "js_nocamera": "No camera or microphone. Please allow them, or call 191",
        "js_nohttps": "A video call needs this page by https. Or call 191",
        "js_failed": "The call did not work. Please call 191", "js_locate": "The officer asks where you are",
        "js_located": "Position sent", "js_status": "See the status", "js_silent": "No camera: sound only",
    },
}  # fmt: skip


def language_of(asked: str, accepted: str) -> Language:
    """What was chosen, else Thai, unless the browser's first language is another one (``Accept-Language``)."""
    if asked in ("th", "en"):
        return "th" if asked == "th" else "en"
    first = accepted.partition(",")[0].strip().lower()
    return "th" if not first or first.startswith("th") else "en"


def with_number(language: Language, number: str) -> dict[str, str]:
    """The words with the station's own emergency number."""
    return {name: text.replace("191", number) for name, text in WORDS[language].items()}


def script_words(words: dict[str, str]) -> dict[str, str]:
    """Those that the page's script says, by their short names."""
    return {name[3:]: text for name, text in words.items() if name.startswith("js_")}
