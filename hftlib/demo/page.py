"""The demo's page: each chapter with what was typed, what was seen, and where to look next.

    write_page(folder, chapters, seconds, own)      folder/index.html, which needs nothing else

`own` is the environment that the commands ran in, for whoever types them again.

Worst case: the picture of a session, some 80 kB.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from hftlib.demo.desk import Typed
from hftlib.promote.judging import PAGE_STYLE

_STYLE = (
    PAGE_STYLE + "h2{margin-top:2.2rem;border-top:1px solid #8884;padding-top:1rem}"
    "pre{font-size:13px;white-space:pre-wrap}.s{color:#8a8f98;float:right}"
    ".good{color:#2d8a57;font-weight:600}.bad{color:#c8453c;font-weight:600}"
    "ol.path{display:flex;flex-wrap:wrap;gap:.4rem;padding:0;list-style:none}"
    "ol.path li{background:#8882;border-radius:.4rem;padding:.2rem .6rem}"
    ".s{padding-left:1rem}"
)
_NEXT = (
    ("notebooks/02_first_strategy.ipynb", "a strategy of your own, cell by cell: make lab"),
    ("notebooks/strategies/", "copies of these are how one that is to trade begins"),
    ("docs/promotion.md", "the gates, what each asks, and gates of your own"),
    ("docs/rollout.md", "stages, conditions, two people, and back"),
    ("docs/live.md", "what the runner can be told, and what a watchdog does without it"),
    ("docs/risk.md", "who says no, and why"),
)


@dataclass(frozen=True)
class Chapter:
    """One step of the story: `html` is what is to be seen of it besides."""

    word: str
    sentence: str
    typed: Sequence[Typed]
    html: str = ""


def write_page(
    folder: Path, chapters: Sequence[Chapter], seconds: float, own: Mapping[str, str]
) -> Path:
    """The page of all chapters."""
    path = "".join(f"<li>{_safe(one.word)}</li>" for one in chapters)
    body = "".join(map(_chapter, chapters))
    rows = "".join(f"<tr><td>{_safe(a)}</td><td>{_safe(b)}</td></tr>" for a, b in _NEXT)
    words = " ".join(f"{name}={value}" for name, value in own.items())
    page = folder / "index.html"
    page.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width"><meta name=color-scheme '
        'content="light dark"><title>From a notebook to a champion, and back</title>'
        f"<style>{_STYLE}</style><h1>From a notebook to a champion, and back</h1>"
        f"<p>All of it ran on this machine, in {seconds:.0f} seconds. Every line below that begins"
        " with $ can be typed again, after this one:</p>"
        f"<pre>$ export {_safe(words)}</pre><ol class=path>{path}</ol>{body}"
        f"<h2>Where to look next</h2><table>{rows}</table></html>\n",
        encoding="utf-8",
    )
    return page


def gates_table(told: Mapping[str, Any], report: PurePath) -> str:
    """The verdict of each gate, with a link to its own page below `report`."""
    rows = []
    for one in told["gates"]:
        kind = "good" if one["verdict"] == "pass" else "bad"
        rows.append(
            f'<tr><td><a href="{_safe(report)}/{_safe(PurePath(one["page"]).name)}">'
            f"{_safe(one['gate'])}</a></td><td class={kind}>{_safe(one['verdict'])}</td>"
            f"<td>{_safe(one['sentence'])}</td></tr>"
        )
    return f"<table><tr><th>gate</th><th></th><th>why</th></tr>{''.join(rows)}</table>"


def _chapter(one: Chapter) -> str:
    lines = "".join(
        f"<span class=s>{typed.seconds:.1f} s</span>$ {_safe(typed.words)}\n" for typed in one.typed
    )
    commands = f"<pre>{lines}</pre>" if lines else ""
    return f"<h2>{_safe(one.word)}</h2><p>{_safe(one.sentence)}</p>{one.html}{commands}"


def _safe(text: Any) -> str:
    return html.escape(str(text))
