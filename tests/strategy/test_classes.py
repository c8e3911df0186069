"""Strategies as people use them: parameters, state, redefinition, and callbacks that go wrong."""

import sys

import numpy as np
import pytest
from cells import run_file, strategy_of
from sample_strategies import Everything, QueueImbalance

import hftlib as hft
from hftlib.strategy.plans import STEPS_MAX
from tests.strategy.desk import Desk

pytestmark = pytest.mark.modes
BOOK = "def on_book(self, ctx, i):\n"

# A body; the exception's name and a word of the sentence. `# here` marks the line to be named.
FAULTS = {
    "whole division by zero": (
        BOOK + "    self.count = 7 // i  # here",
        "ZeroDivisionError",
        "zero",
    ),
    "division by zero": (BOOK + "    self.fair = 7.5 / i  # here", "ZeroDivisionError", "zero"),
    "index outside": (BOOK + "    self.window[i + 8] = 1.0  # here", "IndexError", "outside"),
    "index below": (BOOK + "    self.fair = self.window[i - 9]  # here", "IndexError", "outside"),
    "raise": (
        BOOK + "    raise ValueError('no more of it')  # here",
        "ValueError",
        "no more of it",
    ),
    "assert": (BOOK + "    assert i > 0, 'i is none'  # here", "AssertionError", "i is none"),
    "int of nothing": (
        BOOK + "    x = math.nan\n    self.count = int(x)  # here",
        "ValueError",
        "not a number",
    ),
    "rounded beyond": (BOOK + "    self.count = round(1e19)  # here", "ValueError", "64 bits"),
    "for ever": (
        BOOK + "    while True:  # here\n        self.count += 1",
        "OutOfSteps",
        "steps",
    ),
    "a loop in a method": (
        "def count_up(self):\n    for k in range(10**12):  # here\n        self.count += 1\n"
        + BOOK
        + "    self.count_up()",
        "OutOfSteps",
        "steps",
    ),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", FAULTS)
def test_what_goes_wrong_ends_the_call_with_its_line(name, compiled, tmp_path):
    body, exception, word = FAULTS[name]
    run, line = run_file(tmp_path, strategy_of(body))
    strategy = run()["Idea"]()
    desk = Desk(strategy, compiled)
    desk.state["steps_max"] = 1000
    answer = desk.call("on_book", 0)
    assert answer != 0
    told = strategy.explain(answer)
    assert told.startswith(exception) and word in told and f", line {line}: " in told
    assert desk.state["count"][0] <= 1000


def test_a_budget_is_new_at_each_callback(tmp_path):
    text = strategy_of(BOOK + "    for k in range(600):\n        self.count += 1")
    for compiled in (True, False):
        desk = Desk(run_file(tmp_path, text)[0]()["Idea"](), compiled)
        assert desk.state["steps_max"][0] == STEPS_MAX
        desk.state["steps_max"] = 1000
        assert [desk.call("on_book"), desk.call("on_book")] == [0, 0]
        assert desk.state["count"][0] == 1200 and desk.state["steps_left"][0] == 400


def test_a_block_takes_steps_of_its_strategy_and_fails_at_its_own_line(tmp_path):
    text = """
    @hft.block
    class Looping:
        turns: int = hft.state()
        def run(self):
            while True:  # here
                self.turns += 1

        def share(self, k):
            self.turns = 5 // k + int(math.log(0.0))  # also

    @hft.strategy
    class Idea:
        many: Looping = hft.state(size=3)
        def on_book(self, ctx, i):
            self.many[i].run()

        def on_halt(self, ctx, i):
            self.many[1].share(i)
    """
    for compiled in (True, False):
        run, line = run_file(tmp_path, text)
        strategy = run()["Idea"]()
        desk = Desk(strategy, compiled)
        desk.state["steps_max"] = 77
        answer = desk.call("on_book", 2)
        assert answer and "OutOfSteps" in strategy.explain(answer)
        assert f", line {line}: `while True:" in strategy.explain(answer)
        assert desk.state["many"]["turns"][0].tolist() == [0, 0, 77]
        for i, exception in ((0, "ZeroDivisionError"), (1, "ValueError")):
            told = strategy.explain(desk.call("on_halt", i))
            assert told.startswith(exception) and "`self.turns = 5 // k" in told


def test_parameters_are_checked_and_told():
    assert QueueImbalance(edge_ticks=3).parameters == {"edge_ticks": 3, "clip": 100}
    assert QueueImbalance(edge_ticks=3).with_params(clip=200).parameters["clip"] == 200
    assert Everything(scale=2).parameters["scale"] == 2.0
    assert QueueImbalance(clip=np.int64(300)).parameters["clip"] == 300
    for wrong, words in (
        ({"edge_tick": 3}, "'edge_ticks'"),
        ({"edge_ticks": 9}, "above its bound 5.*from 1 to 5"),
        ({"edge_ticks": 0}, "below its bound 1"),
        ({"edge_ticks": 1.5}, "is a whole number"),
        ({"edge_ticks": True}, "is a whole number"),
        ({"edge_ticks": "2"}, "is a whole number"),
    ):
        with pytest.raises(hft.HftError, match=words):
            QueueImbalance(**wrong)
    with pytest.raises(hft.HftError, match="True or False"):
        Everything(careful=1)
    with pytest.raises(hft.HftError, match="is not a number"):
        Everything(scale=float("nan"))


def test_the_table_of_parameters_says_bounds_and_help():
    table = QueueImbalance.parameters_table().splitlines()
    assert table[1].split() == ["edge_ticks", "int", "1", "1", "to", "5", "ticks", "from", "fair"]


def test_a_class_and_a_strategy_show_their_parameters():
    assert repr(QueueImbalance).startswith("Strategy QueueImbalance")
    assert QueueImbalance.parameters_table() in repr(QueueImbalance)
    page = QueueImbalance(edge_ticks=3)._repr_html_()
    assert "<b>3</b>" in page and "1 to 5" in page and "ticks from fair" in page
    assert "<b>1</b>" not in QueueImbalance()._repr_html_()
    assert repr(QueueImbalance(edge_ticks=3)).startswith("QueueImbalance(edge_ticks=3")


def test_laying_out_writes_parameters_and_initial_state(tmp_path):
    text = """
    @hft.strategy
    class Idea:
        wait: int = hft.param("2ms", duration=True)
        side: int = hft.param(1, choices=(1, 2))
        fair: float = hft.state(float("nan"))
        levels: int = hft.state([1, 2, 3], size=3)
        started: bool = hft.state(True)
    """
    kind = run_file(tmp_path, text)[0]()["Idea"]
    strategy = kind(wait="5us")
    place = np.full(strategy.state_dtype.itemsize, 255, np.uint8).view(strategy.state_dtype)
    strategy.lay(place)
    assert place["wait"][0] == 5000 and place["side"][0] == 1 and np.isnan(place["fair"][0])
    assert place["levels"][0].tolist() == [1, 2, 3] and place["started"][0]
    assert place["calls"][0] == 0
    with pytest.raises(hft.HftError, match="none of 1, 2"):
        kind(side=3)
    with pytest.raises(hft.HftError, match="shape"):
        strategy.lay(np.zeros(2, strategy.state_dtype))


def test_defined_again_a_class_is_what_it_says_now(tmp_path):
    text = strategy_of(BOOK + "    self.count = {}")
    answers = []
    for value in (1, 2):
        desk = Desk(run_file(tmp_path, text.replace("{}", str(value)))[0]()["Idea"]())
        assert desk.call("on_book") == 0
        answers.append(int(desk.state["count"][0]))
    assert answers == [1, 2]


def test_a_class_in_a_function_sees_the_names_around_it():
    factor = 21

    @hft.strategy
    class Idea:
        total: int = hft.state()

        def on_book(self, ctx, i):
            self.total = 2 * factor

    for compiled in (True, False):
        desk = Desk(Idea(), compiled)
        assert desk.call("on_book") == 0 and desk.state["total"][0] == 42


def test_uncompiled_callbacks_print_and_break_as_python_does(tmp_path, capsys, monkeypatch):
    text = """
    @hft.strategy
    class Idea:
        count: int = hft.state()
        def on_book(self, ctx, i):
            print(f"seen {ctx.book(i).bid}")
            breakpoint()  # here
    """
    stops = []
    monkeypatch.setattr("sys.breakpointhook", lambda: stops.append(sys._getframe(1).f_lineno))
    run, line = run_file(tmp_path, text)
    desk = Desk(run()["Idea"](), compiled=False)
    assert desk.call("on_book") == 0
    assert capsys.readouterr().out == "seen 1000\n" and stops == [line]


def test_a_class_without_lines_is_refused():
    text = "import hftlib as hft\n@hft.strategy\nclass Idea:\n    x: int = hft.state()\n"
    with pytest.raises(hft.HftError, match="cannot be seen"):
        exec(compile(text, "<from text>", "exec"), {})


def test_a_method_s_defaults_are_its_own(tmp_path):
    text = strategy_of(
        "def three(self, x, y=2.5, z=7):\n    return x * y + z\n"
        + BOOK
        + "    self.fair = self.three(1.0) * 1000 + self.three(2.0, z=1)"
    )
    for compiled in (True, False):
        desk = Desk(run_file(tmp_path, text)[0]()["Idea"](), compiled)
        assert desk.call("on_book") == 0 and desk.state["fair"][0] == 9506.0


def test_a_cell_is_named_and_can_be_run_again():
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell.instance()
    cell = (
        "import hftlib as hft\n"
        "@hft.strategy\n"
        "class Idea:\n"
        "    count: int = hft.state()\n"
        "    def on_book(self, ctx, i):\n"
        "        self.count = 1\n"
    )
    for value in (1, 2):
        shell.run_cell(cell.replace("= 1", f"= {value}")).raise_error()
        desk = Desk(shell.user_ns["Idea"]())
        assert desk.call("on_book") == 0 and desk.state["count"][0] == value
    error = shell.run_cell(cell.replace("self.count", "self.cuont")).error_in_exec
    assert "In[" in str(error) and "line 6: `self.cuont = 1`" in str(error)


def test_bounds_of_a_duration_are_stated_as_its_values_are():
    made = hft.param("1ms", low="0s", high="2s", choices=("1ms", "500us"), duration=True)
    assert (made.low, made.high, made.choices) == (0, 2 * 10**9, (10**6, 500_000))
    assert hft.param(1.0, low=0, high=np.float64(2)).high == 2.0


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"low": "0s"}, "'0s' is no bound"),
        ({"low": "soon", "duration": True}, "'soon' does not read as a duration"),
        ({"high": [1]}, "is no bound"),
        ({"high": float("nan")}, "nan is no bound"),
        ({"low": True}, "True is no bound"),
        ({"choices": ["1 fortnight"], "duration": True}, "does not read as a duration"),
    ],
)
def test_bounds_that_are_none_are_a_sentence(given, what):
    with pytest.raises(hft.HftError, match=what):
        hft.param(1, **given)


def test_a_duration_beyond_its_bound_is_a_sentence_and_one_within_is_taken(tmp_path):
    text = """
    @hft.strategy
    class Idea:
        wait: int = hft.param("1ms", low="0s", high="1s", duration=True)
    """
    kind = run_file(tmp_path, text)[0]()["Idea"]
    assert kind(wait="0s").parameters["wait"] == 0 and kind().parameters["wait"] == 10**6
    with pytest.raises(hft.HftError, match="above its bound 1000000000"):
        kind(wait="2s")
