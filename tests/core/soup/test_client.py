"""The client's machine: stories of a session, and what a server may do to it."""

from __future__ import annotations

from random import Random

import pytest
from fuzzing import fuzz_seconds, fuzzed
from soup_pair import SECOND, Client, Server, pieces

from hftlib.core import jit
from hftlib.core.soup import client as c
from hftlib.core.soup import frames
from hftlib.core.soup import memory as m

pytestmark = pytest.mark.modes


def message(data: bytes) -> bytes:
    return frames.encode(b"S", data)


def live(next_one: int = 1, answered: int = 1, **settings: int) -> Client:
    """A client that has logged in at 0 s."""
    one = Client(next_one, **settings)
    one.dial(0)
    assert one.said(0) == frames.login("user", "secret", "", next_one)
    assert one.hear(frames.accepted("DAY1", answered), 0) == ["LIVE"]
    return one


def test_a_session_from_login_to_its_end():
    one = Client()
    assert one.at == ("DOWN", "start")
    one.dial(5)
    assert one.at == ("LOGIN", "the connection stands")
    assert one.send(b"early", 6) == m.NOT_LIVE
    assert one.hear(frames.accepted("DAY1", 1), 7) == ["LIVE"]
    assert one.hear(message(b"a") + message(b"") + frames.encode(b"+", b"hm"), 8) == [
        *("MESSAGE", "MESSAGE", "DEBUG")
    ]
    assert one.told[-3:] == [("MESSAGE", 1, b"a"), ("MESSAGE", 2, b""), ("DEBUG", b"hm")]
    assert one.send(b"order", 9) == 0
    assert one.said(9)[49:] == frames.encode(b"U", b"order")
    assert one.hear(frames.encode(b"Z"), 10) == ["OVER"]
    assert one.at == ("OVER", "the session has ended")
    assert one.tick(10**18) == [] and one.hear(message(b"b"), 11) == []
    assert (one.next, one.messages, one.falls) == (3, 2, 0)


def test_a_heartbeat_after_a_second_of_silence_of_ours_and_the_peer_gone_after_fifteen_of_its():
    one = live()
    for second in range(1, 15):
        assert one.tick(second * SECOND - 1) == []
        assert one.said(second * SECOND) == b""
        assert one.tick(second * SECOND) == []
        assert one.said(second * SECOND) == b"\0\1R"
    one.send(b"x", 14 * SECOND + 5)
    one.said(14 * SECOND + 5)
    assert one.tick(15 * SECOND - 1) == [] and one.said(15 * SECOND - 1) == b""
    assert one.tick(15 * SECOND) == ["DOWN"]
    assert one.at == ("DOWN", "nothing was heard for too long")
    other = live()
    other.hear(b"\0\1H", 14 * SECOND)
    assert other.tick(15 * SECOND) == [] and other.at[0] == "LIVE"
    assert other.heartbeats_heard == 1


def test_it_dials_again_later_each_time_and_asks_for_the_next_message_of_the_same_session():
    one = live(backoff_ns_min=SECOND, backoff_ns_max=4 * SECOND)
    one.hear(message(b"a") + message(b"b") + message(b"c")[:3], 1)
    assert one.hear(b"", 2) == ["DOWN"]
    now = 2
    for wait in (1, 2, 4, 4):
        assert one.tick(now + wait * SECOND - 1) == []
        now += wait * SECOND
        one.dial(now)
        assert one.said(now) == frames.login("user", "secret", "DAY1", 3)
        assert one.hear(b"", now) == ["DOWN"]
    one.dial(now + 4 * SECOND)
    assert one.hear(frames.accepted("DAY1", 3) + message(b"c"), now) == ["LIVE", "MESSAGE"]
    assert one.told[-1] == ("MESSAGE", 3, b"c")
    assert one.backoff_ns == SECOND, "a login that was accepted begins anew"


def test_what_comes_again_is_left_out_and_what_is_skipped_is_told_as_lost():
    one = live(next_one=3, answered=1)
    assert one.hear(message(b"1") + message(b"2") + message(b"3"), 1) == ["MESSAGE"]
    assert one.told[-1] == ("MESSAGE", 3, b"3") and one.repeated == 2
    other = live(next_one=3, answered=6)
    assert (other.skipped, other.lost, other.next) == (3, 3, 6)
    newest = live(next_one=0, answered=41)
    assert newest.hear(message(b"x"), 1) == ["MESSAGE"]
    assert newest.told[-1] == ("MESSAGE", 41, b"x") and newest.lost == 0


