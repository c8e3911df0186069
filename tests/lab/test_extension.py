"""The magics and pages of `%load_ext hftlib`, in a real kernel."""

from __future__ import annotations

import time

import pytest

MAKER = """%%strategy --tape "a day.tape" -p edge_ticks=2 --order-latency 250us
# A maker of the tests.

class Maker:
    edge_ticks: int = hft.param(1, low=1, high=5)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both and b.is_open:
            edge = self.edge_ticks * b.tick
            ctx.quote(i, bid=b.mid - edge, ask=b.mid + edge, quantity=100)
"""


def test_a_cell_is_a_strategy_and_shown_with_its_backtest(kernel, lab_folder):
    told = kernel.run(MAKER)
    assert not told.error
    assert "Strategy Maker" in told.html and "<b>2</b>" in told.html
    assert "a day.tape" in told.html and "P&amp;L" in told.html
    # The same as without the magic, and the class and the result are there to go on with.
    told = kernel.run(
        'venue = hft.Venue(order_latency="250us")\n'
        'own = hft.backtest(Maker, "a day.tape", params={"edge_ticks": 2}, venue=venue)\n'
        "print(own.digest == _.digest, len(own.fills) > 0)"
    )
    assert told.text == "True True\n", told.error


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (MAKER.replace("b.mid - edge", "b.midd - edge"), ("line 11", "midd")),
        (MAKER.replace("self.edge_ticks *", "self.edge_tick *"), ("line 10", "edge_tick")),
        (MAKER.replace("-p edge_ticks=2", "-p edge_ticks=9"), ("edge_ticks", "9")),
        (MAKER.replace("-p edge_ticks=2", "-p edge_ticks"), ("'edge_ticks' is no parameter",)),
        (MAKER.replace("a day.tape", "no.tape"), ("no.tape",)),
        (MAKER.replace("--order-latency", "--latency"), ("The line is not understood",)),
        (MAKER.replace('"a day.tape"', '"a day.tape'), ("The line is not understood",)),
        (MAKER.replace("class Maker:", "class Maker"), ("no Python", "line 4")),
        (MAKER.replace("# A maker of the tests.\n\n", "x = 1\n"), ("@hft.strategy above",)),
        ("%%strategy\nx = 1\n", ("no class",)),
    ],
)
def test_what_is_wrong_with_the_cell_is_a_sentence_with_its_line(kernel, cell, words):
    told = kernel.run(cell)
    assert all(word in told.error for word in words), told.error
    assert "where:" in told.error and "do:" in told.error
    assert "Traceback" not in told.error


def test_any_command_runs_and_nothing_of_it_is_a_shells(kernel, lab_folder):
    told = kernel.run('place = "a day.tape"\n%hft data show {place} AAA --at 09:30')
    assert "AAA" in told.text and "bid" in told.text, told.text
    told = kernel.run(
        "%hft data show nothing.tape ; touch owned $(touch owned) `touch owned` | cat"
    )
    assert "hft ended with 2" in told.text
    assert not (lab_folder / "owned").exists()
    assert "cut into words" in kernel.run('%hft data "show').error


def test_ctrl_c_ends_the_command_and_the_kernel_goes_on(kernel, lab_folder):
    begun = time.monotonic()
    told = kernel.run("%hft exchange --demo --json --control off", interrupted_at="}")
    assert "Traceback" not in told.text + told.error
    assert time.monotonic() - begun < 100
    assert kernel.run("print(6 * 7)").text == "42\n"


def test_refusals_anywhere_are_sentences_and_the_cell_has_failed(kernel):
    told = kernel.run("x = 1\nhft.Limits(position_lot=5)")
    assert "position_lots" in told.error and "where:" in told.error
    assert "line 2: hft.Limits(position_lot=5)" in told.error
    assert "Traceback" in kernel.run("1 / 0").error  # what is no refusal of ours is as ever


def test_commands_are_completed(kernel):
    def offered(text):
        answer = kernel.client.complete(text, reply=True, timeout=60)
        return answer["content"]["matches"]

    assert any(one.startswith("backtest") for one in offered("%hft back"))
    assert any(one.startswith("show") for one in offered("%hft data sh"))


def test_the_extension_can_be_taken_back(kernel):
    assert not kernel.run("%unload_ext hftlib").error
    assert "not found" in kernel.run("%hft status").text
    assert not kernel.run("%load_ext hftlib").error
