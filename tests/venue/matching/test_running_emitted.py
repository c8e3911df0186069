"""The matching engine as object code: no allocation, no exception, no Python; the same reports."""

from __future__ import annotations

import pytest
from matching_flow import Flow, engine

from hftlib.core import jit, object_code
from hftlib.venue.matching.running import run


@jit.callback("int64(int64, int64, int64)")
def obeys(base: int, commands: int, count: int) -> int:
    return run(base, commands, count)


@pytest.mark.skipif(
    jit.BOUNDS_CHECKED or not jit.COMPILED, reason="checks raise, and what raises is not emitted"
)
def test_the_emitted_engine_says_the_same():
    call, address = jit.caller(obeys.signature), object_code.link(jit.emit(obeys))
    commands = Flow(90).commands(1000)
    wanted = engine().obey(commands)
    made, done, told = engine(), 0, b""
    while done < len(commands) or made.header["unsettled"]:
        part = commands[done:]
        done += call(address, made.address, part.ctypes.data, len(part))
        told += made.take().tobytes()
    assert told == wanted.tobytes() and len(wanted) > 1000
