"""A strategy's two entries do the same: the same services asked, the same bytes of state."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sample_strategies import Everything, QueueImbalance

from hftlib.core import jit
from tests.strategy.desk import Desk

pytestmark = pytest.mark.modes
EVENTS = 60


def drive(desk, seed):
    """Callbacks drawn by chance, over books, trades, orders and fills drawn by chance."""
    random = np.random.default_rng(seed)
    answers = [desk.call("on_start")]
    for step in range(EVENTS):
        desk.context["time"] += int(random.integers(1, 900))
        i = int(random.integers(-1, 5))
        market = desk.markets[i % 3]
        market["bid"] = random.integers(900, 1000)
        market["ask"] = market["bid"] + random.integers(1, 9)
        market["bid_quantity"], market["ask_quantity"] = random.integers(1, 99, 2)
        position = desk.positions[i % 3]
        position["quantity"], position["cash"] = random.integers(-500, 500, 2)
        for field in ("price", "quantity", "side"):
            desk.trade[field] = desk.fill[field] = random.integers(1, 1000)
        order = desk.orders[step % 8]
        order["id"], order["state"], order["side"] = step, step % 4, 1 + step % 2
        order["quantity"], order["filled"] = 100, random.integers(0, 100)
        what, argument = [
            ("on_book", 0),
            ("on_trade", desk.address("trade")),
            ("on_order", desk.address("orders", step % 8)),
            ("on_fill", desk.address("fill")),
            ("on_timer", step),
            ("on_halt", 0),
        ][int(random.integers(0, 6))]
        # Arrays of the strategy have rows for the three instruments only.
        answers.append(desk.call(what, i % 3 if what == "on_book" else i, argument))
    answers.append(desk.call("on_stop"))
    return answers


@pytest.mark.parametrize("kind", [QueueImbalance, Everything])
@pytest.mark.parametrize("seed", range(4))
def test_both_modes_ask_for_the_same_and_leave_the_same_bytes(kind, seed):
    desks = [Desk(kind(), compiled) for compiled in (True, False)]
    answers = [drive(desk, seed) for desk in desks]
    assert answers[0] == answers[1] == [0] * (EVENTS + 2)
    assert repr(desks[0].asked()) == repr(desks[1].asked()) and desks[0].asked()
    assert desks[0].state.tobytes() == desks[1].state.tobytes()
    assert desks[0].context["wrong_instrument"] == desks[1].context["wrong_instrument"]


def test_the_quote_of_the_example_is_what_its_formula_says():
    desk = Desk(QueueImbalance(edge_ticks=2, clip=200))
    desk.positions[1]["quantity"] = 600
    assert desk.call("on_book", 1) == 0
    fair = 1001.0 + (10 - 30) / 40 * 2 - 3 * 2
    assert desk.asked() == [("quote", 1, fair - 4, fair + 4, 200, 200, 0)]
    assert desk.state["fair"][0] == fair


def test_an_instrument_out_of_range_is_the_spare_row_and_is_counted():
    desk = Desk(QueueImbalance())
    assert desk.call("on_book", 12) == 0
    assert desk.context["wrong_instrument"] > 0
    _, i, bid, ask, *_ = desk.asked()[0]
    assert i == 12 and np.isnan(bid) and np.isnan(ask)


def test_parameters_are_state_so_one_entry_serves_all():
    one, other = QueueImbalance(), QueueImbalance(edge_ticks=5)
    assert one.entry() == other.entry() and one.digest != other.digest
    assert one.digest == QueueImbalance(edge_ticks=1).digest


def test_a_callback_that_is_not_there_does_nothing():
    desk = Desk(QueueImbalance())
    assert desk.call("on_timer", 0, 5) == 0 and desk.asked() == []
    assert desk.state["calls"][0] == 1
    assert QueueImbalance().handles == 0b10


STORY = """
    import sys
    import hftlib as hft
    BASE = {base}

    @hft.strategy
    class Kept:
        total: int = hft.state()

        def on_book(self, ctx, i):
            self.total = self.total // 3 + BASE

    Kept().entry()
    print(Kept._entries.was_kept)
"""


def _run_process(path, cache, lines_before, base):
    path.write_text("\n" * lines_before + textwrap.dedent(STORY).format(base=base))
    root = Path(__file__).parents[2]
    env = os.environ | {"HFT_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, str(path)], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(not jit.COMPILED, reason="nothing is compiled")
def test_a_second_process_loads_what_the_first_compiled_until_its_meaning_changes(tmp_path):
    path, cache = tmp_path / "kept.py", tmp_path / "cache"
    assert _run_process(path, cache, 0, 5) == "False"
    assert _run_process(path, cache, 9, 5) == "True"
    assert _run_process(path, cache, 9, 6) == "False"
