"""What compiled code asks of a record of any shape: its address, and a step of its budget.

A strategy's loops are bounded by a count that stands in its state; a block inside of the state
finds it by the distance it was laid with. What is emitted: `steps_code.py`.
Worst case: a block outside of any has no bound.
"""

from __future__ import annotations

from typing import Any


def address_of(record: Any) -> int:
    """Where a record of a shape lies."""
    return int(record._address)


def out_of_steps(record: Any) -> bool:
    """Take one step of the record's budget: True once there is none left.

    The budget is the field `steps_left`, or, if the record has none, that of the record `home`
    bytes away; with `home` 0 there is no bound.
    """
    return bool(record._out_of_steps())
