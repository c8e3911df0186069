"""What went wrong in a strategy, in one sentence at its own line.

numba tells of a type it cannot infer in many lines about its own inside; of those, only the last
place inside of the strategy's lines and the reason matter. The table below puts the reasons that
are common into plain words; any other is told in numba's own, without the rest.

Worst case: a reason that no row fits is told as numba says it.
"""

from __future__ import annotations

import re
import traceback
from typing import Any

from hftlib.core.errors import CompileError, HftError

_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        r"a float is put where a whole number belongs",
        "A float is assigned to an int field",
        "Write int(...) or use //, or annotate the field `float`.",
    ),
    (
        r"(\w+\(\) takes [^;\n]+?), not (\w+?)\(?[^;\n]*; write int",
        "{1}, not a float",
        "Write int(...) around it, or use a whole division //.",
    ),
    (r"(\w+\(\) takes [^;\n]+)", "{1}", "Pass a value of that kind."),
    (r"an index is a whole number", "An index is a float", "Write int(...) around it, or use //."),
    (
        r"'?(?:\w+ \d+|\w+)'? has no '(\w+)'",
        "There is no {1!r} here",
        "Look at the name: dir() of a context, book or order in an uncompiled run shows all.",
    ),
    (
        r"Cannot unify (.+?) and (.+?) for '(\w+?)(?:\.\d+)?'",
        "The variable {3!r} is of one kind here and of another there: {1} and {2}",
        "Give it one kind from the start, such as 0.0 for what becomes a float.",
    ),
    (
        r"variable '(\w+?)(?:\.\d+)?' referenced before assignment",
        "{1!r} is used before it has a value",
        "Assign it on every way that leads here.",
    ),
    (
        r"Untyped global name '([\w.]+)'",
        "{1!r} is a plain Python object, which compiled code cannot use",
        "Make a function a method of the class; keep numbers in constants, param or state.",
    ),
    (
        r"Unknown attribute '(\w+)' of type (.+)",
        "There is no attribute {1!r} of a {2}",
        "A number has no attributes; look at what stands before the dot.",
    ),
    (
        r"No implementation of function Function\(<(?:built-in function|class) '?(\w+)'?>\) found "
        r"for signature:[\s>]*\w+\((.*?)\)",
        "{1} cannot be done with {2}",
        "Look at the kinds of both: a record or an array is not a number.",
    ),
    (
        r"NRT|NRT required|allocat",
        "This makes a new object, which takes memory at each call",
        "Keep it in hft.state(size=...), which is laid out once.",
    ),
    (
        r"missing a required argument: '(\w+)'",
        "The argument {1!r} is missing",
        "Pass it.",
    ),
    (r"(?:too many positional arguments)", "There are too many arguments", "Take some away."),
    (
        r"The machine code needs '(NRT|Py|numba)\w*'",
        "This needs memory or a Python object while it runs",
        "Keep arrays in hft.state(size=...), and text out of callbacks.",
    ),
)
_PLACE = re.compile(r'<hft (\w+)>(?:", line | ?\()(\d+)')
_NOISE = re.compile(
    r"^\s*(Failed in|During:|File \"|\[\d+\]|def |- Resolution|\^|Traceback|$|<source|There are)"
)
_KINDS = ((r"Literal\[(\w+)\]\([^)]*\)", r"\1"), (r"\bfloat64\b", "float"), (r"\bint64\b", "int"))


def told_by_compiler(error: Exception, laid: Any) -> HftError:
    """The sentence for what stopped the compilation of a strategy."""
    if isinstance(error, HftError) and not isinstance(error, CompileError):
        return error
    message = re.sub(r"\x1b\[[0-9;]*m", "", _whole(error))
    places = _PLACE.findall(message)
    source, line = laid.plan.source, 0
    if places:
        name, number = places[-1]
        source = next((s for s in _sources(laid) if s.name == name), source)
        line = int(number) + source.first_line - 1
    what, do = _reason(message)
    where = source.where(line) if line else f"{source.label}, class {source.name}"
    return CompileError(what, where=where, do=do)


def told_by_account(kind: str, text: str, file: str, line: int, laid: Any) -> str:
    """The sentence for an exception of compiled code, whose lines count from the class's first."""
    source = laid.plan.source
    for known in _sources(laid):
        if line and file == f"<hft {known.name}>":
            where = known.where(line + known.first_line - 1)
            return f"{kind}: {text or 'raised'}. Where: {where}."
    return f"{kind}: {text or 'raised'}. Where: {source.label}, class {source.name}."


def told_by_exception(error: BaseException | None, laid: Any) -> str:
    """The sentence for an exception of an uncompiled run."""
    if error is None:
        return "No exception is known here: the entry that answered belongs to another class."
    sources = {source.file: source for source in reversed(_sources(laid))}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in sources and frame.lineno:
            where = sources[frame.filename].where(frame.lineno)
            return f"{type(error).__name__}: {error or 'raised'}. Where: {where}."
    source = laid.plan.source
    return f"{type(error).__name__}: {error or 'raised'}. Where: {source.label}."


def _whole(error: BaseException) -> str:
    """The message with those it was raised from, the innermost last."""
    texts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        texts.append(str(link))
        link = link.__cause__
    return "\n".join(texts)


def _reason(message: str) -> tuple[str, str]:
    for pattern, what, do in _REASONS:
        found = re.search(pattern, message)
        if found:
            groups = ("", *(_plain(group or "") for group in found.groups()))
            return what.format(*groups), do
    lines = [line.strip() for line in message.splitlines() if not _NOISE.match(line)]
    first = _plain(lines[0]) if lines else "it is not said why"
    return (
        f"This cannot be compiled: {first}",
        "Write it with numbers, fields and loops; compiled=False runs it as plain Python.",
    )


def _plain(text: str) -> str:
    for pattern, meant in _KINDS:
        text = re.sub(pattern, meant, text)
    return re.sub(r"Kind\(.*?\)|hft\.(\w+)(?: \d+)?", r"\1", text)


def _sources(laid: Any) -> list[Any]:
    return [laid.plan.source, *(s for part in laid.parts.values() for s in _sources(part))]
