"""The folder of alerts: what the desk calls, what two processes do at once, what damage says."""

from __future__ import annotations

import json
import threading

import pytest

from hftlib.core.audit import read_audit
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.ops.alerts.board import Board, acknowledge, alerts_of, mute, mutes_of
from hftlib.ops.alerts.muting import until_ns

ONE = {
    "id": "A1", "rule": "halted", "severity": "critical", "runner": "maker", "key": "firm",
    "said": "firm is halted", "value": "halted", "since_ns": 5, "state": "firing", "by": "",
    "why": "",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    with Board(tmp_path / "alerts").held() as board:
        board["alerts"] += [ONE, ONE | {"id": "A2", "state": "resolved", "since_ns": 9}]
        board["alerts"].append(ONE | {"id": "A3", "since_ns": 7})
    return tmp_path / "alerts"


def test_what_is_open_comes_first_and_the_newest_of_it(folder, tmp_path):
    assert [one["id"] for one in alerts_of(folder)] == ["A3", "A1", "A2"]
    assert set(alerts_of(folder)[0]) == set(ONE) - {"key"}
    assert alerts_of(tmp_path / "none") == []


def test_who_acknowledges_is_on_the_board_and_in_the_log(folder):
    told = acknowledge(folder, "A1", "ann", "I am\non it")
    assert told["state"] == "acknowledged" and told["by"] == "ann"
    assert next(one for one in alerts_of(folder) if one["id"] == "A1") == told
    (line,) = read_audit(folder / "alerts.log")
    assert (line.who, line.did, line.what) == ("ann", "acknowledged", "A1 halted maker")
    assert line.why == "I am on it"


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (("A9", "ann", "x"), InputError, "There is no alert 'A9'"),
        (("A2", "ann", "x"), StateError, "A2 is resolved already"),
        (("A1", "ann", " "), InputError, "why must be said"),
        (("A1", "", "x"), InputError, "who must be said"),
        (("A1", "ann", "x" * 301), InputError, "why must be said"),
        (("A1", "a\x1b[2J", "x"), InputError, "who must be said"),
    ],
)
def test_what_cannot_be_acknowledged_is_said(folder, given, kind, said):
    before = alerts_of(folder)
    with pytest.raises(kind, match=said):
        acknowledge(folder, *given)
    assert alerts_of(folder) == before


def test_a_mute_lasts_until_it_is_over_or_ended(folder):
    mute(folder, "halted", 2**62, "ann", "a drill")
    assert [one["rule"] for one in mutes_of(folder)] == ["halted"]
    mute(folder, "halted", 1, "bob", "it is over")
    assert mutes_of(folder) == []
    assert [(one.who, one.did) for one in read_audit(folder / "alerts.log")] == [
        ("ann", "muted"), ("bob", "muted")]  # fmt: skip


def test_until_when_is_said_in_words():
    now = 1_795_000_000 * 10**9
    assert until_ns("2h", now) - now == 7_200 * 10**9
    assert until_ns("now", now) == now
    assert until_ns("2026-11-18T12:00", now) > now
    for text in ("8d", "0m", "yesterday", "2020-01-01", "-1h", "1w", ""):
        with pytest.raises(InputError) as caught:
            until_ns(text, now)
        assert caught.value.where == "--until"


def test_many_at_once_lose_nothing(folder):
    def count():
        board = Board(folder)
        for _ in range(25):
            with board.held() as found:
                found["number"] += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with Board(folder).held() as found:
        assert found["number"] == 100


@pytest.mark.parametrize(
    "text", ["", "[]", '{"alerts": []}', "{", '{"number":0,"alerts":[1],"mutes":[],"acts":{}}']
)
def test_a_board_that_is_none_is_said_and_not_written_over(folder, text):
    (folder / "board.json").write_text(text)
    with pytest.raises(InputError, match="This is no board of alerts"):
        alerts_of(folder)
    with pytest.raises(InputError, match="no board"):
        acknowledge(folder, "A1", "ann", "x")
    assert (folder / "board.json").read_text() == text


def test_a_folder_that_cannot_be_is_said(folder):
    place = folder / "board.json" / "x"
    with pytest.raises(HostError, match="Alerts cannot lie there"), Board(place).held():
        pass


def test_a_log_that_takes_nothing_is_known_and_said_to_a_person(folder):
    (folder / "alerts.log").write_text("torn")
    (folder / "alerts.log").chmod(0o600)
    board = Board(folder)
    board.note("alerts", "fired", "x")
    assert "no end" in board.wrong
    with pytest.raises(HostError, match="no end"):
        acknowledge(folder, "A1", "ann", "x")
    assert json.loads((folder / "board.json").read_text())["alerts"][0]["state"] == "acknowledged"
