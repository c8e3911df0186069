"""A verdict says pass, fail or cannot tell, and never takes the unknown for good."""

import json
import math

import numpy as np
import pytest

from hftlib.research.sheets import Sheet
from hftlib.research.validation.verdict import Verdict


@pytest.mark.parametrize(("passed", "word"), [(True, "pass"), (False, "fail"), (None, "cannot")])
def test_only_what_is_known_to_be_good_is_good(passed, word):
    verdict = Verdict("Overfitting", passed, "Why it is so.")
    assert bool(verdict) is (passed is True)
    assert verdict.word.startswith(word) and word in str(verdict) and word in verdict._repr_html_()


def test_figures_are_for_people_and_for_machines():
    figures = {"pbo": np.float64(0.25), "trials": np.int64(1_200), "known": math.nan, "by": [1, 2]}
    rows = Sheet("splits", ("split", "sharpe"), [(1, 0.5)])
    verdict = Verdict("Overfitting", False, "<b>not</b>", figures, "<svg/>", (rows,))
    page, said = verdict._repr_html_(), verdict.as_json()
    assert "<svg/>" in page and "&lt;b&gt;" in page and "splits" in page
    assert "1,200" in str(verdict) and "not known" in str(verdict)
    assert json.loads(json.dumps(said, allow_nan=False))["figures"] == {
        "pbo": 0.25,
        "trials": 1_200,
        "known": None,
        "by": [1, 2],
    }
