"""Notebooks for tests: cells as text, and a file of them as JupyterLab writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

IMPORTS = "#| export\nimport hftlib as hft"
PARAMETERS = "edge_ticks = 2\nseconds = 60"
RESEARCH = "print(seconds)"
STRATEGY = '''#| export
@hft.strategy
class Maker:
    """Quote around the middle."""

    edge_ticks: int = hft.param(1, low=1, high=5)
    clip: int = hft.param(100, low=1)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both and b.is_open:
            edge = self.edge_ticks * b.tick
            ctx.quote(i, bid=b.mid - edge, ask=b.mid + edge, quantity=self.clip)
'''


def code(source: str, *tags: str) -> dict[str, Any]:
    """One cell of code."""
    metadata = {"tags": list(tags)} if tags else {}
    made = {"cell_type": "code", "metadata": metadata, "source": source}
    return {**made, "outputs": [], "execution_count": None, "id": "x"}


def sound(*more: str, parameters: str = PARAMETERS, strategy: str = STRATEGY) -> list[Any]:
    """Cells that export, with `more` marked cells before the strategy."""
    return [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A maker\n", "It quotes."]},
        code(parameters, "parameters"),
        code(IMPORTS),
        *(code(f"#| export\n{text}") for text in more),
        code(strategy),
        code(RESEARCH),
    ]


def notebook(place: Path, cells: list[Any], **about: Any) -> Path:
    """Write a notebook and give its path; a folder becomes `idea.ipynb` in it."""
    path = place / "idea.ipynb" if place.is_dir() else place
    told = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **about}
    path.write_text(json.dumps(told))
    return path
