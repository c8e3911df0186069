"""Limits as the text of a file: what a journal keeps of `hft.Limits(...)`.

    text = limits_text(hft.Limits(position_lots=100))     TOML, as docs/risk.md has it
    limits_of(text, where)                                the same limits (`risk/limits_file.py`)

Worst case: none; names and values were checked when the limits were made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hftlib.risk.limits import Limits, as_written


def limits_text(limits: Limits) -> str:
    """All of it as TOML."""
    lines = [f"currency = {_value(limits.currency)}"] if limits.currency else []
    for level in ("instrument", "strategy", "portfolio"):
        for name, one in getattr(limits, level).items():
            lines.append(f"[{level}.{_value(name)}]")
            if level == "portfolio":
                lines.append(f"strategies = {_value(limits.members[name])}")
            lines += _limits(one)
    if limits.firm:
        lines += ["[firm]", *_limits(limits.firm)]
    for table, values in (
        ("rules", limits.rules),
        ("launch", limits.launch),
        ("rates", limits.rates),
    ):
        if values:
            lines += [f"[{table}]", *(f"{_value(k)} = {_value(v)}" for k, v in values.items())]
    return "\n".join([*lines, ""])


def _limits(one: Mapping[str, int]) -> list[str]:
    return [f"{name} = {as_written(name, value).replace(',', '')}" for name, value in one.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
