"""Alerts on the desk: shown to all who look, acknowledged by those who may, with who and why."""

from __future__ import annotations

import pytest

pytest.importorskip("hftlib.ops.alerts.board", reason="the alerts are not part of this tree")

ONE = {"id": "A1", "rule": "disk-low", "severity": "warning", "runner": "maker", "said": "3 GiB"}
ONE |= {"value": 3.0, "since_ns": 5, "state": "firing", "by": "", "why": ""}


@pytest.fixture
def board(house):
    from hftlib.ops.alerts.board import Board

    folder = house.folder / "alerts"
    with Board(folder).held() as found:
        found["alerts"].append(dict(ONE))
    return folder


def test_an_alert_is_shown_and_acknowledged_once_somebody_may(house, board):
    from hftlib.ops.alerts.board import alerts_of

    operator, auditor = house.person("operator"), house.person("auditor")
    urls = house.desk("--alerts", board)
    client, other = house.client(urls["control"]), house.client(urls["control"])
    client.login(operator)
    other.login(auditor)
    assert client.get("/api/alerts").json() == [ONE]
    assert client.get("/api/state").json()["alerts"] == [ONE]
    body = {"id": "A1", "why": "moving journals"}
    assert other.post("/api/alerts/acknowledge", body).status_code == 403
    for wrong in ({"id": "A9", "why": "moving journals"}, {"id": "A1", "why": ""}, {}):
        assert client.post("/api/alerts/acknowledge", wrong).status_code == 400
    crossed = client.post("/api/alerts/acknowledge", body, Origin="https://evil.example")
    assert crossed.status_code == 403
    assert alerts_of(board)[0]["state"] == "firing"
    done = client.post("/api/alerts/acknowledge", body)
    assert done.status_code == 200, done.text
    (one,) = alerts_of(board)
    assert (one["state"], one["by"], one["why"]) == ("acknowledged", operator.name, body["why"])
    (line,) = house.lines(did="acknowledge")
    assert (line.who, line.what, line.why) == (operator.name, "alert A1", body["why"])
    assert len(house.lines(did="refused", what="acknowledge on control")) == 5


def test_a_board_that_is_damaged_says_so_and_ends_nothing(house, board):
    (board / "board.json").write_text("{")
    found = house.desk("--alerts", board)
    (told,) = house.client(found["view"]).get("/api/alerts").json()
    assert told["severity"] == "critical" and "no board" in told["said"]
