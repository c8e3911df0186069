"""Something that is drawn once: a widget of a piece, and a page of it for who has no kernel."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from hftlib.lab import cells
from hftlib.lab.live import still_of
from hftlib.lab.piece import PieceWidget, plain


class Picture:
    """One piece with its data; `told` is that data."""

    def __init__(self, piece: str, told: dict[str, Any], still: Callable[[Any], str]) -> None:
        self.told, self._still = told, still
        self.widget = PieceWidget((piece,), shown={piece: plain(told)})
        self.widget.still = secrets.token_hex(6)

    def _ipython_display_(self) -> None:
        cells.show(self.widget)
        cells.show_page(still_of(self.widget, lambda _made: self._still(self.told)))

    def __repr__(self) -> str:
        return f"<{self.told.get('title') or 'picture'}>"
