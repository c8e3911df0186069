"""A widget of the desk's pieces: the same modules that the desk's page loads, in a notebook.

    PieceWidget(("runner", "positions"))      .shown = {"runner": ..., "positions": ...}

    web/adapter.js ─ mounts ─▶ ops/desk/page/pieces/NAME.js        or web/NAME.js, of our own
           ▲ shown: what each piece gets, by its name
    kernel ┘ ◀─ {"hft": "here"}, {"hft": "gone"}, and what a piece itself says

A notebook's page cannot fetch files of this package, so modules travel as text: each import is
replaced by the module itself, as a `data:` address; `@pieces/` is the desk's folder. One that
imports from elsewhere is refused.

Worst case: the text of all its modules is sent once for each widget, some tens of kilobytes.
"""

from __future__ import annotations

import base64
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError

try:
    import anywidget
    import traitlets
except ImportError:
    raise HostError(
        "Widgets need the package anywidget, which is not installed",
        where="hftlib.lab",
        do="Run `pip install 'hftlib[research]'`.",
    ) from None

WEB, _PIECES = Path(__file__).with_name("web"), "@pieces/"
_IMPORT = re.compile(
    r"""^((?:import|export)\s[^"';]*?\bfrom\s*|import\s*)(["'])([^"']+)\2""", re.MULTILINE
)


class PieceWidget(anywidget.AnyWidget):
    """Some pieces, one below the other; `shown` has what each of them gets."""

    shown = traitlets.Dict().tag(sync=True)
    order: Any = traitlets.List().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)
    is_live = traitlets.Bool(False).tag(sync=True)
    still = traitlets.Unicode("").tag(sync=True)

    def __init__(self, pieces: tuple[str, ...], **settings: Any) -> None:
        self._esm, self._css = module_of(pieces), styles()
        super().__init__(order=list(pieces), **settings)


@cache
def module_of(pieces: tuple[str, ...]) -> str:
    """One module that needs no other: the adapter over these pieces."""
    lines = [f'import adapter from "{_address(WEB / "adapter.js")}";']
    lines += [
        f'import * as piece{n} from "{_address(_place(name))}";' for n, name in enumerate(pieces)
    ]
    named = ", ".join(f'"{name}": piece{n}' for n, name in enumerate(pieces))
    return "\n".join([*lines, f"export default adapter({{ {named} }});", ""])


@cache
def styles() -> str:
    """The desk's style of pieces, and ours around them."""
    from hftlib.ops.desk import assets

    return "\n".join((assets.text("pieces/pieces.css"), (WEB / "lab.css").read_text()))


def plain(data: Any) -> Any:
    """The same as JSON can say it: what is not a number is nothing."""
    if isinstance(data, dict):
        return {str(name): plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _place(name: str) -> Path:
    own = WEB / f"{name}.js"
    return own if own.is_file() else _desk(f"{name}.js")


def _desk(name: str) -> Path:
    from hftlib.ops.desk import assets

    return Path(assets.path(f"pieces/{name}"))


def _address(place: Path) -> str:
    """A module as an address that is the module."""

    def within(found: re.Match[str]) -> str:
        head, quote, named = found.groups()
        if named.startswith(_PIECES):
            return f"{head}{quote}{_address(_desk(named.removeprefix(_PIECES)))}{quote}"
        if not named.startswith("."):
            raise InputError(
                f"A piece imports {named!r}, which no notebook can reach",
                where=str(place),
                do="Import by a relative path, from the package alone.",
            )
        return f"{head}{quote}{_address((place.parent / named).resolve())}{quote}"

    text = _IMPORT.sub(within, place.read_text())
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"
