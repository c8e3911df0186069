"""The page on paper: a PDF by WeasyPrint, which is an extra of its own.

    write_pdf(page, path)            `pip install 'hftlib[report]'`

Nothing is fetched: a page that names anything outside of itself is refused there, and gets a blank.
WeasyPrint draws lines of SVG in their full colour, so what is to be faint is given a faint one.
Worst case: some seconds for a report of twenty pages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError
from hftlib.research.journal_files import whole_file

_FAINT = re.compile(r'stroke="currentColor"(?P<between>[^>]*?) stroke-opacity="(?P<much>[0-9.]+)"')


def write_pdf(page: str, path: Path) -> None:
    """Make it; a sentence where the package is missing."""
    try:
        from weasyprint import HTML  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:  # OSError: a library of the system that it needs
        missing = isinstance(error, ImportError)
        raise HostError(
            "There is no WeasyPrint here, which makes the PDF"
            if missing
            else f"WeasyPrint cannot load a library that it needs: {str(error)[:120]}",
            where=str(path),
            do="pip install 'hftlib[report]', or leave the PDF out: --no-pdf.",
        ) from None
    made = HTML(string=_FAINT.sub(_faint, page), url_fetcher=_nothing).write_pdf()
    with whole_file(path) as file:
        file.write(made)


def _faint(found: re.Match[str]) -> str:
    level = round(255 * (1 - 0.85 * float(found["much"])))
    return f'stroke="rgb({level},{level},{level})"{found["between"]}'


def _nothing(url: str, *_more: Any, **_settings: Any) -> dict[str, Any]:
    """What stands for anything outside."""
    raise ValueError(f"a report loads nothing, and not {url[:80]}")
