"""What one runner held becomes another's by one frame: positions, limits, states, and no less."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.core.journal.kinds import CONNECTED, DIRECTIVE, TIMER
from hftlib.core.journal.reading import Frame
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.memory import CARRIED, FAULTS, NO_SUCH_FRAME, RESUMED
from hftlib.engine.live.taking_over import TOOK_OVER
from hftlib.ops.launching import described, laid
from hftlib.risk.controls import ACTIVE, HALTED, REDUCING
from hftlib.risk.people import go_on

EXCHANGE = {
    "order_entry": ["127.0.0.1", 1],
    "line_a": ["239.1.1.1", 2],
    "line_b": ["239.1.1.2", 2],
    "recovery": ["127.0.0.1", 3],
    "midnight_ns": 0,
    "session": "day",
    "ticks": {"AAA": 100, "BBB": 100},
    "simulator": True,
}
AAA = [0, 0, 300, -3_000_000, 700, 500, 200, 7, 3_000_000]
BBB = [0, 1, -50, 400_000, 30, 50, 100, 4, -390_000]
NOW = 10**18


def said(*rows, scopes=()):
    words = [CARRIED, len(rows), len(scopes)]
    return np.array([*words, *(n for one in (*rows, *scopes) for n in one)], np.int64).tobytes()


@pytest.fixture
def live():
    made = laid(described(["QueueImbalance"], EXCHANGE, user="frm1a"))
    assert made.take(CONNECTED, 0, NOW, np.array([RESUMED, 0], np.int64).tobytes()) == 0
    return made


def scopes(live):
    room = live.session.risk
    return dict(zip(room.names, live.session.arena["scopes"], strict=False))


def test_positions_are_execution_s_and_each_scope_counts_them(live):
    assert live.take(CONNECTED, 0, NOW + 1, said(AAA, BBB, scopes=[(0, ACTIVE, 900)])) == 0
    names = ("quantity", "cash", "fees", "bought", "sold", "fills")
    rows = live.session.seats[0]["positions"]
    for row, told in zip(rows[:2], (AAA, BBB), strict=True):
        assert [int(row[name]) for name in names] == told[2:8]
    held = live.session.arena["holdings"].reshape(-1, 3)
    for row in held[:3]:  # the firm, its portfolio, the strategy
        assert [int(one["quantity"]) for one in row[:2]] == [300, -50]
        assert [int(one["cash"]) for one in row[:2]] == [-3_000_000, 400_000]
        assert [int(one["fees"]) for one in row[:2]] == [700, 30]
    assert [int(one["cost"]) for one in held[2][:2]] == [3_000_000, -390_000]
    assert int(scopes(live)["firm"]["peak"]) == 900
    assert live.header["begun"] == TOOK_OVER


def test_what_was_not_active_is_so_again_and_the_firm_once_it_goes_on(live):
    room = live.session.risk
    names = list(room.names)
    rows = [(0, REDUCING, 5), (names.index("strategy:QueueImbalance"), HALTED, 6)]
    assert live.take(CONNECTED, 0, NOW + 1, said(AAA, scopes=rows)) == 0
    now = {name: int(row["state"]) for name, row in scopes(live).items()}
    assert now["firm"] == HALTED
    assert now["strategy:QueueImbalance"] == HALTED
    told = go_on(at=NOW + 2, who="restart", why="they agree").row(room, NOW + 2).tobytes()
    assert live.take(DIRECTIVE, 0, NOW + 2, told) == 0
    now = {name: int(row["state"]) for name, row in scopes(live).items()}
    assert now["firm"] == REDUCING
    assert now["strategy:QueueImbalance"] == HALTED


def test_a_state_is_never_lowered(live):
    room = live.session.risk
    assert live.take(CONNECTED, 0, NOW + 1, said(scopes=[(0, HALTED, 0)])) == 0
    assert live.take(CONNECTED, 0, NOW + 2, said(scopes=[(0, ACTIVE, 0)])) == 0
    told = go_on(at=NOW + 3, who="restart", why="they agree").row(room, NOW + 3).tobytes()
    assert live.take(DIRECTIVE, 0, NOW + 3, told) == 0
    assert int(scopes(live)["firm"]["state"]) == HALTED


def test_a_link_is_dialled_at_once_however_long_it_waited(live):
    for n in range(60):  # nobody answers for a minute, so waits have grown
        assert live.take(TIMER, 0, NOW + n * 10**9, b"") == 0
    asked = int(live.links[0]["dials"])
    assert asked >= 2
    now = NOW + 60 * 10**9
    assert live.take(CONNECTED, 0, now, said(AAA, scopes=[(0, ACTIVE, 0)])) == 0
    assert live.take(TIMER, 0, now + 10**6, b"") == 0
    assert int(live.links[0]["dials"]) == asked + 1


@pytest.mark.parametrize(
    "payload",
    [
        said(AAA)[:-8],
        said(AAA) + bytes(8),
        said([1, *AAA[1:]]),
        said([-1, *AAA[1:]]),
        said([0, 2, *AAA[2:]]),
        said([0, -1, *AAA[2:]]),
        said(scopes=[(99, ACTIVE, 0)]),
        said(scopes=[(-1, ACTIVE, 0)]),
        said(scopes=[(0, HALTED + 1, 0)]),
        np.array([CARRIED, 1 << 60, 0], np.int64).tobytes(),
        np.array([CARRIED, -1, 3], np.int64).tobytes(),
        np.array([CARRIED + 1, 0, 0], np.int64).tobytes(),
    ],
)
def test_what_no_runner_says_is_a_fault(live, payload):
    assert live.take(CONNECTED, 0, NOW + 1, payload) == NO_SUCH_FRAME
    assert "no driver writes" in FAULTS[NO_SUCH_FRAME]


def test_it_is_read_as_words():
    decoder = Decoder({"what": "runner"})

    def told(payload):
        return decoder.take(Frame(9, NOW, CONNECTED, 0, payload))[0]

    assert told(said(AAA, BBB))["what"] == "taken over"
    assert told(said(AAA, BBB))["held"] == "0, 0: +300; 0, 1: -50"
    assert told(np.array([CARRIED, 9, 0], np.int64).tobytes())["what"] == "no connection"
    assert told(np.array([RESUMED, 0], np.int64).tobytes())["what"] == "resumed"
