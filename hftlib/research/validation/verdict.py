"""A verdict: pass, fail or cannot tell, in a sentence, with the figures and the picture behind it.

    verdict.passed                True, False, or None where it cannot be told
    verdict.sentence, .figures    why, and the numbers it was judged by
    verdict                       in a notebook the sentence, a table, the picture
    verdict.as_json()             for machines; a notebook's output has it as the kind `MIME`
    verdict_of(told)              the same verdict, without pictures and tables, from that

A gate is a notebook that ends with a verdict: who ran it reads the verdict out of the executed
file, and takes nothing for one that says less than all of it. Worst case: a picture is some 50 kB
of SVG.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hftlib.core.errors import InputError
from hftlib.research.sheets import Sheet, Shown

MIME = "application/vnd.hftlib.verdict+json"
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

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook keeps: for machines, as a page, as text."""
        return {MIME: self.as_json(), "text/html": self._repr_html_(), "text/plain": str(self)}

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


def verdict_of(told: Any) -> Verdict:
    """The verdict of which `as_json` said this; anything else is refused."""
    kinds = {"name": str, "verdict": str, "sentence": str, "figures": dict}
    whole = isinstance(told, dict) and set(told) == {*kinds, "passed"}
    if not whole or not all(isinstance(told[name], kind) for name, kind in kinds.items()):
        raise _no_verdict("it lacks a part, or has one of a wrong kind")
    known = [passed for passed in WORDS if passed is told["passed"]]
    if not known or WORDS[known[0]] != told["verdict"]:
        raise _no_verdict("it does not say the same to people and to machines")
    if not told["name"].strip() or not told["sentence"].strip():
        raise _no_verdict("it gives no reason")
    return Verdict(told["name"], known[0], told["sentence"], told["figures"])


def _no_verdict(why: str) -> InputError:
    return InputError(
        f"This is no verdict: {why}", where=MIME, do="Let the notebook end with a Verdict."
    )


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
