"""A verdict: pass, fail or cannot tell, in a sentence, with the figures and the picture behind it.

    verdict.passed                True, False, or None where it cannot be told
    verdict.sentence, .figures    why, and the numbers it was judged by
    verdict                       in a notebook the sentence, a table, the picture
    verdict.as_json()             for gates and machines

Worst case: a picture is some 50 kB of SVG.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hftlib.research.sheets import Sheet, Shown

WORDS: dict[bool | None, str] = {True: "pass", False: "fail", None: "cannot tell"}
_COLOURS: dict[bool | None, str] = {True: "#2d8a57", False: "#c8453c", None: "#8a8f98"}


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """The answer to one question about a strategy."""

    name: str
    passed: bool | None
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    picture: str = ""  # inline SVG
    tables: tuple[Sheet, ...] = ()  # rows behind the figures, where there are many

    @property
    def word(self) -> str:
        return WORDS[self.passed]

    def __bool__(self) -> bool:
        """Only what is known to be good is good."""
        return self.passed is True

    def sheets(self) -> list[Sheet]:
        rows = [(name, _figure(value)) for name, value in self.figures.items()]
        title = f"{self.name}: {self.word}. {self.sentence}"
        return [Sheet(title, ("", ""), rows), *self.tables]

    def as_json(self) -> dict[str, Any]:
        figures = {name: _plain(value) for name, value in self.figures.items()}
        return {
            "name": self.name,
            "passed": self.passed,
            "verdict": self.word,
            "sentence": self.sentence,
            "figures": figures,
        }

    def _repr_html_(self) -> str:
        said = (
            f'<h4 style="margin:0.4em 0">{html.escape(self.name)} '
            f'<span style="color:{_COLOURS[self.passed]}">{self.word}</span></h4>'
            f"<p>{html.escape(self.sentence)}</p>"
        )
        cells = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(_figure(value))}</td></tr>"
            for name, value in self.figures.items()
        )
        table = f"<table>{cells}</table>" if cells else ""
        return f"<div>{said}{self.picture}{table}{''.join(one.html() for one in self.tables)}</div>"


def _figure(value: Any) -> str:
    """A number with as many digits as tell something."""
    if hasattr(value, "item"):  # numpy's
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """What JSON has a word for; what is not known is null."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
