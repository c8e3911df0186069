"""A report as a folder: page, PDF, figures, exports, and a manifest over all of them.

    saved(report, Path("report"))            report.html, report.pdf, report.json, *.csv, ...

A folder gets its name once all of it is there. What cannot be made (no WeasyPrint, a full disk)
leaves nothing behind. Worst case: the PDF, some seconds.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError
from hftlib.research.day.exports import write_tables
from hftlib.research.day.manifest import write_manifest
from hftlib.research.day.page import whole
from hftlib.research.day.pdf import write_pdf
from hftlib.research.journal_files import there_already, whole_file
from hftlib.terminal import patience

HTML, PDF, JSON = "report.html", "report.pdf", "report.json"


def saved(report: Any, folder: Path, *, pdf: bool = True) -> Path:
    """Make it; `report.digest` is then that of its manifest."""
    if folder.exists() or folder.is_symlink():
        raise there_already(folder)
    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        with patience() as advance:
            _fill(report, part, pdf, advance)
        report.digest = write_manifest(part, report.sessions)
        part.chmod(0o755)
        part.rename(folder)
    except OSError as error:
        raise HostError(
            f"The report cannot be written: {error.strerror or error}",
            where=str(folder),
            do="Name a place that exists, that you may write, and that has room.",
        ) from None
    finally:
        if part is not None and part.exists():
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _fill(report: Any, part: Path, pdf: bool, advance: Any) -> None:
    advance(0.0, "the page")
    page = whole(report)
    with whole_file(part / HTML) as file:
        file.write(page.encode("utf-8", "replace"))
    told = json.dumps(report.figures, indent=1, ensure_ascii=False, allow_nan=False)
    with whole_file(part / JSON) as file:
        file.write(f"{told}\n".encode("utf-8", "replace"))
    write_tables(report.tables, part, lambda done, what: advance(0.1 + 0.4 * done, what))
    if pdf:
        advance(0.5, "the PDF")
        write_pdf(page, part / PDF)
