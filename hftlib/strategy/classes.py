"""`@hft.strategy` and `@hft.block`: a class becomes parameters, plain memory and machine code.

    class in a cell ─ read, checked ─▶ Plan ─ calling it with parameters ─▶ Strategy
    Strategy.lay(place)     parameters and initial state into memory of `state_dtype`
    Strategy.entry()        the address of machine code of the signature `abi.ENTRY`
    Strategy.explain(code)  the sentence for what an entry answered

Machine code is made once for a class, whatever its parameters: they are part of the state.
Worst case: half a second to compile; a class whose lines and globals are unchanged is loaded.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, cast

import numpy as np

from hftlib.core.errors import HftError, InputError
from hftlib.strategy import abi
from hftlib.strategy.entries import Entries
from hftlib.strategy.fields import Param
from hftlib.strategy.plans import Laid, Plan
from hftlib.strategy.reading import planned
from hftlib.strategy.showing import class_text, parameters_text, strategy_html

_Self = Any


class _Kind(type):
    """The kind of strategies' classes: in a notebook a class shows its parameters."""

    def __repr__(cls) -> str:
        plan = cls.__dict__.get("_plan")
        return super().__repr__() if plan is None else class_text(plan)


class Strategy(metaclass=_Kind):
    """A strategy with its parameters; `hft.strategy` makes a subclass for each decorated class."""

    _plan: ClassVar[Plan]
    _laid: ClassVar[Laid]
    _entries: ClassVar[Entries]

    def __init__(self, **parameters: Any) -> None:
        where = f"{self._plan.name}({', '.join(parameters)})"
        self.parameters: dict[str, Any] = self._plan.values(parameters, where)

    @property
    def name(self) -> str:
        return self._plan.name

    @property
    def state_dtype(self) -> np.dtype[Any]:
        return self._laid.dtype

    @property
    def digest(self) -> str:
        """Of the class's lines and the parameters: equal ones decide alike."""
        text = f"{self._entries.digest()}\0{sorted(self.parameters.items())}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def handles(self) -> int:
        """Bit n: it has a callback of number n."""
        return sum(1 << n for n, name in enumerate(abi.CALLBACKS) if name in self._plan.methods)

    def entry(self, compiled: bool = True) -> int:
        """The address to be called; compiled or loaded at the first asking."""
        try:
            return self._entries.address(compiled)
        except HftError as error:
            raise error.with_traceback(None) from None

    def explain(self, code: int, state: int = 0) -> str:
        """What an entry's answer that was not 0 means, in a sentence with its line.

        `state` is where the state of the one meant lies, if several of one class ran together.
        """
        return self._entries.explain(code, state)

    def exception(self) -> BaseException | None:
        """The exception that last ended an uncompiled callback."""
        return self._entries.exception

    def lay(self, place: np.ndarray[Any, Any]) -> None:
        """Write parameters and initial state into an array of one `state_dtype`."""
        if place.dtype != self.state_dtype or place.shape != (1,):
            raise InputError(
                f"The memory is {place.shape} of another kind than the state",
                where=f"{self.name}.lay(place)",
                do="Pass an array of shape (1,) and dtype `strategy.state_dtype`.",
            )
        place.view(np.uint8)[:] = 0
        self._laid.lay(place[0], self.parameters)

    def parameter(self, name: str, value: Any, where: str) -> tuple[int, int, bool]:
        """Where a parameter lies in the state, its eight bytes as a number, and if it is a float.

        A name or a value that the class does not allow is refused as when it is made.
        """
        checked = self._plan.values({**self.parameters, name: value}, where)[name]
        place = np.zeros(1, np.int64)
        kind = self.state_dtype[name]
        place.view(np.uint8)[: kind.itemsize].view(kind)[0] = checked
        assert self.state_dtype.fields is not None
        return self.state_dtype.fields[name][1], int(place[0]), kind.kind == "f"

    def parameters_in(self, state: np.ndarray[Any, Any]) -> dict[str, Any]:
        """The parameters as they are now in an array of one `state_dtype`."""
        return {name: state[name][0].item() for name in self.parameters}

    def with_params(self, **parameters: Any) -> _Self:
        """The same strategy with some parameters changed."""
        return type(self)(**{**self.parameters, **parameters})

    @classmethod
    def declared_parameters(cls) -> dict[str, Param]:
        """Each parameter as `hft.param` declared it, by name."""
        return {name: cast(Param, one.declared) for name, one in cls._plan.params.items()}

    @classmethod
    def parameters_table(cls) -> str:
        """The parameters for people: name, default, bounds, help."""
        return parameters_text(cls._plan)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.name}({values})"

    def _repr_html_(self) -> str:
        return strategy_html(self._plan, self.parameters)


class Block:
    """What `hft.block` makes of a class: the type of fields, with `hft.state(setting=...)`."""

    _plan: ClassVar[Plan]


def strategy(cls: type, *, depth: int = 1) -> Any:
    """Make a strategy of a class; `depth` tells whose lines the class stands in."""
    plan = _planned(cls, depth + 2, is_block=False)
    laid = plan.shape(plan.values({}, plan.source.where(plan.source.tree.lineno)))
    body = {"_plan": plan, "_laid": laid, "_entries": Entries(laid)}
    return _Kind(cls.__name__, (Strategy,), {**_about(cls, plan), **body})


def block(cls: type, *, depth: int = 1) -> Any:
    """Make a block of a class: fields and methods that strategies can have as a field."""
    plan = _planned(cls, depth + 2, is_block=True)
    return type(cls.__name__, (Block,), {**_about(cls, plan), "_plan": plan})


def _planned(cls: type, depth: int, is_block: bool) -> Plan:
    """What is wrong with a class is its author's to see; how it was found out is not."""
    try:
        return planned(cls, depth, is_block)
    except HftError as error:
        raise error.with_traceback(None) from None


def _about(cls: type, plan: Plan) -> dict[str, Any]:
    return {"__doc__": plan.doc, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
