"""A page of verdicts: one fail fails it, the unknown is not good, nothing left out is silent."""

import json

import pytest

from hftlib.core.errors import HostError, InputError
from hftlib.research.validation.report import Report
from hftlib.research.validation.verdict import Verdict

GOOD = Verdict("edge", True, "It is there.", {"t": 3.0}, "<svg id='one'/>")
BAD = Verdict("cost stress", False, "<b>Gone</b> at twice.")
ODD = Verdict("capacity", None, "Too few fills.")


@pytest.mark.parametrize(
    ("verdicts", "passed"),
    [((GOOD,), True), ((GOOD, ODD), None), ((GOOD, ODD, BAD), False), ((), None)],
)
def test_one_fail_fails_and_the_unknown_is_not_good(verdicts, passed):
    report = Report("Maker on day", verdicts)
    assert report.passed is passed and bool(report) is (passed is True)


def test_the_page_has_everything_for_people_and_for_machines(tmp_path):
    report = Report("A & B", (GOOD, BAD, ODD), {"step": "1 s"}, {"stability": "It takes a sweep."})
    assert report.sentence == "1 of 3 pass; cost stress: fail; capacity: cannot tell."
    text = str(report)
    assert "cost stress" in text and "It takes a sweep." in text
    page = report.save(tmp_path / "page.html").read_text("utf-8")
    for part in ("A &amp; B", "<svg id='one'/>", "&lt;b&gt;Gone", "It takes a sweep.", "1 s"):
        assert part in page
    assert page.startswith("<!doctype html>") and "http" not in page
    told = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert told["verdict"] == "fail" and [one["name"] for one in told["verdicts"]] == [
        "edge", "cost stress", "capacity",
    ]  # fmt: skip
    assert told["left_out"] == {"stability": "It takes a sweep."}


def test_a_verdict_is_found_by_its_name():
    left = {"stability": "It takes a sweep."}
    report = Report("Maker", (GOOD, BAD), {}, left, ("edge", "stress_costs"))
    assert report.verdict("edge") is GOOD and report.verdict("stress_costs") is BAD
    assert report.verdict("cost stress") is BAD
    assert [one["key"] for one in report.as_json()["verdicts"]] == ["edge", "stress_costs"]
    for name, said in (("edg", "Did you mean 'edge'"), ("stability", "takes a sweep"), (7, "edge")):
        with pytest.raises(InputError, match=said):
            report.verdict(name)


def test_where_it_cannot_be_written_it_says_so(tmp_path):
    with pytest.raises(HostError, match="cannot be written"):
        Report("Maker", (GOOD,)).save(tmp_path / "none" / "page.html")
