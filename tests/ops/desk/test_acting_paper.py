"""A paper session at a desk: what stops it, who may, and all that is refused, by real TLS."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import urlsplit

import httpx
import pytest
from desk_house import WORDS

from hftlib.core.journal import frames, kinds
from hftlib.core.journal.layout import TIME_MIN
from hftlib.ops.desk.journal_search import _words

WHY = "the fills are odd"
HALT = {"runner": "maker", "do": "halt", "scope": "strategy:QueueImbalance", "why": WHY}


@pytest.fixture
def control(paper):
    return paper.client(paper.urls["control"], "client")


@pytest.fixture
def operator(paper, control):
    """Who has a code left, at `control`."""
    made = paper.person("operator")
    control.login(made)
    return made


@pytest.fixture(scope="module")
def seated(paper):
    """One of the role risk who is logged in all day: for what needs no code."""
    client, member = paper.client(paper.urls["control"], "client"), paper.person("risk")
    client.login(member)
    client.member = member
    return client


def words_of(member, **more):
    """As a second person gives them, with a code that is none."""
    return {"user": member.name, "password": WORDS, "code": "000000"} | more


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def scopes(paper):
    return {one["scope"]: one["state"] for one in status(paper)["scopes"]}


def status(paper):
    from hftlib.ops.page_reading import PageReader, page_path

    with PageReader(page_path(paper.sockets / "maker.socket")) as reader:
        return reader.status()


def refused(paper, member, answer, code, words):
    """The right code, the three answers, and a line in the audit log."""
    assert answer.status_code == code, answer.text
    told = answer.json()
    assert set(told) == {"what", "where", "do"} and words in told["what"]
    lines = paper.lines(who=member.name if member else "nobody")
    assert any(told["what"] in str(line.facts.get("outcome")) for line in lines), lines
    return told


def test_what_the_desk_shows_is_what_the_runner_says(paper, control, operator):
    """Figures move on: each is between what the runner said before and what it says after."""
    before = status(paper)
    (seen,) = control.get("/api/state").json()["runners"]
    until(
        lambda: (
            control.get("/api/state").json()["runners"][0]["status"]["counts"]["frames"]
            > before["counts"]["frames"]
        )
    )
    (seen,) = control.get("/api/state").json()["runners"]
    after = status(paper)
    assert (seen["name"], seen["by"]) == ("maker", "page")
    for name in ("frames", "commands", "reports", "events"):
        counts = [one["counts"][name] for one in (before, seen["status"], after)]
        assert counts == sorted(counts)
    for name in ("mode", "journal", "scopes", "strategies", "pid"):
        assert seen["status"][name] == after[name]


def test_kill_stops_the_session_and_two_of_the_role_risk_let_it_go_on(paper, control, operator):
    body = {"runner": "maker", "do": "kill", "scope": "firm", "why": WHY}
    answer = control.act(operator, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "firm"
    until(lambda: scopes(paper)["firm"] == "halted" and status(paper)["open_orders"] == 0)
    commands = status(paper)["counts"]["commands"]
    time.sleep(0.5)
    assert status(paper)["counts"]["commands"] == commands, "nothing new leaves"
    asked, done = paper.lines(who=operator.name, did="act")
    assert (asked.what, asked.why) == ("kill firm at maker", WHY)
    assert (asked.facts["outcome"], done.facts["outcome"]) == ("allowed", "done")
    assert done.facts["address"] == "127.0.0.1" and done.facts["plane"] == "control"
    said = [
        _words(one)
        for one in frames(paper.journal, since=TIME_MIN)
        if one.kind == kinds.DIRECTIVE and WHY.encode() in one.payload
    ]
    assert said == [f"{operator.name} (trader): halted, scope 0: {WHY}"]

    first, second = paper.person("risk"), paper.person("risk")
    client = paper.client(paper.urls["control"], "client")
    client.login(first)
    lift = {"runner": "maker", "do": "lift", "scope": "firm", "why": "explained"}
    refused(paper, first, client.act(**lift, code="000000"), 403, "takes two people")
    alone = client.act(**lift, code="000000", second=words_of(first))
    refused(paper, first, alone, 403, "second person is the first")
    other = paper.person("operator")
    wrong = client.act(**lift, code="000000", second=other.words())
    refused(paper, first, wrong, 403, "not the role risk")
    wrong = client.act(**lift, code="000000", second=words_of(second, password="x" * 12))
    refused(paper, first, wrong, 403, "Name, password or code is wrong")
    assert scopes(paper)["firm"] == "halted"
    done = client.act(first, **lift, second=second.words())
    assert done.status_code == 200, done.text
    until(lambda: scopes(paper)["firm"] == "active" and status(paper)["open_orders"] > 0)
    assert paper.lines(who=first.name, did="act")[-1].facts["second"] == second.name


@pytest.mark.parametrize("role", ["researcher", "approver", "auditor"])
def test_who_only_looks_does_nothing(paper, control, role):
    member = paper.person(role)
    control.login(member)
    for do in ("halt", "reduce", "flatten", "lift", "limit", "kill"):
        more = {"name": "position_lots", "value": 5} if do == "limit" else {}
        answer = control.act(**(HALT | {"do": do, "code": "000000"} | more))
        refused(paper, member, answer, 403, f"{role} may not {do}")


def test_an_operator_loosens_nothing(paper, control, operator):
    for do, more in (("lift", {}), ("limit", {"name": "position_lots", "value": 5})):
        answer = control.act(**(HALT | {"do": do, "code": "000000"} | more))
        refused(paper, operator, answer, 403, f"operator may not {do}")


def test_a_missing_a_wrong_and_a_replayed_second_factor_are_refused(paper, control, operator):
    for code in ("", "000000"):
        refused(paper, operator, control.act(**HALT, code=code), 403, "code is wrong")
    used, scope = operator.code(), "instrument:AAA"
    done = control.act(**(HALT | {"do": "reduce", "scope": scope}), code=used)
    assert done.status_code == 200, done.text
    refused(paper, operator, control.act(**HALT, code=used), 403, "used already")
    assert scopes(paper)["strategy:QueueImbalance"] == "active"
    client, member = paper.client(paper.urls["control"], "client"), paper.person("operator")
    words = member.words()
    assert client.post("/api/login", words).status_code == 200
    again = client.post("/api/login", words)
    assert again.status_code == 401, "the code of a login is used up, too"
    assert paper.lines(did="refused", what="login on control")


def test_five_wrong_codes_end_a_session(paper):
    client, member = paper.client(paper.urls["control"], "client"), paper.person("operator")
    client.login(member)
    codes = []
    for _ in range(5):
        answer = client.act(**HALT, code="000000")
        codes.append(answer.status_code)
        if answer.status_code == 429:
            time.sleep(int(answer.headers.get("retry-after", 2)))
    assert set(codes) <= {403, 429} and 429 in codes


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": "https://evil.example"}, "Another site's page"),
        ({"Origin": "null"}, "Another site's page"),
        ({"Sec-Fetch-Site": "cross-site"}, "Another site's page"),
        ({"Sec-Fetch-Site": "same-site"}, "Another site's page"),
        ({"Origin": None, "Sec-Fetch-Site": None}, "which page asks"),
        ({"X-CSRF": None}, "lacks the word"),
        ({"X-CSRF": "A" * 43}, "lacks the word"),
    ],
)
def test_what_another_site_sends_is_refused(paper, seated, headers, words):
    answer = seated.act(**HALT, code="000000", headers=headers)
    refused(paper, seated.member if "word" in words else None, answer, 403, words)
    assert scopes(paper)["strategy:QueueImbalance"] == "active"


def test_a_form_of_another_site_is_no_json(seated):
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = seated.own | {"Content-Type": kind}
        assert seated.http.post("/api/act", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:8471"])
def test_another_name_for_the_host_is_refused(seated, host):
    for path in ("/", "/api/state", "/static/desk.js"):
        assert seated.get(path, Host=host).status_code == 421


def test_the_view_plane_acts_for_nobody(paper):
    view, member = paper.client(paper.urls["view"]), paper.person("risk")
    view.login(member)
    refused(paper, member, view.act(**HALT, code="000000"), 403, "This plane only looks")
    told = view.post("/api/alerts/acknowledge", {"id": "x", "why": "seen it"})
    refused(paper, member, told, 403, "This plane only looks")


def test_a_session_is_of_one_plane(paper, control, operator):
    (cookie,) = control.http.cookies.jar
    view = paper.client(paper.urls["view"])
    for name in (cookie.name, cookie.name.replace("control", "view")):
        answer = view.get("/api/state", Cookie=f"{name}={cookie.value}")
        assert answer.status_code == 401
    assert cookie.name == "__Host-hft-control" and cookie.secure
    assert {"HttpOnly", "SameSite"} <= {*cookie._rest} or cookie._rest["SameSite"] == "strict"


def test_who_has_left_or_changed_is_logged_out(paper):
    client, member = paper.client(paper.urls["control"], "client"), paper.person("operator")
    client.login(member)
    assert client.get("/api/me").json()["user"] == member.name
    assert client.post("/api/logout", {}).status_code == 200
    assert client.get("/api/me").status_code == 401
    client.login(member)
    paper.people.change(lambda found: found.pop(member.name) and None)
    assert client.get("/api/state").status_code == 401
    assert client.act(**HALT, code="000000").status_code == 401


def test_a_token_looks_or_tightens_and_never_loosens(paper, control):
    looks, acts = paper.person("risk"), paper.person("risk")
    look, act = paper.token(looks, "look"), paper.token(acts, "act")
    bearer = {"Authorization": f"Bearer {look}"}
    assert control.get("/api/state", **bearer).status_code == 200
    refused(paper, looks, control.act(**HALT, headers=bearer), 403, "may only look")
    bearer = {"Authorization": f"Bearer {act}", "Origin": None, "Sec-Fetch-Site": None}
    body = HALT | {"scope": "instrument:BBB", "do": "reduce"}
    assert control.act(**body, headers=bearer).status_code == 200
    lift = HALT | {"scope": "instrument:BBB", "do": "lift"}
    refused(paper, acts, control.act(**lift, headers=bearer), 403, "cannot loosen")
    over = paper.token(looks, "look", until_ns=1)
    for wrong in (over, look, "hft_", "x" * 5_000):
        assert control.get("/api/state", Authorization=f"Bearer {wrong}").status_code == 401


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"runner": "other"}, 404, "no runner"),
        ({"do": "explode"}, 400, "nothing to do"),
        ({"why": ""}, 400, "does not say why"),
        ({"why": "é" * 40}, 400, "does not say why"),
        ({"why": "a\x1b[2Jb"}, 400, "no text that can be"),
        ({"scope": 7}, 400, "no text that can be"),
        ({"do": "limit", "name": "position_lots"}, 400, "no limit and no value"),
        ({"do": "limit", "name": "position_lots", "value": True}, 400, "no limit and no value"),
        ({"second": "bob"}, 400, "who the second person is"),
        ({"sudo": True}, 400, "There is no 'sudo'"),
    ],
)
def test_what_is_no_action_is_refused(paper, seated, more, code, words):
    answer = seated.act(**(HALT | {"code": "000000"} | more))
    refused(paper, seated.member, answer, code, words)


def test_what_the_runner_refuses_is_refused_here(paper):
    limit = {"do": "limit", "scope": "firm", "name": "position_lots"}
    for body, code, words in (
        ({"scope": "strategy:Nobody"}, 400, "no strategy"),
        (limit | {"name": "no_such", "value": 1}, 400, "not one limit"),
        (limit | {"value": 10**6}, 200, ""),  # there was none: that is tighter
        (limit | {"value": 10**7}, 403, "two people"),
    ):
        client, member = paper.client(paper.urls["control"], "client"), paper.person("risk")
        client.login(member)
        answer = client.act(member, **(HALT | body))
        if code == 200:
            assert answer.status_code == 200, answer.text
        else:
            refused(paper, member, answer, code, words)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 9_000, b"x" * 20_000])
def test_what_is_no_body_is_refused(seated, body):
    headers = seated.own | {"Content-Type": "application/json", "X-CSRF": seated.csrf}
    answer = seated.http.post("/api/act", content=body, headers=headers)
    assert answer.status_code == (413 if len(body) > 16_384 else 400)
    assert "what" in answer.json()


def test_only_tls_1_3_and_on_control_only_with_a_certificate(paper):
    view, control = (urlsplit(paper.urls[name]) for name in ("view", "control"))
    old = ssl.create_default_context(cafile=paper.folder / "tls" / "authority.pem")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for place in (view, control):
        own = socket.create_connection((place.hostname, place.port))
        with own, pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(own, server_hostname="127.0.0.1")
    new = paper.client(paper.urls["view"])
    assert new.get("/").status_code == 200, "the view plane asks nobody for a certificate"
    with pytest.raises(httpx.HTTPError):
        paper.client(paper.urls["control"]).get("/")
    # A certificate of another authority is none.
    assert paper.run("desk", "certificate", "--into", "other").returncode == 0
    strange = ssl.create_default_context(cafile=paper.folder / "tls" / "authority.pem")
    strange.load_cert_chain(
        paper.folder / "other" / "client.pem", paper.folder / "other" / "client.key"
    )
    with pytest.raises(httpx.HTTPError):
        httpx.get(paper.urls["control"], verify=strange)
    # And the server's own certificate is no client's.
    with pytest.raises(httpx.HTTPError):
        paper.client(paper.urls["control"], "server").get("/")
    until(lambda: len(paper.lines(did="refused", what="TLS on control")) >= 4)
    said = {line.facts["outcome"] for line in paper.lines(did="refused", what="TLS on control")}
    assert "No TLS with them: unsupported protocol" in said
    assert "No TLS with them: peer did not return a certificate" in said
    assert paper.lines(did="refused", what="TLS on view")


def test_without_an_audit_log_what_tightens_is_done_and_what_loosens_is_not(paper, seated):
    """As on a full disk, where a line cannot be added."""
    trader, lifter = paper.person("operator"), paper.person("risk")
    clients = [paper.client(paper.urls["control"], "client") for _ in range(2)]
    for client, member in zip(clients, (trader, lifter), strict=True):
        client.login(member)
    away = paper.audit.rename(paper.folder / "away.log")
    try:
        body = {"runner": "maker", "scope": "instrument:DDD", "why": WHY}
        done = clients[0].act(trader, do="halt", **body)
        assert done.status_code == 200 and "cannot be used" in done.json()["audit"]
        assert scopes(paper)["instrument:DDD"] == "halted"
        answer = clients[1].act(lifter, do="lift", **body)
        assert answer.status_code == 503 and "audit log" in answer.json()["what"]
        assert scopes(paper)["instrument:DDD"] == "halted"
        found = seated.get("/api/journal?runner=maker&limit=3")
        assert found.status_code == 503, "nor is a journal looked into"
    finally:
        away.rename(paper.audit)
    assert seated.get("/api/journal?runner=maker&limit=3").status_code == 200
    assert paper.lines(did="recover")
    assert seated.get("/api/me").json()["audit"] == ""
