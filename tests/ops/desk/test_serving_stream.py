"""The stream: what everybody gets, who is dropped, and that a session's end ends it."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from hftlib.ops.desk.streaming import STREAMS_MAX


@pytest.fixture
def open_desk(house):
    """Nobody is known there: all of this host may look."""
    found = house.desk()
    assert found["control"] == "" and "hft access add" in found["why"]
    return found


def events(url, count, **given):
    made = []
    with httpx.stream("GET", f"{url}/api/stream", timeout=20.0, **given) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                made.append((kind, json.loads(line.removeprefix("data: "))))
                if len(made) == count:
                    break
    return made


def stalled(url):
    """A client that asks for the stream and reads nothing, with the smallest window there is."""
    place = urlsplit(url)
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 10)
    own.connect((place.hostname, place.port))
    own.sendall(f"GET /api/stream HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    return own


def memory_kib(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def test_each_look_comes_once_and_in_order(open_desk):
    found = events(open_desk["view"], 4)
    assert [kind for kind, _ in found] == ["state"] * 4
    times = [state["time_ns"] for _, state in found]
    assert times == sorted(set(times))
    assert all(state["runners"] == [] for _, state in found)


def test_who_reads_nothing_holds_up_nobody_and_nothing_grows(open_desk):
    lazy = [stalled(open_desk["view"]) for _ in range(20)]
    events(open_desk["view"], 2)
    before = memory_kib(open_desk["process"])
    assert len(events(open_desk["view"], 12)) == 12, "the others go on"
    assert memory_kib(open_desk["process"]) - before < 4_096
    for one in lazy:
        one.close()


def test_one_too_many_is_told_and_has_a_place_once_another_goes(open_desk):
    many = [stalled(open_desk["view"]) for _ in range(STREAMS_MAX)]
    url = f"{open_desk['view']}/api/stream"
    until = time.monotonic() + 20
    while True:
        with httpx.stream("GET", url, timeout=20.0) as answer:
            if answer.status_code == 503:
                assert "listen already" in answer.read().decode()
                break
        many.append(stalled(open_desk["view"]))  # the first may have been cut off meanwhile
        assert time.monotonic() < until
    assert httpx.get(f"{open_desk['view']}/api/state").status_code == 200
    many.pop().close()
    until = time.monotonic() + 20
    while True:
        with httpx.stream("GET", url, timeout=20.0) as answer:
            if answer.status_code == 200:
                break
        assert time.monotonic() < until
        time.sleep(0.1)
    for one in many:
        one.close()


def test_a_desk_that_is_told_to_end_ends_its_streams(house, open_desk):
    found = []
    thread = threading.Thread(target=lambda: found.extend(events(open_desk["view"], 1_000)))
    thread.start()
    lazy = stalled(open_desk["view"])
    time.sleep(1.0)
    assert house.end(open_desk["process"]) == 0
    thread.join(20)
    assert found[-1][0] == "end" and {kind for kind, _ in found[:-1]} == {"state"}
    lazy.close()
    assert house.lines(did="end")


def test_a_session_that_is_over_ends_its_stream_and_answers_nothing(house):
    member = house.person("operator")
    urls = house.desk("--idle", "0.03")
    client = house.client(urls["control"])
    client.login(member)
    cookies = dict(client.http.cookies)
    found = events(urls["control"], 1_000, cookies=cookies)
    assert found[0][0] == "state" and found[-1][0] == "end"
    for path in ("/api/me", "/api/state", "/api/stream", "/api/journal?runner=x"):
        assert client.get(path).status_code == 401
    body = {"runner": "maker", "do": "kill", "scope": "firm", "why": "odd fills"}
    assert client.act(member, **body).status_code == 401
    assert house.lines(did="refused", what="act on control")


def test_wrong_passwords_are_locked_out_and_nobody_learns_a_name(house):
    member = house.person("operator")
    urls = house.desk()
    client = house.client(urls["control"])
    wrong, told = {"password": "x" * 12, "code": "000000"}, {}
    for name in ("nobody", member.name):
        answers = [client.post("/api/login", wrong | {"user": name})]
        while answers[-1].status_code == 401 and len(answers) < 20:
            answers.append(client.post("/api/login", wrong | {"user": name}))
        assert answers[-1].status_code == 429 and len(answers) > 3
        assert int(answers[-1].headers["retry-after"]) > 0
        told[name] = {(one.status_code, one.json()["what"]) for one in answers}
    assert told[member.name] == told["nobody"]
    answer = client.post("/api/login", member.words())
    assert answer.status_code == 429, "the right one waits, too"
    lines = house.lines(did="refused", what="login on control")
    assert {line.who for line in lines} == {member.name, "unknown"}


def test_the_audit_log_that_cannot_be_written_blinds_nobody(house):
    member = house.person("operator")
    urls = house.desk()
    client = house.client(urls["control"])
    house.audit.rename(house.folder / "moved.log")
    client.login(member)
    assert client.get("/api/state").status_code == 200
    assert "cannot be used" in client.get("/api/me").json()["audit"]
