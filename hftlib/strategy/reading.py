"""Read a decorated class into a Plan, refusing with a sentence what it cannot mean.

Fields are the annotated lines, methods the functions; nothing else may stand in the class. What
methods may say is checked by `hftlib.strategy.checking`.

Worst case: a class is refused that plain Python would take; the sentence says what to write.
"""

from __future__ import annotations

import ast
from typing import Any

from hftlib.core.errors import CompileError
from hftlib.strategy.abi import CALLBACKS, STATE
from hftlib.strategy.checking import check_methods
from hftlib.strategy.fields import KINDS, Param, State, checked, nearest
from hftlib.strategy.plans import BLOCK_HEADER, Field, Plan
from hftlib.strategy.source import Source, read

# What each callback takes behind self.
TAKES = {
    "on_start": ("ctx",),
    "on_book": ("ctx", "i"),
    "on_trade": ("ctx", "i", "trade"),
    "on_order": ("ctx", "i", "order"),
    "on_fill": ("ctx", "i", "fill"),
    "on_timer": ("ctx", "number"),
    "on_halt": ("ctx", "i"),
    "on_stop": ("ctx",),
}


def planned(cls: Any, depth: int, is_block: bool) -> Plan:
    """The plan of a class that is being decorated `depth` frames up."""
    if not isinstance(cls, type):
        raise CompileError(
            f"A strategy is a class, not {type(cls).__name__}",
            where=f"@hft.strategy on {getattr(cls, '__name__', cls)!r}",
            do="Write the decorator without brackets, above `class Name:`.",
        )
    source = read(cls, depth + 1)
    fields, methods = _members(cls, source)
    plan = Plan(source, cls.__doc__ or "", fields, methods, is_block)
    _check_names(plan)
    if not is_block:
        _check_callbacks(plan)
    _check_defaults(plan)
    check_methods(plan, {} if is_block else TAKES)
    return plan


def _members(cls: type, source: Source) -> tuple[dict[str, Field], dict[str, ast.FunctionDef]]:
    fields: dict[str, Field] = {}
    methods: dict[str, ast.FunctionDef] = {}
    for item in source.tree.body:
        if isinstance(item, ast.FunctionDef):
            methods[item.name] = item
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found = _field(cls, source, item)
            fields[found.name] = found
        elif isinstance(item, ast.Assign):
            name = ast.unparse(item.targets[0])
            raise source.error(
                f"The field {name!r} has no annotation",
                item.lineno,
                f"Write `{name}: int = hft.param(...)` or `{name}: float = hft.state()`.",
            )
        elif not _is_idle(item):
            sort = "an async function" if isinstance(item, ast.AsyncFunctionDef) else "this"
            raise source.error(
                f"A class of a strategy holds fields and methods, not {sort}",
                item.lineno,
                "Move it into a method, or out of the class.",
            )
    if source.tree.bases or source.tree.keywords:
        raise source.error(
            "A strategy is derived from nothing", source.tree.lineno, "Remove the brackets."
        )
    return fields, methods


def _is_idle(item: ast.stmt) -> bool:
    return isinstance(item, ast.Pass) or (
        isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
    )


def _field(cls: type, source: Source, item: ast.AnnAssign) -> Field:
    assert isinstance(item.target, ast.Name)
    name, kind = item.target.id, _kind(source, item)
    declared = cls.__dict__.get(name)
    if not isinstance(declared, Param | State):
        value = "" if item.value is None else ast.unparse(item.value)
        mutable = isinstance(item.value, ast.List | ast.Dict | ast.Set | ast.Call)
        do = f"Write hft.param({value or 1}) for a parameter, hft.state({value}) for what changes."
        if mutable:
            do = "Write hft.state(size=32) for an array of 32 numbers."
        raise source.error(f"The field {name!r} is neither param nor state", item.lineno, do)
    if isinstance(declared, Param) and kind not in KINDS:
        raise source.error(
            f"The parameter {name!r} is a block; parameters are int, float or bool",
            item.lineno,
            "Use hft.state(...) with the block's settings.",
        )
    if isinstance(declared, State) and declared.settings and kind in KINDS:
        raise source.error(
            f"hft.state() of {name!r} has no {next(iter(declared.settings))!r}",
            item.lineno,
            "A number's state takes initial= and size=; only blocks have settings.",
        )
    return Field(name, kind, declared, item.lineno)


def _kind(source: Source, item: ast.AnnAssign) -> Any:
    text = ast.unparse(item.annotation)
    try:
        tree = ast.Expression(item.annotation)
        if isinstance(item.annotation, ast.Constant) and isinstance(item.annotation.value, str):
            tree = ast.parse(item.annotation.value, mode="eval")
        kind = eval(compile(tree, source.file, "eval"), source.names())
    except Exception:
        kind = None
    kind = getattr(kind, "_plan", kind)
    if kind in KINDS or (isinstance(kind, Plan) and kind.is_block):
        return kind
    do = "Use int, float or bool, or a block; hft.state(size=32) makes an array of them."
    raise source.error(f"A field cannot be of the kind {text!r}", item.lineno, do)


def _check_names(plan: Plan) -> None:
    header = set((BLOCK_HEADER if plan.is_block else STATE).names or ())
    for name, item in plan.fields.items():
        taken = "a method" if name in plan.methods else None
        taken = "a callback" if name in CALLBACKS else taken
        taken = "kept by the engine" if name in header | {"view"} else taken
        if taken or name.startswith("_"):
            told = f"is {taken}" if taken else "begins with an underscore"
            raise plan.source.error(
                f"The name of the field {name!r} {told}", item.line, "Give it another name."
            )
    for name, method in plan.methods.items():
        if name in header | {"view"} or name.startswith("_"):
            raise plan.source.error(
                f"A method cannot be called {name!r}",
                method.lineno,
                "Give it a name of its own, without an underscore in front; set-up belongs in "
                "on_start.",
            )


def _check_callbacks(plan: Plan) -> None:
    for name, method in plan.methods.items():
        if name.startswith("on_") and name not in TAKES:
            do = nearest(name, CALLBACKS, "callback")
            raise plan.source.error(f"There is no callback {name!r}", method.lineno, do)
        if name in TAKES:
            wanted = ", ".join(("self", *TAKES[name]))
            given = len(method.args.args)
            plain = not (method.args.kwonlyargs or method.args.vararg or method.args.kwarg)
            if given != len(TAKES[name]) + 1 or not plain:
                raise plan.source.error(
                    f"{name} takes ({wanted}), not ({ast.unparse(method.args)})",
                    method.lineno,
                    f"Write `def {name}({wanted}):`.",
                )


def _check_defaults(plan: Plan) -> None:
    for name, item in plan.fields.items():
        where = plan.source.where(item.line)
        size = getattr(item.declared, "size", None)
        if isinstance(size, str) and not (plan.is_block and size in plan.params):
            do = "Write a number; only a block's sizes may follow its own int parameter."
            raise plan.source.error(f"The size of {name!r} is {size!r}", item.line, do)
        if isinstance(item.declared, Param):
            checked(name, item.kind, item.declared, item.declared.default, where)
        elif isinstance(item.kind, Plan):
            item.kind.values(item.declared.settings, where)
