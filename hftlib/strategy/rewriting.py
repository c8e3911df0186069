"""What is changed in a strategy's methods before either mode runs them; lines stay where they are.

    for x in y: ...            takes a step of the budget first, and raises when none is left
    self.count = value         of an int field: a float is refused instead of cut off
    self.window[k]             the index is checked, and an error knows its line
    int(x) round(x) floor ceil raise for what is no int64
    x / y                      zero is told with its line; likewise x // y and x % y
    x ** y                     the C library's pow; x ** 2 is x * x

Uncompiled, `math` and numpy give what machine code gives: not a number and infinity where Python
would raise. Both modes run the same rewritten methods; compiled they are numbered from the class's
first line, so that code which moved within its file is still the same code.

Worst case: a step costs some 0.5 ns in each turn of a loop.
"""

from __future__ import annotations

import ast
import math
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from hftlib.core.jit import checked
from hftlib.core.jit.kind_steps import out_of_steps
from hftlib.strategy.saying import MATH_NAMES, PLAIN_MATH_NAMES
from hftlib.strategy.source import Source

STEPS_SPENT = "the loop took more steps than one callback may take"
_ROUNDINGS = {
    "int": checked.TRUNCATED,
    "trunc": checked.TRUNCATED,
    "floor": checked.FLOOR,
    "ceil": checked.CEIL,
    "round": checked.ROUNDED,
}
_BUILT_IN = {
    int: "int",
    round: "round",
    math.floor: "floor",
    math.ceil: "ceil",
    math.trunc: "trunc",
}


class OutOfSteps(Exception):  # noqa: N818  (users read its name)
    """A callback's loops took more steps than its budget has."""


RESERVED: dict[str, Any] = {
    "_hft_out_of_steps": out_of_steps,
    "_hft_OutOfSteps": OutOfSteps,
    "_hft_whole": checked.whole,
    "_hft_to_int": checked.to_int,
    "_hft_within": checked.within,
    "_hft_divisor": checked.divisor,
    "_hft_power": checked.power,
    "_hft_square": checked.square,
}


def functions_of(
    source: Source,
    methods: dict[str, ast.FunctionDef],
    sizes: dict[str, int],
    whole_fields: set[str],
    compiled: bool,
) -> dict[str, FunctionType]:
    """The methods as Python functions, rewritten, ready to be run or compiled."""
    names = source.names()
    namespace = {**names, **RESERVED} if compiled else {**_as_machine_code(names), **RESERVED}
    namespace["__name__"] = source.namespace.get("__name__", "__main__")
    body: list[ast.stmt] = []
    for method in methods.values():
        copied = _copied(method)
        rewriter = _Rewriter(copied.args.args[0].arg, sizes, whole_fields, names, source)
        copied = rewriter.visit(copied)
        copied.decorator_list, copied.returns = [], None
        for argument in copied.args.args:
            argument.annotation = None
        body.append(ast.fix_missing_locations(copied))
    tree = ast.Module(body, type_ignores=[])
    if compiled:
        for statement in body:
            ast.increment_lineno(statement, 1 - source.first_line)
    found: dict[str, Any] = {}
    file = f"<hft {source.name}>" if compiled else source.file
    exec(compile(tree, file, "exec"), namespace, found)
    for name, function in found.items():
        function.__qualname__ = f"{source.name}.{name}"
    return found


def _copied(tree: Any) -> Any:
    """A tree of its own: what follows changes it in place."""
    if isinstance(tree, ast.AST):
        fresh = type(tree)(**{name: _copied(value) for name, value in ast.iter_fields(tree)})
        return ast.copy_location(fresh, tree) if hasattr(tree, "lineno") else fresh
    return [_copied(item) for item in tree] if isinstance(tree, list) else tree


