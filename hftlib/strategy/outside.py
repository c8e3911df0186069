"""What a method may use of the world around its class: constants, and some functions of `math`.

Whatever the name stands for is known when the class is made, and stays so: code that is compiled
cannot see a global change. Worst case: a value of a kind that no rule names is left to the
compiler.
"""

from __future__ import annotations

import ast
from types import FunctionType, ModuleType
from typing import Any

from hftlib.strategy.fields import nearest
from hftlib.strategy.saying import MODULES, WANDERING
from hftlib.strategy.source import Source


def check_of_module(source: Source, node: ast.Attribute, module: ModuleType) -> None:
    """`module.name` in a method."""
    name = module.__name__.partition(".")[0]
    if name in WANDERING:
        what, do = WANDERING[name]
        raise source.error(what, node.lineno, do)
    if name in MODULES:
        allowed, do = MODULES[name]
        if node.attr not in allowed:
            what = f"{name}.{node.attr} cannot be used in a callback"
            raise source.error(what, node.lineno, do)
    elif not hasattr(module, node.attr):
        do = nearest(node.attr, [known for known in dir(module) if known[0] != "_"], "name")
        raise source.error(f"{name} has no {node.attr!r}", node.lineno, do)
    else:
        check_value(source, node, ast.unparse(node), getattr(module, node.attr))


def check_value(source: Source, node: ast.expr, name: str, value: Any) -> None:
    """A name of the module, or of the function around the class."""
    is_module = isinstance(value, ModuleType)
    home = value.__name__ if is_module else getattr(value, "__module__", None) or ""
    top = home.partition(".")[0]
    if top in WANDERING:
        what, do = WANDERING[top]
        raise source.error(what, node.lineno, do)
    if top == "numpy" and not is_module and not isinstance(value, int | float):
        do = f"Write math.{name} or np.{name}; arrays are hft.state(size=32)."
        raise source.error(f"{name!r} is a function of numpy's", node.lineno, do)
    is_plain = isinstance(value, FunctionType) and not hasattr(value, "is_compiled")
    if is_plain and top != "hftlib":
        do = "Make it a method of the class, or decorate it with @hft.jit.compiled()."
        raise source.error(f"{name!r} is a plain Python function", node.lineno, do)
    if isinstance(value, list | dict | set | str):
        do = "Use a number or a tuple of numbers, or hft.state(size=...)."
        raise source.error(f"{name!r} is a {type(value).__name__}", node.lineno, do)
