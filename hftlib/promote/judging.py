"""One gate: its notebook is run in a real kernel, and its verdict read out of what it left.

    judged = judge(gate, parameters, folder)     folder/NAME.ipynb, folder/NAME.html
    judged.verdict.passed

Only a notebook that ran to its end within its time and has shown exactly one Verdict has answered.
Everything else (a cell's error, a kernel that died or hangs, no verdict, two) is "cannot tell",
with the reason as its sentence, and that is no pass. The executed notebook is kept in each case.

Worst case: the gate's `seconds_max`, and some seconds to start a kernel and to end one that hangs.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError, InputError
from hftlib.promote.plan import Gate, parameters_of
from hftlib.research.validation.verdict import MIME, Verdict, verdict_of

KERNEL_SECONDS_MAX = 180
PAGE_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#8881;padding:.6rem;overflow:auto}table{border-collapse:collapse}"
    "td,th{padding:.15rem .6rem;text-align:left;border-bottom:1px solid #8884}"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Judged:
    """What a gate said, how long it took, and where it can be read."""

    gate: str
    verdict: Verdict
    seconds: float
    notebook: Path
    page: Path
    is_final: bool  # whether the notebook itself has answered; else it is asked again next time


def judge(gate: Gate, parameters: Mapping[str, Any], folder: Path) -> Judged:
    """Run the gate's notebook with these parameters."""
    unknown = sorted(set(parameters) - set(parameters_of(gate.notebook)))
    if unknown:
        raise InputError(
            f"The notebook has no parameter {', '.join(unknown)}",
            where=str(gate.notebook),
            do="Name them in its `parameters` cell, or leave them out.",
        )
    executed, page = folder / f"{gate.name}.ipynb", folder / f"{gate.name}.html"
    started = time.perf_counter()
    why = _execute(gate, parameters, executed)
    verdict, is_final = (_untold(gate, why), False) if why else _read(gate, executed)
    seconds = time.perf_counter() - started
    _write_page(gate, executed, page, verdict)
    return Judged(gate.name, verdict, seconds, executed, page, is_final)


def _execute(gate: Gate, parameters: Mapping[str, Any], executed: Path) -> str:
    """Run it; why it did not come to its end, or nothing."""
    try:
        import papermill
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
    except ImportError as error:
        raise HostError(
            f"What runs notebooks is not installed: {error}",
            where="the gates",
            do="Install the research packages: pip install 'hftlib[research]'.",
        ) from None
    # That a kernel died, and that nobody asks its waiters any more, is told from below.
    for name in ("asyncio", "traitlets", "papermill"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    until = time.monotonic() + gate.seconds_max
    try:
        papermill.execute_notebook(
            gate.notebook,
            executed,
            parameters=dict(parameters),
            kernel_name="python3",
            # Where the kernel runs. `cwd` would move this process there, with every other thread.
            resources={"metadata": {"path": str(executed.parent)}},
            start_timeout=KERNEL_SECONDS_MAX,
            # The limit is of the gate, not of each cell: a cell has what those before it left.
            timeout_func=lambda _cell: max(1, int(until - time.monotonic())),
            progress_bar=False,
            request_save_on_cell_execute=False,
            extra_arguments=["--log-level=CRITICAL"],
        )
    except papermill.PapermillExecutionError as error:
        return f"its cell {error.exec_count} failed: {error.ename}: {_plain(error.evalue)}"
    except CellTimeoutError:
        return f"it was not done after {gate.seconds_max:,} s, its time limit"
    except DeadKernelError:
        return "its kernel died: it may have run out of memory, or was killed"
    except RuntimeError as error:  # of a kernel that never came up
        return f"its kernel did not start: {_plain(str(error))}"
    return ""


def _read(gate: Gate, executed: Path) -> tuple[Verdict, bool]:
    """The one verdict of an executed notebook."""
    found = [
        output["data"][MIME]
        for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    if len(found) != 1:
        many = (
            "no verdict" if not found else f"{len(found)} verdicts, and nobody knows which counts"
        )
        return _untold(gate, f"it ended with {many}"), False
    try:
        return verdict_of(found[0]), True
    except HftError as error:
        return _untold(gate, error.what), False


def _untold(gate: Gate, why: str) -> Verdict:
    return Verdict(gate.title, None, f"The gate has not answered: {why}.")


def _plain(text: str) -> str:
    """The first line of an error, without colours."""
    lines = _COLOURS.sub("", text).strip().splitlines()
    return lines[0].rstrip(".") if lines else "without a word"


def _write_page(gate: Gate, executed: Path, page: Path, verdict: Verdict) -> None:
    """The executed notebook as one page of HTML, which a person can read without Jupyter."""
    from nbconvert import HTMLExporter

    top = f"<p><b>{verdict.word}</b>: {_escaped(verdict.sentence)}</p>"
    body = ""
    if executed.is_file():
        exporter: Any = HTMLExporter
        body, _ = exporter(template_name="basic").from_filename(str(executed))
    page.write_text(
        f"<!doctype html><meta charset=utf-8><title>{_escaped(gate.title)}</title>"
        f"<style>{PAGE_STYLE}</style>{top}{body}",
        encoding="utf-8",
    )


def _escaped(text: str) -> str:
    import html

    return html.escape(text)