def test_another_session_is_told_as_such_and_counted_from_its_own_number():
    one = live()
    one.hear(message(b"a") * 5, 1)
    one.hear(b"", 2)
    one.dial(10 * SECOND)
    one.said(10 * SECOND)
    assert one.hear(frames.accepted("DAY2", 2) + message(b"b"), 10 * SECOND) == [
        *("SESSION", "MESSAGE")
    ]
    assert one.told[-1] == ("MESSAGE", 2, b"b") and one.sessions == 1
    one.hear(b"", 11 * SECOND)
    one.dial(20 * SECOND)
    assert one.said(20 * SECOND) == frames.login("user", "secret", "DAY2", 3)


@pytest.mark.parametrize("padded", ["{:>20}", "{:<20}", "  {:<18}"])
def test_the_number_of_an_answer_may_be_padded_on_either_side(padded):
    one = Client()
    one.dial(0)
    answer = b"\0\x1fA" + b"DAY1".ljust(10) + padded.format(12).encode()
    assert one.hear(answer, 0) == ["LIVE"] and one.next == 12


@pytest.mark.parametrize("number", [b"", b"1 2", b"-1", b"0", b"x", b"9" * 19, b"1" * 20])
def test_an_answer_without_a_number_ends_the_connection(number):
    one = Client()
    one.dial(0)
    assert one.hear(b"\0\x1fA" + b"DAY1".ljust(10) + number.rjust(20), 0) == ["DOWN"]
    assert one.at[1] == "the sequence number of the answer is none"


def test_who_is_not_authorised_does_not_ask_again_and_who_is_too_early_does():
    one = Client()
    one.dial(0)
    assert one.hear(frames.encode(b"J", b"A"), 1) == ["OVER"]
    assert one.at == ("OVER", "the login is not authorised")
    other = Client()
    other.dial(0)
    assert other.hear(frames.encode(b"J", b"S"), 1) == ["DOWN"]
    other.dial(60 * SECOND)


def test_what_the_server_may_not_do_is_counted_or_ends_the_connection():
    one = Client(frame_bytes_max=100)
    one.dial(0)
    assert one.hear(message(b"x"), 1) == ["DOWN"]
    assert one.at[1] == "data came before the login was answered"
    one.dial(60 * SECOND)
    bad = b"\0\0" + b"\0\1x" + b"\0\1R" + b"\0\2Hx"
    assert one.hear(bad + frames.accepted("DAY1", 1) + message(b"x"), 1) == ["LIVE", "MESSAGE"]
    assert one.bad_frames == 4
    again = frames.accepted("DAY1", 9) + frames.encode(b"J", b"A")
    assert one.hear(again + message(b"y"), 1) == ["MESSAGE"], "an answer that nobody asked for"
    assert one.bad_frames == 6 and one.next == 3
    assert one.hear(message(b"z" * 99), 2) == ["MESSAGE"]
    assert one.hear(message(b"z" * 100), 2) == ["DOWN"]
    assert one.at[1] == "a frame is longer than any may be"
    assert one.send(b"late", 3) == m.NOT_LIVE


def test_no_answer_to_a_connection_or_a_login_ends_both():
    one = Client(login_ns=SECOND)
    assert one.tick(0) == ["DIAL"]
    assert one.tick(SECOND - 1) == []
    assert one.tick(SECOND) == ["DOWN"]
    one.dial(60 * SECOND)
    assert one.tick(61 * SECOND) == ["DOWN"] and one.at[1] == "no answer in time"
    assert c.failed(one.base, m.NOT_MADE, 62 * SECOND) == 0, "it is down already"


def test_a_logout_waits_for_the_server_to_close():
    one = live()
    one.said(1)
    assert c.logout(one.base, 2) == 1
    assert one.said(2) == b"\0\1O" and one.at == ("LEAVING", "we asked for it")
    assert one.hear(message(b"a"), 3) == ["MESSAGE"], "what was on its way still counts"
    assert one.hear(b"", 4) == ["OVER"]
    other = live(login_ns=SECOND)
    c.logout(other.base, 0)
    assert other.tick(SECOND) == ["OVER"]
    third = Client()
    assert c.logout(third.base, 0) == 1 and third.follow() == ["OVER"]
    assert c.stop(third.base, 0) == 0


