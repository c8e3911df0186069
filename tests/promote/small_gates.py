"""Gates that take no time: notebooks of a few lines, a plan over them, a module to be judged."""

from __future__ import annotations

import json
from pathlib import Path

from hftlib.promote.plan import read_plan

PASS = """from hftlib.research.validation.verdict import Verdict
Verdict("Quick", True, f"{strategy} is above {least}.", {"least": least, "share": 0.5})"""
FAIL = PASS.replace("True", "False").replace("above", "below")
PARAMETERS = 'module = "m.py"\nstrategy = "S"\nparameters = {}\nleast = 1'
MODULE = '''"""A strategy that quotes nothing."""

import hftlib as hft


@hft.strategy
class Idle:
    edge: int = hft.param(1, low=1, high=9)

    def on_book(self, ctx, i):
        pass
'''
HEAD = """notebooks = "gates"

[market]
order_latency = "250us"
feed_latency = "50us"
queue = "auto"
maker = "0%"
taker = "0%"
limits = "limits.toml"

[days]
symbols = 1
seconds = 5
rate = 10
seeds = [1]
unseen_seeds = [2]
"""


def notebook(path: Path, *cells: str, parameters: str | None = PARAMETERS, tags: int = 1) -> Path:
    """A notebook of these cells, the first of which is that of parameters, so many times."""
    made = []
    for _ in range(tags if parameters is not None else 0):
        made.append({"metadata": {"tags": ["parameters"]}, "source": parameters})
    made += [{"metadata": {}, "source": text} for text in cells]
    for number, cell in enumerate(made):
        cell |= {"cell_type": "code", "id": str(number), "execution_count": None, "outputs": []}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    told = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))
    return path


def section(name: str, seconds: int = 60, lines: str = "least = 3") -> str:
    return f"\n[gates.{name}]\nseconds_max = {seconds}\n{lines}\n"


def desk(folder: Path, **gates: str) -> Path:
    """A plan with a notebook for each of these gates; the file of the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "limits.toml").write_text("[firm]\nmessages = 100\n")
    (folder / "idle.py").write_text(MODULE)
    for name, text in gates.items():
        notebook(folder / "gates" / f"{name}.ipynb", text)
    plan = folder / "promotion.toml"
    plan.write_text(HEAD + "".join(map(section, gates)))
    return plan


def gate(folder: Path, text: str, seconds: int = 60):
    """One gate of this text."""
    plan = desk(folder, **{"01_quick": text})
    plan.write_text(HEAD + section("01_quick", seconds))
    return read_plan(plan).gates["01_quick"]
