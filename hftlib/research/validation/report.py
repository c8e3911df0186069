"""All verdicts on one page.

    report = hft.validate(sweep)
    report.passed                       True, False, or None where something cannot be told
    report.verdict("walk_forward_anchored"), report.verdicts
    report.as_json(), report.save("validation.html")

One fail fails the page. What was left out is named with its reason: nobody should think that it
passed. Worst case: some 50 kB for each verdict with a picture.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.validation.verdict import WORDS, Verdict

_COLOURS = {True: "#2d8a57", False: "#c8453c", None: "#8a8f98"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto }}
table {{ border-collapse: collapse; font-size: 13px; margin: .6em 0 }}
td, th {{ padding: 2px 10px; text-align: left; border-bottom: 1px solid #8884 }}
caption {{ text-align: left; font-weight: 600 }}
</style></head><body>{body}</body></html>
"""


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """What `hft.validate` answers."""

    title: str
    verdicts: tuple[Verdict, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()  # what each is asked for by, beside its name

    @property
    def passed(self) -> bool | None:
        """False where one fails, None where none fails and one cannot be told."""
        every = [one.passed for one in self.verdicts]
        if False in every:
            return False
        return None if None in every or not every else True

    def __bool__(self) -> bool:
        """Only what is known to be good is good."""
        return self.passed is True

    @property
    def sentence(self) -> str:
        """How many pass, and which do not."""
        groups = {
            word: [one.name for one in self.verdicts if one.passed is passed]
            for passed, word in WORDS.items()
        }
        parts = [f"{len(groups['pass'])} of {len(self.verdicts)} pass"]
        if groups["fail"]:
            parts.append(f"{', '.join(groups['fail'])}: fail")
        if groups["cannot tell"]:
            parts.append(f"{', '.join(groups['cannot tell'])}: cannot tell")
        return "; ".join(parts) + "."

    def verdict(self, name: str) -> Verdict:
        """The answer to one question, by its key or its name."""
        known = dict(zip(self.keys, self.verdicts, strict=False))
        every = {**{one.name: one for one in self.verdicts}, **known}
        asked = name if isinstance(name, str) else ""
        if asked in every:
            return every[asked]
        near, why = get_close_matches(asked, every, n=1), self.left_out.get(asked, "")
        listed = f"There is {', '.join(known or every) or 'none'}."
        do = why or (f"Did you mean {near[0]!r}? {listed}" if near else listed)
        raise InputError(f"There is no verdict {shown(name)}", where="report.verdict(...)", do=do)

    def sheets(self) -> list[Sheet]:
        rows: list[tuple[Any, ...]] = [(one.name, one.word, one.sentence) for one in self.verdicts]
        made = [Sheet(f"{self.title}: {WORDS[self.passed]}. {self.sentence}", ("", "", ""), rows)]
        if self.left_out:
            made.append(Sheet("Left out", ("", "why"), list(self.left_out.items())))
        return made

    def as_json(self) -> dict[str, Any]:
        """Everything but pictures, ready for `json.dumps`."""
        keys = self.keys or tuple(one.name for one in self.verdicts)
        return {
            "title": self.title,
            "passed": self.passed,
            "verdict": WORDS[self.passed],
            "sentence": self.sentence,
            "about": dict(self.about),
            "verdicts": [
                {"key": key, **one.as_json()} for key, one in zip(keys, self.verdicts, strict=True)
            ],
            "left_out": dict(self.left_out),
        }

    def save(self, path: Path | str) -> Path:
        """The page as one HTML file that needs nothing else."""
        place = Path(path)
        body = self._repr_html_()
        try:
            place.write_text(_PAGE.format(title=html.escape(self.title), body=body), "utf-8")
        except OSError as error:
            what = f"{place} cannot be written: {error.strerror or error}"
            do = "Name a file in a folder that is there and may be written."
            raise HostError(what, where="report.save(...)", do=do) from None
        return place

    def _repr_html_(self) -> str:
        head = (
            f"<h3>{html.escape(self.title)} "
            f'<span style="color:{_COLOURS[self.passed]}">{WORDS[self.passed]}</span></h3>'
            f"<p>{html.escape(self.sentence)}</p>"
        )
        rows = "".join(
            f'<tr><td>{html.escape(one.name)}</td><td style="color:{_COLOURS[one.passed]}">'
            f"{one.word}</td><td>{html.escape(one.sentence)}</td></tr>"
            for one in self.verdicts
        )
        facts = "".join(
            f"<tr><td>{html.escape(str(name))}</td><td>{html.escape(str(value))}</td></tr>"
            for name, value in self.about.items()
        )
        left = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(why)}</td></tr>"
            for name, why in self.left_out.items()
        )
        left = f"<table><caption>Left out</caption>{left}</table>" if left else ""
        pages = "".join(one._repr_html_() for one in self.verdicts)
        return f"<div>{head}<table>{rows}</table>{left}{pages}<table>{facts}</table></div>"
