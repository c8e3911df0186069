"""The files of the page and its pieces, as they lie in the package.

    assets.path("pieces/ladder.js")     where it lies
    assets.text("pieces/pieces.css")    what it says
    assets.PIECES                       the names of all pieces

There is no build step: what lies here is what a browser loads. Each piece is an ES module that
imports only from its own folder: `mount(root, options)` gives `{show(data), remove()}`.

Worst case: a name that leads out of the folder, or to nothing, is a sentence.
"""

from __future__ import annotations

from pathlib import Path

from hftlib.core.errors import InputError

PAGE = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PIECES = (
    *("alerts", "fills", "health", "journey", "ladder", "latency", "limits", "orders"),
    *("positions", "risk", "rollout", "runner"),
)


def path(name: str) -> Path:
    """Where a file of the page lies; a piece may be named without folder and ending."""
    wanted = f"pieces/{name}.js" if name in PIECES else name
    found = (PAGE / wanted).resolve() if "\0" not in wanted else PAGE
    if not found.is_relative_to(PAGE.resolve()) or not found.is_file() or found.suffix not in TYPES:
        do = f"Use a piece: {', '.join(PIECES)}; or a file of the page, as pieces/pieces.css."
        raise InputError(f"The page has no file {name!a}", where="hftlib.ops.desk.assets", do=do)
    return found


def text(name: str) -> str:
    """What a file of the page says."""
    return path(name).read_text(encoding="utf-8")


def kind(name: str) -> str:
    """The media type of a file of the page."""
    return TYPES[path(name).suffix]
