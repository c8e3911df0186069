"""A gate in a real kernel: only one verdict at the end of a whole notebook is an answer."""

import json

import pytest

from hftlib.core.errors import InputError
from hftlib.promote.judging import judge
from tests.promote.small_gates import FAIL, PASS, gate

GIVEN = {"module": "m.py", "strategy": "Maker", "parameters": {"edge": 2}, "least": 3}


def judged(tmp_path, text, seconds=60):
    return judge(gate(tmp_path / "desk", text, seconds), GIVEN, tmp_path)


def test_a_verdict_is_read_out_of_the_executed_notebook(tmp_path):
    one = judged(tmp_path, FAIL)
    assert (one.verdict.passed, one.is_final) == (False, True)
    assert one.verdict.sentence == "Maker is below 3." and one.seconds > 0
    assert one.verdict.figures == {"least": 3, "share": 0.5}
    executed = json.loads(one.notebook.read_text())
    assert 'strategy = "Maker"' in str(executed["cells"])
    assert "fail" in one.page.read_text() and "Maker is below 3." in one.page.read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError('the market is closed')", "cell 3 failed: ValueError: the market is"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "its kernel died"),
        ("least + 1", "it ended with no verdict"),
        (f"{PASS.splitlines()[0]}\ndisplay(Verdict('a', True, 'b'))\n{PASS}", "2 verdicts"),
    ],
)
def test_what_is_no_answer_is_no_pass(tmp_path, text, said):
    one = judged(tmp_path, text)
    assert one.verdict.passed is None and not one.is_final and not one.verdict
    assert said in one.verdict.sentence and "\x1b" not in one.verdict.sentence
    assert "cannot tell" in one.page.read_text()


def test_one_that_hangs_is_ended_at_its_time_limit(tmp_path):
    one = judged(tmp_path, "while True: pass", seconds=3)
    assert one.verdict.passed is None and "not done after 3 s" in one.verdict.sentence
    assert one.seconds < 45


def test_an_unknown_parameter_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no parameter most"):
        judge(gate(tmp_path, PASS), GIVEN | {"most": 4}, tmp_path)
    assert not list(tmp_path.glob("*.html"))
