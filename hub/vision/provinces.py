"""The 77 provinces as they stand on number plates, and the nearest one to what was read."""

from __future__ import annotations

from collections.abc import Iterable

PROVINCES: tuple[str, ...] = tuple(
    """
    กรุงเทพมหานคร กระบี่ กาญจนบุรี กาฬสินธุ์ กำแพงเพชร ขอนแก่น จันทบุรี ฉะเชิงเทรา ชลบุรี ชัยนาท ชัยภูมิ ชุมพร เชียงราย เชียงใหม่
    ตรัง ตราด ตาก นครนายก นครปฐม นครพนม นครราชสีมา นครศรีธรรมราช นครสวรรค์ นนทบุรี นราธิวาส น่าน บึงกาฬ บุรีรัมย์
    ปทุมธานี ประจวบคีรีขันธ์ ปราจีนบุรี ปัตตานี พระนครศรีอยุธยา พะเยา พังงา พัทลุง พิจิตร พิษณุโลก เพชรบุรี เพชรบูรณ์ แพร่ ภูเก็ต
    มหาสารคาม มุกดาหาร แม่ฮ่องสอน ยโสธร ยะลา ร้อยเอ็ด ระนอง ระยอง ราชบุรี ลพบุรี ลำปาง ลำพูน เลย ศรีสะเกษ สกลนคร สงขลา
    สตูล สมุทรปราการ สมุทรสงคราม สมุทรสาคร สระแก้ว สระบุรี สิงห์บุรี สุโขทัย สุพรรณบุรี สุราษฎร์ธานี สุรินทร์ หนองคาย
    หนองบัวลำภู อ่างทอง อำนาจเจริญ อุดรธานี อุตรดิตถ์ อุทัยธานี อุบลราชธานี
    """.split()
)

_SARA_AM = ("ํา", "ำ")  # written as two signs or as one


def distance(a: str, b: str) -> int:
    """Least number of letters inserted, left out or exchanged between ``a`` and ``b`` (Levenshtein, 1966)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (letter != other))
    return row[-1]


def ranked(read: str, among: Iterable[str] = PROVINCES) -> list[tuple[str, float]]:
    """Provinces by likeness to ``read``, best first: 1.0 is the same, 0.0 shares nothing.

    Spaces and signs that are not Thai do not count.
    """
    letters = "".join(c for c in read.replace(*_SARA_AM) if "ก" <= c <= "๎")
    scored = []
    for name in among:
        scored.append((name, 1.0 - distance(letters, name) / max(len(letters), len(name))))
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def nearest(read: str) -> tuple[str, float] | None:
    """The one province that ``read`` means, with its likeness, or ``None`` when it is too far from all or between two.

    A likeness of one half at least, and clearly above the second's, is asked for.
    """
    best, second = ranked(read)[:2]
    if best[1] < 0.5 or best[1] - second[1] < 0.05:
        return None
    return best
