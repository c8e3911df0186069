"""The files of the page, which are part of the package: read once each, and no others.

    statics.answer("pieces/ladder.js")

What is not among the files that were there when the desk started is not found, whatever its path
says. Worst case: the files' own size in memory.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.responses import Response

from hftlib.ops.desk.answers import Answer

FOLDER = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


class Statics:
    """All of them."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.suffix in TYPES and path.is_file()
        }

    def answer(self, name: str) -> Response:
        path = self._files.get(name)
        if path is None:
            raise Answer(404, "There is nothing here", where="the page", do="Open /.")
        return Response(_bytes(path), headers={"content-type": TYPES[path.suffix]})


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()
