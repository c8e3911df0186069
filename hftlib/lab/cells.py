"""What is said to the notebook's cell: a widget, or a page that may be changed later.

Worst case: outside of a notebook nobody hears it.
"""

from __future__ import annotations

from typing import Any

import IPython.display as cell

_display: Any = cell.display
_html: Any = cell.HTML


def show(widget: Any) -> None:
    """Below the cell that runs."""
    _display(widget)


def show_page(text: str) -> Any:
    """HTML below the cell that runs; what is answered changes it by `change`."""
    return _display(_html(text), display_id=True)


def change(handle: Any, text: str) -> None:
    """Another page in the place of one that was shown; nothing where none was."""
    if handle is not None:
        handle.update(_html(text))
