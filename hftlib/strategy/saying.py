"""What callbacks may not say, each with its reason and what to write instead.

Three tables: forms of Python, built-in functions, and modules. A callback works on numbers and on
its own fields: the same inputs give the same orders, and nothing takes memory.

Worst case: a form that no table has is left to the compiler.
"""

from __future__ import annotations

import ast

_LIST = ("A list is made anew at each call", "Keep numbers in hft.state(size=32) and index it.")
_TEXT = ("Text cannot be part of a callback", "Use numbers; text belongs in results.")

_IMPORT = ("A callback imports nothing", "Import at the top of the file or cell.")
_ASYNC = ("A callback runs to its end at once", "Write it without async, await and yield.")
_WITHIN = ("A function or class inside of a method cannot be compiled", "Make it a method.")

NODES: dict[type[ast.AST], tuple[str, str]] = {
    ast.List: _LIST,
    ast.ListComp: _LIST,
    ast.SetComp: _LIST,
    ast.DictComp: _LIST,
    ast.GeneratorExp: ("A generator cannot be compiled", "Write a for loop."),
    ast.Dict: ("A dict is made anew at each call", "Keep numbers in fields, or in an array."),
    ast.Set: _LIST,
    ast.JoinedStr: _TEXT,
    ast.Import: _IMPORT,
    ast.ImportFrom: _IMPORT,
    ast.With: ("A callback opens nothing, so `with` has no use", "Do such work outside of a run."),
    ast.Try: (
        "A callback cannot catch exceptions",
        "Test beforehand: `if x != 0:`; what is raised ends the run with its line.",
    ),
    ast.Yield: _ASYNC,
    ast.YieldFrom: _ASYNC,
    ast.Await: _ASYNC,
    ast.AsyncFor: _ASYNC,
    ast.AsyncWith: _ASYNC,
    ast.Lambda: _WITHIN,
    ast.FunctionDef: _WITHIN,
    ast.AsyncFunctionDef: _WITHIN,
    ast.ClassDef: _WITHIN,
    ast.Global: ("A global variable would be out of sight", "Keep it in a field: hft.state()."),
    ast.Nonlocal: ("A variable outside would be out of sight", "Keep it in a field: hft.state()."),
    ast.Delete: ("Nothing can be deleted: all memory is laid out once", "Set it to 0."),
    ast.Match: ("`match` cannot be compiled", "Write if and elif."),
    ast.NamedExpr: ("`:=` is not compiled", "Assign on a line of its own."),
}
_DEBUG = "Run with compiled=False to look at values; keep what you want to see in hft.state()."
_PRINT = ("print() has no place in compiled code", _DEBUG)
# Refused by the compiler only.
LOOKING = {
    "print": _PRINT,
    "breakpoint": ("A breakpoint stops only uncompiled runs", "Run with compiled=False."),
}
_FILES = ("A callback reads and writes no file", "Read it before the run, into params or state.")
_OBJECTS = ("This makes a new object at each call", "Keep it in hft.state(size=32).")
_LOOKS = ("Names are fixed when compiling", "Write the field by its name.")
CALLS: dict[str, tuple[str, str]] = {
    "input": _FILES,
    "open": _FILES,
    **dict.fromkeys(("list", "dict", "set", "tuple", "frozenset", "bytes", "sorted"), _OBJECTS),
    **dict.fromkeys(("str", "repr", "format", "chr", "ord", "ascii", "bin", "hex"), _TEXT),
    **dict.fromkeys(("getattr", "setattr", "hasattr", "vars", "dir", "type", "isinstance"), _LOOKS),
    **dict.fromkeys(("eval", "exec", "compile", "globals", "locals", "super"), _LOOKS),
    **dict.fromkeys(
        ("map", "filter", "sum", "any", "all", "iter", "next"),
        ("This goes over items of Python's", "Write a for loop."),
    ),
    "pow": ("pow() is not compiled", "Write x ** y."),
    "hash": ("hash() differs from run to run", "Compare the numbers themselves."),
    "id": ("id() differs from run to run", "Compare the numbers themselves."),
    "divmod": ("divmod() is not compiled", "Write // and %."),
}

_TIME = ("A clock makes runs that cannot be repeated", "Time is ctx.time, in ns since the epoch.")
_CHANCE = (
    "Chance makes runs that cannot be repeated",
    "Compute it from ctx.time or from a counter in hft.state().",
)
_FRAMES = ("A table of Python's has no place in a callback", "Keep numbers in hft.state(size=32).")
# Modules whose every use makes a run that cannot be repeated, or cannot be compiled.
WANDERING: dict[str, tuple[str, str]] = {
    "time": _TIME,
    "datetime": _TIME,
    "random": _CHANCE,
    "secrets": _CHANCE,
    "uuid": _CHANCE,
    "os": _FILES,
    "sys": _FILES,
    "pathlib": _FILES,
    "logging": _PRINT,
    "pandas": _FRAMES,
    "collections": _FRAMES,
}
# Functions of `math` that give the same in both modes, and those that need no care for that.
MATH_NAMES = (
    "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan asin acos atan atan2 tanh erf erfc fabs "
    "copysign pow"
)
PLAIN_MATH_NAMES = "isnan isinf isfinite floor ceil trunc pi e inf nan tau"
NUMPY_NAMES = (
    "exp log log2 log10 log1p sqrt tanh abs absolute arctan power isnan isinf isfinite pi inf nan e"
)
_MATH = sorted(f"{MATH_NAMES} {PLAIN_MATH_NAMES}".split())
MODULES: dict[str, tuple[list[str], str]] = {
    "math": (_MATH, f"Use one of math.{', '.join(_MATH)}."),
    "numpy": (
        NUMPY_NAMES.split(),
        "Arrays are hft.state(size=32), chance and clocks are out; use math.sqrt and the like.",
    ),
}


def number_from_text(node: ast.Call) -> tuple[str, str] | None:
    """What to say of float("nan") and the like; None for any other call."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in ("float", "int") or len(node.args) != 1:
        return None
    given = node.args[0]
    if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
        return None
    text = given.value.strip().lower()
    meant = {"nan": "math.nan", "inf": "math.inf", "infinity": "math.inf"}.get(text.lstrip("+-"))
    sign = "-" if text.startswith("-") and meant == "math.inf" else ""
    do = f"Write {sign}{meant}, with `import math` above." if meant else "Write the number itself."
    return f"{name}() of a text cannot be compiled", do
