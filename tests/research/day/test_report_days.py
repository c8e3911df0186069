"""Every sort of day gives a page; what cannot be one is a sentence."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser

import day_desk
import pytest

import hftlib as hft
from hftlib.core.audit import AuditLog
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import Journal, frames
from hftlib.engine.live.replaying import about
from hftlib.research.day.page import whole
from hftlib.research.day.report import day_report

VOID = {"meta", "br", "img", "hr", "link", "input", "line", "rect", "path", "circle", "polyline"}
SECTIONS = ("what", "money", "execution", "risk", "actions", "incidents", "parity", "evidence")


class Page(HTMLParser):
    """Whether every element that was opened is closed, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.sections, self.scripts = [], [], [], 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.loads += [one for name, one in given.items() if name in ("src", "href")]
        self.scripts += tag == "script"
        if tag == "section":
            self.sections.append(given["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """Closed at once."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


def looked_at(report):
    """The page, whole and without anything to load."""
    text = whole(report)
    page = Page(text)
    assert tuple(page.sections) == SECTIONS and page.scripts == 0
    assert all(one.startswith("#") for one in page.loads)
    assert "url(" not in text and "@import" not in text
    json.dumps(report.figures, allow_nan=False)
    return text


def test_a_traded_day_says_all_of_it(traded):
    report = day_report(traded, replay=True)
    text = looked_at(report)
    for said in ("paper", "Joiner", "QueueImbalance", "frm1a at HFTX", "identical",
                 "in 2 processes", report.sessions[0].verified.head, "clip = 100",
                 "spread captured", "frame to wire",
                 "order, there and back", "Live beside backtest", "explained"):  # fmt: skip
        assert said in text, said
    assert report.figures["sessions"][0]["replay"]["verdict"] == "identical"
    assert report.figures["parity"]["day.journal"]["closeness"]
    assert text.count("<svg") >= 4


def test_what_people_did_stands_there_with_who_and_why(report):
    did = [(row["did"], row["who"], row["why"], row["outcome"]) for row in report.actions]
    assert ("halt", day_desk.EVIL, "odd <i>fills</i>", "done") in did
    assert ("lift", "bob", "explained", "done") in did
    assert ("limit", "bob", "calm", "done") in did
    (alone,) = [row for row in report.actions if row["who"] == "eve"]
    assert alone["did"] == "lift" and alone["outcome"] not in ("", "done")
    limit = next(row for row in report.actions if row["did"] == "limit")
    assert limit["what"] == "instrument:AAA: position_lots = 400" and limit["role"] == "risk"


def test_names_of_strangers_are_text(report):
    text = looked_at(report)
    assert "<b>&\"'=cmd" not in text and "&lt;b&gt;&amp;&quot;&#x27;=cmd" in text
    assert "odd &lt;i&gt;fills&lt;/i&gt;" in text and "<i>fills" not in text


def test_restarts_clocks_and_reconciliations_are_incidents(report):
    kinds = [row["kind"] for row in report.incidents]
    assert kinds.count("restart") == 2 and "reconciliation" in kinds and "connection" in kinds
    times = [row["time_ns"] for row in report.incidents]
    assert times == sorted(times)
    clocks = report.tables["clocks"]
    assert len(clocks) >= 2 and clocks[0]["why"] == "first"
    for row in clocks:
        if row["error_ns_max"] is not None:
            assert row["divergence_ns_max"] == abs(row["offset_ns"]) + row["error_ns_max"]


def test_a_shadow_a_quiet_day_and_a_switch_have_pages(shadowed, quiet, switched):
    assert "nothing was sent, a model of the venue answered" in looked_at(day_report(shadowed))
    text = looked_at(day_report(quiet))
    assert "Nothing was sent" in text and "nothing to hold beside a backtest" in text
    text = looked_at(day_report(*switched, parity=False))
    assert "One after the other" in text and "switch" in text and "stroke-dasharray" in text


def test_a_journal_with_nothing_but_its_first_frame(quiet, tmp_path):
    empty = tmp_path / "empty.journal"
    Journal.create(empty, about(quiet)).close()
    report = day_report(empty)
    text = looked_at(report)
    assert report.totals == [] and "paper" in text
    report.save(tmp_path / "kept", pdf=False)


def test_a_killed_day_is_one_that_was_cut_off(traded, tmp_path):
    killed = tmp_path / "killed.journal"
    first = about(traded)
    with_some = Journal.create(killed, first)
    for frame in list(frames(traded))[1:2000]:
        with_some.append(frame.kind, frame.time, frame.payload, frame.source)
    with_some._leave()
    report = day_report(killed, parity=False)
    assert report.figures["sessions"][0]["ended"].startswith("it was cut off")
    assert looked_at(report)


def test_a_damaged_one_is_refused_and_what_is_whole_is_told_when_asked(copied):
    segment = copied / "000000.segment"
    data = bytearray(segment.read_bytes())
    some = list(frames(copied))
    at = data.rindex(max((one.payload for one in some[len(some) // 2 : -5]), key=len))
    data[at] ^= 1
    segment.write_bytes(data)
    with pytest.raises(StateError, match=r"The journal is damaged.*--damaged"):
        day_report(copied)
    before = segment.read_bytes()
    report = day_report(copied, damaged=True)
    assert segment.read_bytes() == before, "it is looked at, and left as it is"
    (one,) = report.sessions
    assert 0 < one.facts.frames < len(some) and one.result is not None
    text = looked_at(report)
    assert "is damaged" in text and "were left out" in text
    assert "the journal is damaged" in text, "no backtest is held beside it"
    assert all(row["frame"] <= one.verified.frames for row in report.tables["orders"])


def test_one_that_replays_otherwise_has_what_its_bytes_say(copied, tmp_path):
    other = tmp_path / "other.journal"
    first = about(copied)
    first["strategies"][1]["params"] = {"edge_ticks": 4}
    made = Journal.create(other, first)
    for frame in list(frames(copied))[1:]:
        made.append(frame.kind, frame.time, frame.payload, frame.source)
    made.close()
    report = day_report(other, replay=True)
    assert (
        report.sessions[0].result is None and "does not replay" in report.not_told[0:9].__repr__()
    )
    text = looked_at(report)
    assert "has no figures" in text and "different" in text
    assert report.orders["orders"] > 50, "the wire says so whatever decided it"


def test_audit_and_alerts_stand_beside_the_journal(traded, report, tmp_path):
    log = AuditLog(tmp_path / "audit.log")
    log.append(who="dan", did="look", what="journal", why="a <question>", role="auditor")
    log.append(who="dan", did="look", what="journal", why="again", role="auditor")
    folder = tmp_path / "alerts"
    folder.mkdir()
    AuditLog(folder / "alerts.log").append(
        who="rules", did="fired", what="reject rate", severity="critical", said="9 % rejected"
    )
    made = day_report(traded, audit=tmp_path / "audit.log", alerts=folder, parity=False)
    fired = [row for row in made.incidents if row["kind"] == "alert"]
    assert [row["severity"] for row in fired] == ["critical"] and "9 % rejected" in fired[0]["what"]
    seen = [row for row in made.actions if row["source"] == "audit log"]
    assert [(row["who"], row["role"], row["did"]) for row in seen] == [
        ("dan", "auditor", "look")
    ] * 2
    text = looked_at(made)
    assert "a &lt;question&gt;" in text and "9 % rejected" in text
    told = "\n".join(made.not_told)
    assert "audit" not in told and "alerts" not in told
    data = bytearray((tmp_path / "audit.log").read_bytes())
    data[data.index(b"dan")] ^= 1
    (tmp_path / "audit.log").write_bytes(data)
    with pytest.raises(HftError):
        day_report(traded, audit=tmp_path / "audit.log", parity=False)


def test_what_is_no_journal_is_a_sentence(traded, tmp_path):
    with pytest.raises(InputError, match="There is no journal"):
        day_report(tmp_path / "nowhere")
    with pytest.raises(InputError, match="This is no journal"):
        day_report(tmp_path)
    with pytest.raises(InputError, match="No journal is given"):
        day_report()
    with pytest.raises(InputError, match="A int is no journal"):
        day_report(7)
    with pytest.raises(InputError, match="Two journals are called"):
        day_report(traded, traded)
    with pytest.raises(InputError, match="There is nothing"):
        day_report(traded, alerts=tmp_path / "none")
    with pytest.raises(HftError):
        day_report(traded, audit=tmp_path / "none")
    strange = tmp_path / "strange.journal"
    Journal.create(strange, {"what": "exchange"}).close()
    with pytest.raises(InputError, match="no journal of a runner"):
        day_report(strange)


def test_in_a_notebook_it_shows_itself(traded):
    made = hft.day_report(traded, parity=False)
    text = made._repr_html_()
    assert text.startswith("<style>") and "<html" not in text and 'class="hft-day"' in text
    assert repr(made).startswith("<Report of day.journal: ")
    assert not (set(Page(text).sections) ^ set(SECTIONS))


def test_a_journal_that_is_still_written_is_told_as_far_as_it_is(quiet, tmp_path):
    place = tmp_path / "live.journal"
    made = Journal.create(place, about(quiet))
    for frame in list(frames(quiet))[1:-2]:
        made.append(frame.kind, frame.time, frame.payload, frame.source)
    report = day_report(place, parity=False)
    assert report.figures["sessions"][0]["verified"]["state"] == "live"
    assert looked_at(report)
    made.close()


def test_a_page_of_a_day_can_be_saved_anywhere_but_over_another(report, tmp_path):
    place = report.save(tmp_path / "kept", pdf=False)
    assert (place / "report.html").read_text().startswith("<!doctype html>")
    with pytest.raises(StateError, match="There is something already"):
        report.save(place)
    with pytest.raises(HftError, match="cannot be written"):
        report.save(tmp_path / "no" / "where", pdf=False)
    shutil.rmtree(place)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
