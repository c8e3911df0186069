"""strategy: a class in a cell becomes machine code; `hft.strategy` is this room and its decorator.

Importing a room makes it an attribute of the package, so the room itself can be called:

    @hft.strategy
    class QueueImbalance: ...
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, cls: type) -> Any:
        from hftlib.strategy.classes import strategy

        return strategy(cls, depth=2)


sys.modules[__name__].__class__ = _Room
