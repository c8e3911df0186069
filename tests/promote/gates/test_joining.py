"""Several answers as one: a fail fails all, what is not known leaves it unknown."""

import pytest

from hftlib.core.errors import InputError
from hftlib.promote.gates.joining import answer, joined
from hftlib.research.validation.verdict import Verdict


def made(*answers):
    return joined("All", {str(n): Verdict(f"V{n}", one, f"It is {n}") for n, one in
                          enumerate(answers)})  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "passed", "sentence"),
    [
        ((True, True), True, "V0: It is 0. V1: It is 1."),
        ((True, None), None, "V1: It is 1."),
        ((None, False), False, "V1: It is 1."),
    ],
)
def test_the_worst_answer_decides_and_has_its_say(answers, passed, sentence):
    verdict = made(*answers)
    assert (verdict.passed, verdict.sentence) == (passed, sentence)
    assert verdict.figures["0"] == Verdict("", answers[0], "").word


def test_a_question_that_is_refused_is_not_known():
    def refuse():
        raise InputError("Too short", where="here", do="Take a longer day.")

    verdict = answer("Walk", refuse)
    assert verdict.passed is None and verdict.sentence.startswith("Too short.")
