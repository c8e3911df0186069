"""The report of a promotion: an index of all verdicts, each gate's page, its executed notebook.

    write_report(folder, sentence, told, judged)      folder/index.html, promotion.json, 01_....html

It is written beside and then renamed, so that a report is there whole or not at all. The folder
stands by itself and is the evidence that goes with a release. Worst case: some MB of pictures.
"""

from __future__ import annotations

import html
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hftlib.promote.judging import PAGE_STYLE, Judged

_COLOURS = {True: "#2d8a57", False: "#c8453c", None: "#8a8f98"}
_FIGURES_MOST = 6


def write_report(
    folder: Path, sentence: str, told: Mapping[str, Any], judged: Sequence[Judged]
) -> None:
    """Put the report in its place, instead of the one before."""
    part = Path(tempfile.mkdtemp(prefix="report-", dir=folder.parent))
    try:
        for one in judged:
            for path in (one.notebook, one.page):
                if path.is_file():
                    shutil.copyfile(path, part / path.name)
        (part / "index.html").write_text(_index(sentence, told, judged), encoding="utf-8")
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
        (part / "promotion.json").write_text(text + "\n", encoding="utf-8")
        part.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _index(sentence: str, told: Mapping[str, Any], judged: Sequence[Judged]) -> str:
    candidate = told["candidate"]
    name = _safe(candidate["name"])
    about = {
        "strategy": candidate["strategy"],
        "parameters": ", ".join(f"{k} = {v}" for k, v in candidate["parameters"].items()),
        "module": f"{Path(candidate['module']).name}, SHA-256 {candidate['digest']}",
        "tapes": ", ".join(told["tapes"]),
        "MLflow run": told["mlflow_run"],
    }
    heads = "".join(
        f"<tr><td>{word}</td><td>{_safe(text)}</td></tr>" for word, text in about.items()
    )
    rows = "".join(map(_row, judged))
    rows += "".join(
        f"<tr><td>{_safe(name)}</td><td>not asked</td><td></td><td></td><td></td></tr>"
        for name in told["not_asked"]
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title>"
        f"<style>{PAGE_STYLE}</style><h1>{name}</h1>"
        f"<p><b>{_safe(sentence)}</b></p><table>{heads}</table><h2>Gates</h2>"
        "<table><tr><th>gate</th><th>verdict</th><th>why</th><th>figures</th><th>seconds</th></tr>"
        f"{rows}</table></html>\n"
    )


def _row(one: Judged) -> str:
    verdict = one.verdict
    figures = [f"{name}: {value}" for name, value in verdict.as_json()["figures"].items()]
    more = ["…"] if len(figures) > _FIGURES_MOST else []
    shown = "<br>".join(_safe(text) for text in [*figures[:_FIGURES_MOST], *more])
    return (
        f'<tr><td><a href="{one.page.name}">{_safe(one.gate)}</a></td>'
        f'<td style="color:{_COLOURS[verdict.passed]}">{verdict.word}</td>'
        f"<td>{_safe(verdict.sentence)}</td><td>{shown}</td><td>{one.seconds:.1f}</td></tr>"
    )


def _safe(text: Any) -> str:
    return html.escape(str(text))
