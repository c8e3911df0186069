"""A verdict says pass, fail or cannot tell, and never takes the unknown for good."""

import json
import math

import numpy as np
import pytest

from hftlib.core.errors import InputError
from hftlib.research.sheets import Sheet
from hftlib.research.validation.verdict import MIME, Verdict, verdict_of


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


def test_a_notebook_keeps_it_for_machines_and_they_read_it_again():
    verdict = Verdict("Overfitting", None, "It is too short.", {"steps": 7, "t": math.nan})
    bundle = verdict._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/html", "text/plain"}
    again = verdict_of(json.loads(json.dumps(bundle[MIME])))
    assert again.as_json() == verdict.as_json() and again.passed is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"passed": True}, "not say the same"),
        ({"passed": 0}, "not say the same"),
        ({"passed": "yes"}, "not say the same"),
        ({"verdict": "pass"}, "not say the same"),
        ({"sentence": " "}, "gives no reason"),
        ({"sentence": 7}, "a wrong kind"),
        ({"figures": []}, "a wrong kind"),
        ({"more": 1}, "lacks a part"),
    ],
)
def test_what_is_no_verdict_is_none(change, said):
    told = Verdict("Overfitting", False, "It is.").as_json() | change
    with pytest.raises(InputError, match=said):
        verdict_of(told)
    for other in (None, 7, "pass", [], {}):
        with pytest.raises(InputError):
            verdict_of(other)
