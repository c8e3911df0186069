"""How a strategy shows itself: its parameters with types, defaults, bounds and what they are for.

As text for a terminal and for the class in a notebook, as HTML for one with its values.
Worst case: none, it is read by people.
"""

from __future__ import annotations

import html
import inspect
from typing import Any

from hftlib.strategy.plans import Plan

_HEADS = ("parameter", "type", "default", "bounds", "")
_CELL = "padding:2px 10px;text-align:left;border:none"


def parameters_text(plan: Plan) -> str:
    """A line for each parameter, below a line of headings."""
    rows = [_HEADS, *_rows(plan)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) for r in rows)
    return "\n".join(line.rstrip() for line in lines)


def class_text(plan: Plan) -> str:
    """The class: its name and first line of doc, and its parameters."""
    doc = inspect.cleandoc(plan.doc or "").partition("\n")[0]
    head = f"Strategy {plan.name}" + (f": {doc}" if doc else "")
    if not plan.params:
        return f"{head}\nIt has no parameters."
    return f"{head}\n{parameters_text(plan)}"


def strategy_html(plan: Plan, values: dict[str, Any]) -> str:
    """A strategy with the values it has; one that is not the default stands out."""
    doc = html.escape(inspect.cleandoc(plan.doc or ""))
    parts = [f"<div class='hft-strategy'><b>Strategy {html.escape(plan.name)}</b>"]
    parts += [f"<div style='white-space:pre-line;opacity:.8'>{doc}</div>"] if doc else []
    if not plan.params:
        return "".join([*parts, "<div>It has no parameters.</div></div>"])
    heads = (_HEADS[0], "value", *_HEADS[1:])
    parts.append("<table><tr>" + "".join(f"<th style='{_CELL}'>{head}</th>" for head in heads))
    for name, *rest in _rows(plan):
        text = html.escape(repr(values[name]))
        changed = values[name] != getattr(plan.params[name].declared, "default", None)
        cells = [html.escape(name), f"<b>{text}</b>" if changed else text, *map(html.escape, rest)]
        parts.append("</tr><tr>" + "".join(f"<td style='{_CELL}'>{cell}</td>" for cell in cells))
    return "".join([*parts, "</tr></table></div>"])


def _rows(plan: Plan) -> list[tuple[str, str, str, str, str]]:
    made = []
    for name, item in plan.params.items():
        declared: Any = item.declared
        low, high = declared.low, declared.high
        bounds = "" if low is None and high is None else f"{_shown(low)} to {_shown(high)}"
        if declared.choices is not None:
            bounds = ", ".join(map(str, declared.choices))
        made.append((name, item.kind.__name__, str(declared.default), bounds, declared.help))
    return made


def _shown(bound: Any) -> str:
    return "…" if bound is None else str(bound)
