"""A method as a whole: what its first line may say, what it takes, and that it never calls itself.

Worst case: methods that call each other in a circle are refused, even if they would come to an end.
"""

from __future__ import annotations

import ast
import inspect

from hftlib.strategy.plans import Plan


def check_head(plan: Plan, method: ast.FunctionDef) -> None:
    given = [argument.arg for argument in method.args.args]
    if method.decorator_list:
        raise plan.source.error(
            f"The method {method.name!r} is decorated", method.lineno, "Remove the decorator."
        )
    if not given or given[0] != "self":
        raise plan.source.error(
            f"The method {method.name!r} lacks self",
            method.lineno,
            f"Write `def {method.name}({', '.join(['self', *given])}):`.",
        )
    if method.args.vararg or method.args.kwarg or method.args.kwonlyargs:
        raise plan.source.error(
            f"The method {method.name!r} takes any number of arguments",
            method.lineno,
            "Name each argument.",
        )
    for value in method.args.defaults:
        if not isinstance(value, ast.Constant | ast.UnaryOp):
            raise plan.source.error(
                f"A default of {method.name!r} is not a plain number",
                value.lineno,
                "Write a number, or pass it in each call.",
            )


def signature_of(method: ast.FunctionDef) -> inspect.Signature:
    names = [argument.arg for argument in method.args.args][1:]
    plain = len(names) - len(method.args.defaults)
    empty, kind = inspect.Parameter.empty, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [
            inspect.Parameter(name, kind, default=empty if number < plain else 0)
            for number, name in enumerate(names)
        ]
    )


def check_recursion(plan: Plan) -> None:
    calls = {name: _called(method) for name, method in plan.methods.items()}
    for name, method in plan.methods.items():
        reached, waiting = set(), set(calls[name])
        while waiting:
            other = waiting.pop()
            if other not in reached:
                reached.add(other)
                waiting |= calls.get(other, set())
        if name in reached:
            do = "Write a loop; a method that calls itself has no bound."
            raise plan.source.error(f"The method {name!r} calls itself", method.lineno, do)


def _called(method: ast.FunctionDef) -> set[str]:
    functions = (node.func for node in ast.walk(method) if isinstance(node, ast.Call))
    return {
        function.attr
        for function in functions
        if isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
    }