def test_what_does_not_fit_is_refused_whole():
    one = live(frame_bytes_max=1_000)
    one.said(0)
    assert one.send(b"x" * 1_000, 0) == m.TOO_LONG
    sent = 0
    while one.send(b"y" * 999, 0) == 0:
        sent += 1
    assert one.send(b"y" * 999, 0) == m.NO_ROOM and one.unsent == 3
    assert one.said(0) == frames.encode(b"U", b"y" * 999) * sent


def test_its_last_changes_are_kept_with_their_reasons():
    one = live()
    one.hear(b"", 3)
    states = [int(row["state"]) for row in one.record["log"][0][: one.changes]]
    assert [m.STATES[n] for n in states] == ["DIALLING", "LOGIN", "LIVE", "DOWN"]
    assert m.REASONS[one.record["log"][0][3]["reason"]] == "the peer closed the connection"


@pytest.mark.parametrize("seed", range(20 if jit.COMPILED else 3))
def test_every_message_comes_once_and_in_order_whatever_tcp_cuts_and_however_often_it_breaks(seed):
    random = Random(seed)
    server, one = Server(), Client(backoff_ns_min=1, backoff_ns_max=1)
    published: list[bytes] = []
    sent: list[bytes] = []
    connection, now = -1, 0
    for _ in range(600 if jit.COMPILED else 150):
        now += random.randrange(SECOND // 10)
        for _ in range(random.choice((0, 0, 1, 5))):
            published.append(random.randbytes(random.choice((0, 1, 40, 700))))
            assert server.publish(published[-1]) == len(published)
        if connection < 0:
            if one.state == m.DOWN and "DIAL" in one.tick(now):
                c.dialled(one.base, one.login.ctypes.data, now)
                connection = server.admit(now)
                assert connection >= 0
            continue
        if random.random() < 0.3 and one.state == m.LIVE:
            order = random.randbytes(random.randrange(50))
            assert one.send(order, now) == 0
            sent.append(order)
        for part in pieces(one.said(now, random.choice((None, 7))), random):
            server.hear(connection, part, now)
        for part in pieces(server.said(connection, now, random.choice((None, 3, 900))), random):
            one.hear(part, now)
        one.tick(now)
        server.tick(connection, now)
        if random.random() < 0.06:
            one.hear(b"", now)
            server.hear(connection, b"", now)
            connection = -1
    while connection < 0 or one.state != m.LIVE or one.next <= len(published):
        now += 10
        if connection < 0 and "DIAL" in one.tick(now):
            c.dialled(one.base, one.login.ctypes.data, now)
            connection = server.admit(now)
        if connection >= 0:
            server.hear(connection, one.said(now) or frames.encode(b"R"), now)
            one.hear(server.said(connection, now) or frames.encode(b"H"), now)
    got = [row for row in one.told if row[0] == "MESSAGE"]
    assert got == [("MESSAGE", n, data) for n, data in enumerate(published, 1)]
    assert one.logins > 5 and one.repeated == one.lost == 0
    heard = [row[1] for row in server.told if row[0] == "MESSAGE"]
    wanted = iter(sent)
    assert all(data in wanted for data in heard), "in order, none twice; the cut lost some"


def test_garbage_from_a_server_never_breaks_it():
    good = frames.accepted("DAY1", 1) + message(b"abc") * 3 + frames.encode(b"H")
    samples = [
        good,
        good + frames.encode(b"Z"),
        frames.encode(b"J", b"S"),
        frames.encode(b"+", b"x"),
    ]
    one = Client(backoff_ns_min=1, backoff_ns_max=1, frame_bytes_max=500)
    now = 0
    for data in fuzzed(samples, seconds=fuzz_seconds(), rounds_max=None if jit.COMPILED else 100):
        now += SECOND
        if one.state == m.OVER:
            one = Client(backoff_ns_min=1, backoff_ns_max=1, frame_bytes_max=500)
        if one.state == m.DOWN:
            one.dial(now)
            one.said(now)
        begun = one.next
        one.hear(data[:60_000], now)
        assert one.next >= begun or one.sessions
        if one.state in (m.LOGIN, m.LIVE):
            one.hear(b"", now)
