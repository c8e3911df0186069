"""Runs in threads are the runs one by one; spaces and tapes in their forms; Ctrl-C ends them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from planted_market import VENUE, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.result import Result
from hftlib.research.validation.trying import sets_of, tapes_of, tried

ROOT = Path(__file__).parents[3]
GRID = [{"moves": n, "clip": clip} for n in (1, 2, 3, 5) for clip in (100, 200)]


@pytest.fixture(scope="module")
def tape():
    return market(seconds=20)


def test_what_runs_beside_others_is_what_runs_alone(tape):
    together = tried(Follow, tape, GRID, {"venue": VENUE})
    alone = [hft.backtest(Follow, tape, params=one, venue=VENUE).digest for one in GRID]
    assert [one.digest for one in together] == alone and len(set(alone)) > 4
    assert all(isinstance(one, Result) for one in together)
    assert tried(Follow, tape, GRID, {"venue": VENUE}, of=lambda one: one.digest) == alone


def test_parameters_of_all_hold_where_a_set_says_nothing(tape):
    settings = {"venue": VENUE, "params": {"clip": 300}}
    one, other = tried(Follow, tape, [{"moves": 2}, {"clip": 100}], settings)
    assert one.about["parameters"] == {"clip": 300, "moves": 2}
    assert other.about["parameters"] == {"clip": 100, "moves": 1}


def test_uncompiled_and_made_of_the_tape_it_is_the_same(tape):
    plain = tried(lambda _tape: Follow, tape, GRID[:2], {"venue": VENUE, "compiled": False})
    assert [one.digest for one in plain] == [
        one.digest for one in tried(Follow, tape, GRID[:2], {"venue": VENUE})
    ]


def test_a_space_is_a_grid_or_a_list():
    assert sets_of(None) == [{}]
    assert sets_of({"a": [1, 2], "b": 3}) == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]
    assert sets_of({"a": range(3)}) == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert sets_of([{"a": 1}, {"b": "x"}]) == [{"a": 1}, {"b": "x"}]


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (7, "no sets of parameters"),
        ("edge", "no sets of parameters"),
        ({1: [2]}, "no sets of parameters"),
        ([1, 2], "no sets of parameters"),
        ([], "no set of parameters"),
        ({"edge": []}, "no set of parameters"),
        ({"edge": {"low": 1}}, "no values of edge"),
        ({"edge": (1, 5)}, "ranges are for hft.sweep"),
        ({"a": range(1_000), "b": range(1_000)}, "more than 100,000 sets"),
    ],
)
def test_a_space_that_is_none_is_refused(space, said):
    with pytest.raises(InputError, match=said):
        sets_of(space)


def test_tapes_are_one_or_several_in_order(tape):
    first, second = days(2, seconds=10)
    assert tapes_of(tape)[0].begin == tape.begin
    assert [one.begin for one in tapes_of([first, second])] == [first.begin, second.begin]
    for bad, said in (([second, first], "begins before"), ([], "no tape"), ([7], "is no tape")):
        with pytest.raises(InputError, match=said):
            tapes_of(bad)


def test_a_setting_that_a_strategy_refuses_is_its_sentence(tape):
    with pytest.raises(InputError, match="'moves' is 99"):
        tried(Follow, tape, [{"moves": 1}, {"moves": 99}], {"venue": VENUE})


ENDLESS = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = ["tests", "tests/research/validation"]
from planted_market import VENUE, Follow, market
from hftlib.research.validation.trying import tried
tape = market(seconds=20)
tried(Follow, tape, [{}], {"venue": VENUE})
print("begins", flush=True)
try:
    tried(Follow, tape, [{"moves": 1 + n % 50} for n in range(1_000_000)], {"venue": VENUE},
          of=lambda one: None)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise SystemExit(7)
"""


def test_an_interrupt_ends_all_runs():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout.readline() == "begins\n", process.stderr.read()
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert said == "interrupted\n" and process.returncode == 7, errors
    assert "Traceback" not in errors
