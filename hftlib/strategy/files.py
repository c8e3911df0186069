"""Find the strategy that a command names: `FILE.py:Class`, `package.module:Class`, or one of ours.

A file or module with one strategy only needs no `:Class`.
Worst case: importing a file runs it, as Python does; an error in it is told with its line.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from hftlib.core.errors import HftError, InputError

LIBRARY = "hftlib.strategy.library"
_SHAPE = "hft backtest FILE.py:Class"


def strategy_named(name: str) -> Any:
    """The decorated class of that name."""
    place, colon, wanted = name.rpartition(":")
    if not colon:
        place, wanted = (name, "") if name.endswith(".py") else (LIBRARY, name)
    module = _module(place)
    found = {key: value for key, value in vars(module).items() if _is_strategy(value)}
    if not wanted and len(found) == 1:
        return next(iter(found.values()))
    if wanted in found:
        return found[wanted]
    near = get_close_matches(wanted, found, n=1)
    if near:
        do = f"Did you mean {near[0]!r}?"
    elif found:
        do = f"It has {', '.join(sorted(found))}. Write FILE.py:Class, or one of ours by its name."
    else:
        do = "It has none: decorate a class with @hft.strategy."
    what = f"There is no strategy {wanted!r} in {place}"
    raise InputError(what if wanted else f"{place} is named without a class", where=name, do=do)


def _is_strategy(value: Any) -> bool:
    return isinstance(value, type) and all(
        hasattr(value, needed) for needed in ("lay", "entry", "handles", "state_dtype", "_plan")
    )


def _module(place: str) -> ModuleType:
    path = Path(place)
    try:
        return _imported_file(path) if place.endswith(".py") else importlib.import_module(place)
    except (HftError, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        if not error.name or not f"{place}.".startswith(f"{error.name}."):
            raise _wrong(place, error) from None
        raise InputError(
            f"There is no module {error.name!r} that could be imported",
            where=_SHAPE,
            do="Give the path of a Python file, FILE.py:Class, or a module that is installed.",
        ) from None
    except (Exception, SystemExit) as error:
        raise _wrong(place, error) from None


def _imported_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(
            f"There is no file {str(path)!r}",
            where=_SHAPE,
            do="Give the path of a Python file that has the strategy.",
        )
    name = f"hft_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # As `python FILE.py` has it: what lies beside the file can be imported by it.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _wrong(place: str, error: BaseException) -> InputError:
    """An error of the file's own, at its line: the last one of the file, not of what it called."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).name == Path(place).name]
    file, line = (own or frames)[-1].filename, (own or frames)[-1].lineno
    told = str(error)
    if isinstance(error, SyntaxError):
        file, line, told = error.filename or file, error.lineno, error.msg
    return InputError(
        f"{place} could not be imported: {type(error).__name__}: {told}",
        where=f"{file}, line {line}",
        do="Correct the file; `python FILE.py` shows the same error.",
    )


def given_parameters(texts: list[str], command: str = "hft backtest") -> dict[str, Any]:
    """`name=value` texts as Python values: whole numbers, numbers, true or false."""
    made: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InputError(
                f"{text!r} is no parameter", where=f"{command} -p", do="Write -p name=value."
            )
        made[name.strip()] = _value(value.strip())
    return made


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