class _Rewriter(ast.NodeTransformer):
    def __init__(
        self,
        self_name: str,
        sizes: dict[str, int],
        whole_fields: set[str],
        names: dict[str, Any],
        source: Source,
    ) -> None:
        self._self, self._sizes, self._whole = self_name, sizes, whole_fields
        self._names, self._first = names, source.first_line

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        node.body.insert(0, self._step(node))
        return node

    def visit_While(self, node: ast.While) -> Any:
        self.generic_visit(node)
        node.body.insert(0, self._step(node))
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        if any(self._is_whole(target) for target in node.targets):
            node.value = self._called("_hft_whole", node.value, node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        target = node.target
        if not isinstance(target, ast.Name) and not self._field(target):
            return self.generic_visit(node)
        load = _copied(target)
        load.ctx = ast.Load()
        value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        return self.visit_Assign(ast.copy_location(ast.Assign([target], value), node))

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        size = self._sizes.get(self._field(node) or "")
        if size is not None and not isinstance(node.slice, ast.Slice):
            node.slice = self._called("_hft_within", node, node.slice, size, self._line(node))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            if not (isinstance(node.right, ast.Constant) and node.right.value):
                node.right = self._called("_hft_divisor", node, node.right, self._line(node))
            return node
        if not isinstance(node.op, ast.Pow):
            return node
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return node
        if isinstance(node.right, ast.Constant) and node.right.value == 2:
            return self._called("_hft_square", node, node.left)
        return self._called("_hft_power", node, node.left, node.right)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        name = _BUILT_IN.get(self._meant(node.func)) if len(node.args) == 1 else None
        if name is None or node.keywords:
            return node
        return self._called("_hft_to_int", node, node.args[0], _ROUNDINGS[name], self._line(node))

    def _meant(self, function: ast.expr) -> Any:
        """What a name stands for outside of the class, as far as that is a function of Python."""
        if isinstance(function, ast.Name):
            value = self._names.get(function.id, {"int": int, "round": round}.get(function.id))
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            module = self._names.get(function.value.id)
            value = getattr(module, function.attr, None) if module is math else None
        else:
            value = None
        try:
            hash(value)
        except TypeError:
            return None
        return value

    def _field(self, node: Any) -> str | None:
        """The field's name, if this is `self.field` or `self.field[...]`."""
        node = node.value if isinstance(node, ast.Subscript) else node
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return None
        return node.attr if node.value.id == self._self else None

    def _is_whole(self, target: ast.expr) -> bool:
        name = self._field(target)
        if name is None or name not in self._whole:
            return False
        return not (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice))

    def _line(self, node: ast.expr) -> int:
        return node.lineno - self._first + 1

    def _called(self, name: str, place: ast.expr, *arguments: Any) -> ast.Call:
        trees: list[Any] = [a if isinstance(a, ast.AST) else ast.Constant(a) for a in arguments]
        call = ast.Call(ast.Name(name, ast.Load()), trees, [])
        return ast.fix_missing_locations(ast.copy_location(call, place))

    def _step(self, loop: ast.stmt) -> ast.stmt:
        source = f"if _hft_out_of_steps({self._self}): raise _hft_OutOfSteps({STEPS_SPENT!r})"
        step = ast.parse(source).body[0]
        for node in ast.walk(step):
            if hasattr(node, "lineno"):
                ast.copy_location(node, loop)
                node.end_lineno = loop.lineno  # type: ignore[attr-defined]
        return step


# `math` and numpy as machine code has them.

_NUMPY_AS = {"abs": "fabs", "absolute": "fabs", "arctan": "atan", "power": "pow"}


def _gentle(function: Any, at_pole: float) -> Any:
    def run(*values: float) -> float:
        try:
            return float(function(*values))
        except OverflowError:
            return math.inf
        except ValueError:
            return at_pole if values[0] == 0 else math.nan

    run.__name__ = function.__name__
    return run


_GENTLE = {
    name: _gentle(getattr(math, name), -math.inf if name.startswith("log") else math.nan)
    for name in MATH_NAMES.split()
} | {"pow": checked.power}
MATH = SimpleNamespace(
    **_GENTLE, **{name: getattr(math, name) for name in PLAIN_MATH_NAMES.split()}
)
NUMPY = SimpleNamespace(
    **{name: _GENTLE[name] for name in ("exp", "log", "log2", "log10", "log1p", "sqrt", "tanh")},
    **{name: _GENTLE[meant] for name, meant in _NUMPY_AS.items()},
    **{
        name: getattr(math, name)
        for name in ("isnan", "isinf", "isfinite", "pi", "inf", "nan", "e")
    },
)
_STANDS_FOR = {getattr(math, name): function for name, function in _GENTLE.items()}


def _as_machine_code(names: dict[str, Any]) -> dict[str, Any]:
    return {name: _gentler(value) for name, value in names.items()}


def _gentler(value: Any) -> Any:
    if isinstance(value, ModuleType):
        return MATH if value is math else NUMPY if value is np else value
    try:
        return _STANDS_FOR.get(value, value)
    except TypeError:
        return value
