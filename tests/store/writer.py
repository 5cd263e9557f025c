"""``python -m tests.store.writer journal|documents FOLDER``: writes without end, and tells what was acknowledged.

Each line on standard output is a number that was durable before it was printed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hub.store.documents import Documents
from tests.store.kit import group, open_journal


def write_journal(folder: Path) -> None:
    journal = open_journal(folder)
    first = journal.last_seq() + 1
    for size in [1, 7, 64, 3] * 100_000:
        journal.commit(*group(first, size))
        first += size
        sys.stdout.write(f"{first - 1}\n")
        sys.stdout.flush()


async def write_documents(folder: Path) -> None:
    documents = Documents(folder)
    number = max((int(key) for key in await documents.all("boxes")), default=0)
    while True:
        number += 1
        await documents.put("boxes", str(number), {"number": number, "words": "ตู้แดง" * 20})
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "journal":
        write_journal(Path(sys.argv[2]))
    else:
        asyncio.run(write_documents(Path(sys.argv[2])))
