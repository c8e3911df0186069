"""What the methods of a strategy may say, checked by their words before anything is compiled.

Names first (a field, a method, something of ctx that is misspelt), then calls (what they take),
then what compiled code or a repeatable run cannot have: text, lists, files, clocks, chance. Types
are left to the compiler. What may be said is in `hftlib.strategy.saying`.

Worst case: a mistake that only types show is told later, by the compiler, at the same line.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from types import ModuleType
from typing import Any

from hftlib.strategy import acting as _acting  # noqa: F401  (it adds to the context)
from hftlib.strategy.context import BOOK, CONTEXT, FILLS, HOLDING, ORDERS, TRADES
from hftlib.strategy.fields import nearest
from hftlib.strategy.methods import check_head, check_recursion, signature_of
from hftlib.strategy.outside import check_of_module, check_value
from hftlib.strategy.parenting import PARENT_ORDERS
from hftlib.strategy.plans import Plan
from hftlib.strategy.saying import CALLS, LOOKING, NODES, number_from_text

SHAPES = {
    "ctx": CONTEXT,
    "book": BOOK,
    "holding": HOLDING,
    "order": ORDERS,
    "trade": TRADES,
    "fill": FILLS,
    "parent": PARENT_ORDERS,
}
_GIVES = {("ctx", name): name for name in ("book", "holding", "order")}
_GIVES |= {("ctx", "parent_of"): "parent"}
# What the engine and the compiled methods use of a context; `price_at` and the like are no fields.
_INNER = {"abi", "services", "entry", "handles", "marked", "order_mask", "untold", "want_flags"}
_INNER |= {"legs"}


def check_methods(plan: Plan, callbacks: dict[str, tuple[str, ...]]) -> None:
    for name, method in plan.methods.items():
        check_head(plan, method)
        _Checker(plan, method, callbacks.get(name)).visit_body()
    check_recursion(plan)


class _Checker(ast.NodeVisitor):
    def __init__(self, plan: Plan, method: ast.FunctionDef, kinds: tuple[str, ...] | None) -> None:
        self._plan, self._method, self._names = plan, method, plan.source.names()
        given = [argument.arg for argument in method.args.args][1:]
        kinds = kinds or tuple(name if name == "ctx" else "" for name in given)
        self._kinds = {
            name: kind for name, kind in zip(given, kinds, strict=False) if kind in SHAPES
        }
        stored = (n for n in ast.walk(method) if isinstance(n, ast.Name))
        self._locals = {n.id for n in stored if isinstance(n.ctx, ast.Store)} | {"self", *given}
        # A variable that is two things in turn is left to the compiler.
        self._certain = {name for name in self._locals if self._stores(name) <= 1}

    def visit_body(self) -> None:
        for statement in self._method.body:
            self.visit(statement)

    def visit(self, node: ast.AST) -> Any:
        told = NODES.get(type(node))
        if told is not None:
            raise self._wrong(node, *told)
        return super().visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, int) and abs(node.value) >= 2**63:
            raise self._wrong(node, "This number needs more than 64 bits", "Write a smaller one.")
        if isinstance(node.value, str | bytes | complex) or node.value is ...:
            raise self._wrong(
                node, "Text cannot be part of a callback", "Use numbers; text belongs in results."
            )

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._check_message(node, node.exc)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            raise self._wrong(node, "The text of an assert is put together", "Write a fixed text.")

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._check_target(target)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            kind = self._kind(node.value)
            if kind and node.targets[0].id in self._certain:
                self._kinds[node.targets[0].id] = kind

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._check_target(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        raise self._wrong(node, "A variable of a method takes no annotation", "Remove it.")

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store) or node.id in self._locals:
            return
        value = self._names.get(node.id, getattr(builtins, node.id, None))
        if value is None and node.id not in self._names:
            members = {*self._plan.fields, *self._plan.methods}
            known = self._locals | {n for n in self._names if not n.startswith("_")}
            close = nearest(node.id, known, "name")
            do = f"Write self.{node.id}." if node.id in members else close
            if not do.startswith(("Write", "Did")):
                do = "Give it a value first, or make it a field of the class."
            raise self._wrong(node, f"There is no {node.id!r}", do)
        check_value(self._plan.source, node, node.id, value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            self._check_member(node)
            return
        kind = self._kind(node.value)
        if kind:
            self.visit(node.value)
            self._check_known(node, kind, called=False)
            return
        module = self._module(node.value)
        if module is not None:
            check_of_module(self._plan.source, node, module)
            return
        self.visit(node.value)
        if getattr(
            getattr(self._field(node.value), "declared", None), "size", None
        ) is not None and (isinstance(node.value, ast.Attribute)):
            raise self._wrong(
                node, f"An array has no {node.attr!r} here", "Use len(), items, slices and loops."
            )

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in LOOKING:
            # For looking at an uncompiled run; whoever compiles it is told.
            refusal = self._wrong(node, *LOOKING[node.func.id])
            self._plan.only_uncompiled = self._plan.only_uncompiled or refusal
            return
        if told := number_from_text(node):
            raise self._wrong(node, *told)
        for value in [*node.args, *(item.value for item in node.keywords)]:
            if isinstance(value, ast.Starred):
                raise self._wrong(node, "Arguments cannot be unpacked", "Write each of them.")
            self.visit(value)
        function = node.func
        if isinstance(function, ast.Attribute):
            kind = self._kind(function.value)
            if kind:
                self.visit(function.value)
                self._check_known(function, kind, called=True)
                self._check_arguments(node, SHAPES[kind].functions[function.attr], function.attr)
                return
            if isinstance(function.value, ast.Name) and function.value.id == "self":
                self._check_method_call(node, function)
                return
            if self._is_part(function.value):
                self.visit(function.value)
                self._check_part_call(node, function)
                return
        elif isinstance(function, ast.Name) and function.id in CALLS:
            raise self._wrong(node, *CALLS[function.id])
        self.visit(function)

    # What stands behind a dot.

    def _check_member(self, node: ast.Attribute) -> None:
        members = {*self._plan.fields, *self._plan.methods}
        if node.attr in self._plan.fields or node.attr in ("steps_left", "steps_max", "calls"):
            return
        if node.attr in self._plan.methods:
            raise self._wrong(node, f"The method {node.attr!r} is not called", "Add brackets.")
        close = nearest(node.attr, members, "field")
        if not close.startswith("Did"):
            close = f"Declare it in the class: `{node.attr}: float = hft.state()`."
        raise self._wrong(node, f"There is no self.{node.attr}", close)

    def _check_known(self, node: ast.Attribute, kind: str, called: bool) -> None:
        shape = SHAPES[kind]
        methods = shape.functions.keys() - shape.derived_names
        stored = {n for n in shape.dtype.names or () if not n.endswith("_at")} - _INNER
        plain = stored | shape.derived_names
        known = {n for n in methods | plain if not n.startswith("_")}
        if node.attr not in known:
            do = nearest(node.attr, known, "name")
            raise self._wrong(node, f"{kind} has no {node.attr!r}", do)
        if called and node.attr in plain - methods:
            do = f"Write .{node.attr} without brackets."
            raise self._wrong(node, f"{kind}.{node.attr} is a value, not a function", do)
        if not called and node.attr in methods:
            do = f"Write .{node.attr}(...) with what it takes."
            raise self._wrong(node, f"{kind}.{node.attr} is a function and is not called", do)

    # Calls.

    def _check_method_call(self, node: ast.Call, function: ast.Attribute) -> None:
        if function.attr not in self._plan.methods:
            if function.attr in self._plan.fields:
                do = "Write it without brackets."
                raise self._wrong(node, f"self.{function.attr} is a field, not a method", do)
            do = nearest(function.attr, self._plan.methods, "method")
            raise self._wrong(node, f"There is no method self.{function.attr}", do)
        method = self._plan.methods[function.attr]
        self._bind(node, signature_of(method), function.attr)

    def _check_part_call(self, node: ast.Call, function: ast.Attribute) -> None:
        block = self._field(function.value).kind
        if function.attr not in block.methods:
            do = nearest(function.attr, block.methods, "method")
            raise self._wrong(node, f"The block {block.name} has no method {function.attr!r}", do)
        self._bind(node, signature_of(block.methods[function.attr]), function.attr)

    def _check_arguments(self, node: ast.Call, function: Any, name: str) -> None:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[1:]
        self._bind(node, signature.replace(parameters=parameters), name)

    def _bind(self, node: ast.Call, signature: inspect.Signature, name: str) -> None:
        try:
            signature.bind(*node.args, **{item.arg: item for item in node.keywords if item.arg})
        except TypeError as error:
            takes = ", ".join(str(p).partition(":")[0] for p in signature.parameters.values())
            raise self._wrong(node, f"{name}() got {error}", f"It takes ({takes}).") from None

    # Targets, values, kinds.

    def _check_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            if not all(isinstance(item, ast.Name) for item in target.elts):
                raise self._wrong(target, "Fields are set one by one", "Write a line for each.")
            return
        place = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(target, ast.Subscript):
            self.visit(target.slice)
        if isinstance(place, ast.Attribute):
            self.visit(place)
            field = self._field(place)
            if field is not None and field.is_param:
                line = f"{place.attr}_now: {field.kind.__name__} = hft.state()"
                do = f"Declare a field `{line}`, copy it there in on_start, and change that."
                raise self._wrong(target, f"The parameter {place.attr!r} is assigned to", do)
            if self._kind(place.value):
                do = "Only fields of self can be set; act through ctx.submit, ctx.quote and so on."
                raise self._wrong(target, f"{ast.unparse(place)} cannot be set", do)
            if (
                isinstance(target, ast.Attribute)
                and field is not None
                and isinstance(field.kind, Plan)
            ):
                raise self._wrong(target, "A block cannot be replaced", "Call its methods.")

    def _check_message(self, node: ast.Raise, raised: ast.expr | None) -> None:
        fixed = isinstance(raised, ast.Name) or (
            isinstance(raised, ast.Call)
            and not raised.keywords
            and all(isinstance(value, ast.Constant) for value in raised.args)
        )
        if not fixed or node.cause is not None:
            do = 'Write a fixed text: raise ValueError("what is wrong").'
            raise self._wrong(node, "What is raised is put together from values", do)

    def _kind(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._kinds.get(node.id, "")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return _GIVES.get((self._kind(node.func.value), node.func.attr), "")
        return ""

    def _field(self, node: ast.expr) -> Any:
        node = node.value if isinstance(node, ast.Subscript) else node
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._plan.fields.get(node.attr) if node.value.id == "self" else None
        return None

    def _is_part(self, node: ast.expr) -> bool:
        return isinstance(getattr(self._field(node), "kind", None), Plan)

    def _module(self, node: ast.expr) -> ModuleType | None:
        if isinstance(node, ast.Name) and node.id not in self._locals:
            value = self._names.get(node.id)
            return value if isinstance(value, ModuleType) else None
        return None

    def _stores(self, name: str) -> int:
        nodes = (n for n in ast.walk(self._method) if isinstance(n, ast.Name) and n.id == name)
        return sum(isinstance(node.ctx, ast.Store) for node in nodes)

    def _wrong(self, node: Any, what: str, do: str) -> Exception:
        return self._plan.source.error(what, getattr(node, "lineno", self._method.lineno), do)
