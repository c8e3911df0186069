"""Several verdicts as one: a gate that asks more than one question ends with one answer.

    joined("Overfitting", {"pbo": one, "deflated": answer("Sharpe", lambda: sharpe(pnl))})

One that fails fails all; one that cannot be told leaves it untold; the sentence is of the parts
that decided. Worst case: none, parts are a handful.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

from hftlib.core.errors import HftError
from hftlib.research.validation.verdict import Verdict


def answer(name: str, ask: Callable[[], Verdict]) -> Verdict:
    """What is asked; a question that is refused, such as one of too short a day, is untold."""
    try:
        return ask()
    except HftError as error:
        return Verdict(name, None, str(error))


def joined(name: str, parts: Mapping[str, Verdict]) -> Verdict:
    """Pass if all pass."""
    answers = [one.passed for one in parts.values()]
    passed = False if False in answers else None if None in answers else True
    told = [one for one in parts.values() if one.passed is passed]
    figures: dict[str, Any] = {}
    for key, one in parts.items():
        figures[key] = one.word
        figures |= {f"{key}: {figure}": value for figure, value in one.figures.items()}
    pages = [
        f"<h4>{html.escape(key)}: {one.word}</h4><p>{html.escape(one.sentence)}</p>{one.picture}"
        for key, one in parts.items()
    ]
    tables = tuple(sheet for one in parts.values() for sheet in one.tables)
    sentence = " ".join(f"{one.name}: {_ended(one.sentence)}" for one in told)
    return Verdict(name, passed, sentence, figures, "".join(pages), tables)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
