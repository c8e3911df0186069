"""Strategies written as text, run as a file of their own: `# here` marks a line of interest."""

import itertools
import runpy
import textwrap

_HEAD = "import hftlib as hft\nimport math, random, time\nimport numpy as np\n\n"
_numbers = itertools.count()


def run_file(folder, text):
    """What the file defines, and the number of its marked line."""
    path = folder / f"idea_{next(_numbers)}.py"
    whole = _HEAD + textwrap.dedent(text)
    path.write_text(whole)
    lines = whole.splitlines()
    marked = [number for number, line in enumerate(lines, 1) if "# here" in line]
    return (lambda: runpy.run_path(str(path))), (marked or [0])[0]


def strategy_of(body):
    """A class with a parameter, some state and this body."""
    head = """
    @hft.strategy
    class Idea:
        clip: int = hft.param(100, low=1, high=1000)
        count: int = hft.state()
        fair: float = hft.state()
        window: float = hft.state(size=8)
    """
    return textwrap.dedent(head) + textwrap.indent(textwrap.dedent(body), "    ")
