"""`hft bench live --wire`: each order that is timed is one that a runner sent, by its journal."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.bench import risk, wire, wire_ends
from hftlib.bench.wire_figures import PERCENTS
from hftlib.core import jit
from hftlib.core.journal.kinds import DATAGRAM, SESSION_OUT
from hftlib.core.journal.reading import frames
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import replay
from hftlib.feed.mold import packet
from hftlib.ops.launching import laid
from hftlib.risk.limits_file import limits_of

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
RUNS, COUNT = 2, 50


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="module")
def found(kept):
    told = []
    made = wire.measured(RUNS, lambda share, what: told.append((share, what)), COUNT, kept)
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    return made


def test_each_case_has_all_its_rounds_and_both_ends(found):
    assert [(one.strategy, one.mode) for one in found.cases] == [
        (strategy, mode)
        for mode in ("busy", "asleep until something comes")
        for strategy in ("one order", "QueueImbalance")
    ]
    for case, told in zip(found.cases, found.as_json()["cases"], strict=True):
        assert case.datagrams == RUNS * COUNT
        assert case.orders == RUNS * COUNT * (1 if case.strategy == "one order" else 2)
        assert len(case.ours) == len(case.echo) == RUNS
        for name in PERCENTS:
            ratios = [a[name] / b[name] for a, b in zip(case.ours, case.echo, strict=True)]
            assert min(ratios) <= told["ratio"][name] <= max(ratios)
        assert 0 < told["ours_ns"]["p50"] <= told["ours_ns"]["p99"] <= told["ours_ns"]["p99.9"]
    assert "µs" in "".join(str(cell) for cell in found.table().columns[3].cells)


@pytest.mark.parametrize("number", range(4))
def test_what_was_timed_is_in_the_journal_and_replays(found, kept, number):
    case = found.cases[number]
    each = 1 if case.strategy == "one order" else 2
    decoder, answered, orders, before = Decoder({"what": "runner"}), [], 0, None
    for frame in frames(kept / str(number) / "day.journal"):
        told = decoder.take(frame)
        if frame.kind == DATAGRAM and packet.header_of(frame.payload)[2] == 1:
            answered.append(False)
            before = frame.time
        elif frame.kind == SESSION_OUT:
            sent = [one for one in told if one["what"] in ("enter", "replace")]
            orders += len(sent)
            if before == frame.time:  # because of that datagram
                answered[-1] = True
                assert len(sent) == each
                assert len(frame.payload) == case.order_bytes
                before = None
    rounds = np.array(answered).reshape(RUNS + 1, wire_ends.FIRST + COUNT)
    assert rounds[:, wire_ends.FIRST :].all(), np.argwhere(~rounds)
    assert orders >= each * rounds.size
    assert replay(kept / str(number) / "day.journal", laid).is_identical


def test_risk_is_asked_by_twenty_limits(tmp_path):
    limits = limits_of(wire.limits_text(), tmp_path)
    assert sum(len(given) for _, _, given in limits.scopes()) == risk.COUNT


def test_an_echo_sends_what_it_was_given(found):
    echo = wire_ends.Echo(b"\x00\x04Uabc", sleeps=False)
    try:
        assert echo.round(COUNT).orders == COUNT
    finally:
        echo.close()
