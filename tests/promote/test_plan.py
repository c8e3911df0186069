"""A plan says every gate and every threshold, and is refused with a sentence where it does not."""

from pathlib import Path

import pytest

from hftlib.core.errors import InputError
from hftlib.promote.plan import found_plan, parameters_of, read_plan, told_of
from tests.promote.small_gates import HEAD, PASS, desk, notebook, section

ROOT = Path(__file__).parents[2]


def test_our_own_plan_is_one():
    plan = read_plan(ROOT / "pipelines" / "promotion.toml")
    assert [name[:2] for name in plan.gates] == [f"{n:02}" for n in range(1, 12)]
    assert all(gate.seconds_max and gate.thresholds for gate in plan.gates.values())
    assert Path(plan.market["limits"]).is_file() and found_plan(None).name == "promotion.toml"


def test_a_gate_is_told_what_it_asks_for_and_its_thresholds(tmp_path):
    gate = read_plan(desk(tmp_path, **{"01_quick": PASS})).gates["01_quick"]
    everything = {"module": "x.py", "strategy": "X", "parameters": {"a": 1}, "days": ["d"]}
    assert told_of(gate, everything) == {
        "module": "x.py", "strategy": "X", "parameters": {"a": 1}, "least": 3,
    }  # fmt: skip
    assert gate.title == "Quick"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('notebooks = "gates"', "", "no line 'notebooks'"),
        ('notebooks = "gates"', "notebooks = 7", "no line 'notebooks'"),
        ('notebooks = "gates"', 'notebooks = "nowhere"', "no folder"),
        ('notebooks = "gates"', 'notebooks = "gates"\nodd = 1', "no setting 'odd'"),
        ("[market]", "[market]\nlatencies = 1", "no setting 'latencies'"),
        ('queue = "auto"', "queue = 7", "queue is no text"),
        ('queue = "auto"', "", "queue is no text"),
        ('"limits.toml"', '"none.toml"', "no file of limits 'none.toml'"),
        ("seeds = [1]", "seeds = [2]", "A seed stands there twice"),
        ("seeds = [1]", "seeds = []", "says no days"),
        ("seeds = [1]", 'seeds = ["1"]', "says no days"),
        ("unseen_seeds = [2]", "", "says no days"),
        ("seconds = 5", "seconds = 0", "says no days"),
        ("seconds = 5", 'tapes = ["a.tape"]', "no setting 'symbols'"),
        ("[gates.01_quick]", "[gates.02_quick]", "This gate has no notebook"),
        ("seconds_max = 60", "", "is no time limit"),
        ("seconds_max = 60", "seconds_max = 1.5", "is no time limit"),
        ("seconds_max = 60", "seconds_max = true", "is no time limit"),
        ("seconds_max = 60", "seconds_max = 0", "is no time limit"),
        ("seconds_max = 60", "seconds_max = 60\nalone = 1", "is neither true nor false"),
        ("least = 3", "", "does not say least"),
        ("least = 3", "least = 3\nmost = 4", "no setting 'most'"),
        ("least = 3", "least = 3.5", "of another kind"),
        ("least = 3", "least = true", "of another kind"),
        ("least = 3", "least = 3\nleast = 4", "This is no TOML"),
        ("[gates.01_quick]", "[[gates.01_quick]]", "A gate is a table"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path, before, after, said):
    plan = desk(tmp_path, **{"01_quick": PASS})
    text = plan.read_text()
    assert before in text
    plan.write_text(text.replace(before, after))
    with pytest.raises(InputError, match=said):
        read_plan(plan)


def test_a_notebook_without_a_gate_is_refused(tmp_path):
    plan = desk(tmp_path, **{"01_quick": PASS})
    notebook(tmp_path / "gates" / "02_more.ipynb", PASS)
    with pytest.raises(InputError, match=r"02_more\.ipynb is no gate"):
        read_plan(plan)
    plan.write_text(HEAD + section("01_quick"))
    with pytest.raises(InputError, match="02_more"):
        read_plan(plan)


def test_a_plan_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no UTF-8"):
        read_plan(tmp_path / "odd.toml")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"parameters": None}, "has 0 cells of parameters"),
        ({"tags": 2}, "has 2 cells of parameters"),
        ({"parameters": "import os"}, "more than plain values"),
        ({"parameters": "a = open('x')"}, "more than plain values"),
        ({"parameters": "a = "}, "more than plain values"),
    ],
)
def test_a_notebook_has_one_cell_of_plain_parameters(tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        parameters_of(notebook(tmp_path / "odd.ipynb", PASS, **settings))


def test_what_is_no_notebook_is_refused(tmp_path):
    for text in ("", "{}", "[]", '{"cells": 7}', '{"cells": [7]}'):
        (tmp_path / "odd.ipynb").write_text(text)
        with pytest.raises(InputError, match="no notebook"):
            parameters_of(tmp_path / "odd.ipynb")
