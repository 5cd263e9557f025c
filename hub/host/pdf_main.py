"""The process that sets pages: HTML on stdin, PDF on stdout. Nothing but ``data:`` addresses is loaded."""

from __future__ import annotations

import logging
import resource
import sys

from hub.host.pdf import MAX_HTML, REFUSED

MEMORY = 2 << 30  # bytes of address space: a hostile page ends here, not the computer
SECONDS = 60


def main() -> int:
    """Set one page; the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    # after the limits, so that its libraries are held to them too
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    page = sys.stdin.buffer.read(MAX_HTML + 1)
    try:
        made = HTML(string=page.decode(), url_fetcher=URLFetcher(allowed_protocols=["data"])).write_pdf()
    except (UnicodeDecodeError, ValueError) as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201 - the parent tells it on
        return REFUSED
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
