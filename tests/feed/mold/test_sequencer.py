"""The sequencer's stories: packets in, the exact list of what goes out, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from broken_datagrams import Guarded, rounds
from fuzzing import mutated
from sequencer_twin import read

from hftlib.core import events
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.feed.mold import machine
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.memory import LINE_A, LINE_B, LINE_RECOVERY
from hftlib.feed.mold.sequencer import Delivery, Sequencer, event_of

MS, SECOND = 1_000_000, 1_000_000_000


def packet(first: int, texts: str, session: str = "S") -> bytes:
    return p.encode(session, first, [text.encode() for text in texts.split()])


def heartbeat(following: int, session: str = "S") -> bytes:
    return p.header(session, following, 0)


def end(following: int, session: str = "S") -> bytes:
    return p.header(session, following, p.END_COUNT)


def words(deliveries: list[Delivery]) -> str:
    """Deliveries as a line to read: messages as they are, notices with their range."""
    out = []
    for one in deliveries:
        if one.kind == m.OUT_MESSAGES:
            out += [text.decode() for text in one.messages]
        else:
            out.append(f"{m.DELIVERIES[one.kind]}({one.first},{one.after})")
    return " ".join(out)


class Feed:
    """A sequencer, told as a story: what each step lets out, as words."""

    def __init__(self, **settings: object) -> None:
        self.it = Sequencer(**{"recovery": True, "capacity": 8, **settings})  # type: ignore[arg-type]
        self.now = 0

    def a(self, datagram: bytes) -> str:
        return self.on(LINE_A, datagram)

    def b(self, datagram: bytes) -> str:
        return self.on(LINE_B, datagram)

    def recovered(self, datagram: bytes) -> str:
        return self.on(LINE_RECOVERY, datagram)

    def on(self, line: int, datagram: bytes) -> str:
        return words(self.it.take(line, datagram, self.now, self.now))

    def after(self, ns: int) -> str:
        """Let time pass: what is asked for, then what goes out."""
        self.now += ns
        request = self.it.tick(self.now)
        asked = "ask({1},{2})".format(*p.header_of(request)) if request else ""
        return " ".join(filter(None, [asked, words(list(self.it.drain()))]))


@pytest.mark.modes
def test_two_lines_give_each_message_once() -> None:
    feed = Feed()
    assert feed.it.state == "WAITING" and feed.it.stale
    assert feed.a(packet(1, "a b")) == "a b"
    assert feed.b(packet(1, "a b")) == ""
    assert feed.b(packet(3, "c")) == "c"
    assert feed.a(packet(2, "b c d e")) == "d e"
    assert (feed.it.state, feed.it.stale, feed.it.reason) == ("LIVE", False, "the first packet")
    counts = feed.it.counts
    assert (counts["line A: first"], counts["line A: again"]) == (4, 2)
    assert (counts["line B: first"], counts["line B: again"]) == (1, 2)


@pytest.mark.modes
def test_the_other_line_fills_a_gap_before_anybody_is_asked() -> None:
    feed = Feed(first_sequence=1)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c d")) == "GAP(2,3)"
    assert (feed.it.state, feed.it.stale) == ("GAP", True)
    assert feed.after(MS - 1) == ""
    assert feed.b(packet(1, "a b c")) == "b c d RECOVERED(5,5)"
    assert (feed.it.state, feed.it.reason) == ("LIVE", "the gap is filled")
    assert feed.after(SECOND) == ""


@pytest.mark.modes
def test_a_gap_is_asked_for_and_a_short_reply_is_asked_on_from_at_once() -> None:
    feed = Feed()
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(5, "e")) == "GAP(2,5)"
    assert feed.after(MS) == "ask(2,3)"
    assert feed.after(SECOND - 1) == ""
    assert feed.after(1) == "ask(2,3)"
    assert feed.recovered(packet(2, "b c")) == "b c"
    assert feed.after(0) == "ask(4,1)"
    assert feed.recovered(packet(4, "d")) == "d e RECOVERED(6,6)"
    assert feed.it.counts["late"] == 3


@pytest.mark.modes
def test_nobody_answers_and_the_range_is_lost_until_a_snapshot_repairs() -> None:
    feed = Feed(tries_max=2)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert [feed.after(MS), feed.after(SECOND)] == ["ask(2,1)", "ask(2,1)"]
    assert feed.after(SECOND) == "LOST(2,3) c"
    assert (feed.it.state, feed.it.stale) == ("LOST", True)
    assert feed.it.reason == "the recovery server did not answer"
    assert feed.a(packet(4, "d")) == "d"
    assert feed.b(packet(2, "b")) == "", "too late: it must not go out behind what follows it"
    # The next gap has one try and no more than patience, and it ends in LOST, not in LIVE.
    assert feed.a(packet(6, "f")) == "GAP(5,6)"
    assert feed.after(MS) == "ask(5,1)"
    assert feed.recovered(packet(5, "e")) == "e f"
    assert (feed.it.state, feed.it.stale) == ("LOST", True)
    assert feed.it.repaired(feed.now) == 1
    assert words(list(feed.it.drain())) == "RECOVERED(7,7)"
    assert (feed.it.state, feed.it.stale) == ("LIVE", False)


@pytest.mark.modes
def test_a_heartbeat_shows_a_lost_tail() -> None:
    feed = Feed()
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(heartbeat(2)) == ""
    assert feed.b(heartbeat(4)) == "GAP(2,4)"
    assert feed.after(MS) == "ask(2,2)"
    assert feed.recovered(packet(2, "b c")) == "b c RECOVERED(4,4)"


@pytest.mark.modes
def test_the_end_of_a_session_waits_for_an_open_gap() -> None:
    feed = Feed()
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.a(end(4)) == ""
    assert feed.it.state == "GAP"
    assert feed.after(MS) == "ask(2,1)"
    assert feed.recovered(packet(2, "b")) == "b c RECOVERED(4,4) ENDED(4,4)"
    assert (feed.it.state, feed.it.stale) == ("ENDED", False)
    assert feed.a(end(4)) == ""
    assert feed.a(packet(1, "x", "T")) == "SESSION(1,1) x"


@pytest.mark.modes
def test_an_end_is_taken_back_when_the_session_goes_on() -> None:
    feed = Feed(recovery=False, capacity=64)
    assert feed.a(packet(1, "a b c")) == "a b c"
    assert feed.a(end(4)) == "ENDED(4,4)"
    assert feed.b(heartbeat(4)) == "" and feed.it.state == "ENDED"
    assert feed.a(packet(4, "d")) == "d"
    assert (feed.it.state, feed.it.stale) == ("LIVE", False)
    assert feed.it.changes[-1] == (0, 4, "LIVE", "the session goes on after its end")
    # An end far ahead is a gap like any other, and what comes behind it is none the worse.
    assert feed.a(end(50)) == "GAP(5,50)"
    assert feed.b(packet(50, "x")) == ""
    assert feed.after(MS) == "LOST(5,50) x"
    assert feed.a(packet(51, "y z")) == "y z"
    assert (feed.it.state, feed.it.stale, feed.it.counts["reopened"]) == ("LOST", True, 2)
    assert feed.a(end(53)) == "ENDED(53,53)"
    assert feed.b(heartbeat(54)) == "GAP(53,54)"
    assert feed.b(packet(53, "!")) == "!"
    assert (feed.it.state, feed.it.reason) == ("LOST", "the gap is filled")


@pytest.mark.modes
def test_a_snapshot_after_the_end_makes_the_books_whole_too() -> None:
    feed = Feed(recovery=False)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.after(MS) == "LOST(2,3) c"
    assert feed.a(end(4)) == "ENDED(4,4)" and feed.it.stale
    assert feed.it.repaired(feed.now) == 1
    assert words(list(feed.it.drain())) == "RECOVERED(4,4)"
    assert (feed.it.state, feed.it.stale) == ("ENDED", False)


@pytest.mark.modes
def test_what_a_session_left_missing_is_no_fault_of_the_next_one() -> None:
    feed = Feed(recovery=False)
    assert feed.a(packet(1, "a b c")) == "a b c"
    assert feed.a(packet(6, "f")) == "GAP(4,6)"
    assert feed.after(MS) == "LOST(4,6) f"
    assert feed.a(end(7)) == "ENDED(7,7)"
    assert feed.a(packet(1, "v w", "T")) == "SESSION(1,1) RECOVERED(1,1) v w"
    assert not feed.it.stale
    assert feed.after(5 * SECOND) == "SILENT(3,3)"
    assert feed.a(packet(2, "w", "U")) == ""
    assert feed.a(packet(2, "w", "U")) == "SESSION(1,1) RECOVERED(1,1) GAP(1,2)"
    assert feed.it.stale


@pytest.mark.modes
def test_without_recovery_a_gap_has_the_time_that_the_other_line_may_take() -> None:
    feed = Feed(recovery=False, patience_ns=5)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.after(4) == ""
    assert feed.after(1) == "LOST(2,3) c"
    assert feed.it.reason == "nobody to ask, and no line brought them"


@pytest.mark.modes
def test_a_full_window_gives_the_oldest_gap_up_when_nobody_can_be_asked() -> None:
    feed = Feed(recovery=False, capacity=4)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.a(packet(5, "e")) == ""
    assert feed.a(packet(6, "f")) == "LOST(2,3) c GAP(4,5)"
    assert feed.a(packet(4, "d")) == "d e f"
    assert feed.it.counts["held_most"] == 2


@pytest.mark.modes
def test_with_recovery_what_does_not_fit_is_asked_for_later() -> None:
    feed = Feed(capacity=2)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c d e")) == "GAP(2,3)"
    assert feed.it.counts["line A: not held"] == 2
    assert feed.after(MS) == "ask(2,1)"
    assert feed.recovered(packet(2, "b")) == "b c GAP(4,6)"
    assert feed.after(0) == "ask(4,2)"
    assert feed.recovered(packet(4, "d e")) == "d e RECOVERED(6,6)"


@pytest.mark.modes
def test_from_the_beginning_means_that_a_late_joiner_asks_for_all_of_it() -> None:
    feed = Feed(first_sequence=1)
    assert feed.a(packet(100_001, "z")) == "GAP(1,100002)", "z is let go, too"
    assert feed.after(MS) == "ask(1,65534)"


@pytest.mark.modes
def test_who_joins_late_knows_what_is_missing_until_a_snapshot_repairs() -> None:
    feed = Feed()
    assert feed.a(packet(5, "e f")) == "LOST(1,5) e f"
    assert (feed.it.state, feed.it.stale) == ("LOST", True)
    assert feed.it.reason == "joined after the first message"
    assert feed.after(SECOND) == "", "nobody is asked for it"
    assert feed.b(packet(1, "a b c d")) == ""
    assert feed.b(packet(4, "d e f g")) == "g"
    counts = feed.it.counts
    assert (counts["line B: before the first"], counts["line B: again"]) == (5, 2)
    assert counts["lost"] == counts["unrepaired"] == 4
    assert feed.it.repaired(feed.now) == 4
    assert words(list(feed.it.drain())) == "RECOVERED(8,8)"
    assert (feed.it.state, feed.it.stale) == ("LIVE", False)
    assert Feed().a(heartbeat(1_000_000)) == "LOST(1,1000000)"
    assert Feed().a(end(3)) == "LOST(1,3) ENDED(3,3)"
    pinned = Feed(session="S", first_sequence=5)
    assert pinned.a(packet(5, "e")) == "e" and not pinned.it.stale
    assert pinned.b(packet(3, "c d e")) == ""
    assert pinned.it.counts["line B: before the first"] == 2


@pytest.mark.modes
def test_one_broken_number_does_not_end_the_day_and_a_real_jump_is_believed() -> None:
    feed = Feed(recovery=False)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(1 << 60, "broken")) == ""
    assert feed.a(heartbeat(1 << 50)) == ""
    assert feed.a(packet(2, "b")) == "b"
    assert feed.a(packet(1_000, "real")) == ""
    assert feed.a(packet(1_001, "too")) == "LOST(3,1001) too"
    assert feed.it.counts["line A: far ahead of all others"] == 3


@pytest.mark.modes
def test_who_did_not_listen_for_a_while_is_told_of_silence_and_hears_all_it_missed() -> None:
    def hush(feed: Feed) -> str:
        machine.hush(feed.it.address, feed.now)
        return words(list(feed.it.drain()))

    feed = Feed()
    assert feed.a(packet(1, "a b")) == "a b"
    assert hush(feed) == "SILENT(3,3)"
    assert (feed.it.state, feed.it.stale) == ("SILENT", True)
    assert hush(feed) == "", "killed again: it is told already"
    assert feed.a(packet(3, "c")) == "c RECOVERED(4,4)"
    hush(feed)
    assert feed.a(packet(6, "f")) == "GAP(4,6)"
    assert hush(feed) == "" and feed.it.state == "GAP", "stale it was"
    assert feed.after(MS) == "ask(4,2)"
    assert feed.recovered(packet(4, "d e")) == "d e f RECOVERED(7,7)"
    assert (feed.it.state, feed.it.stale) == ("LIVE", False)


@pytest.mark.modes
def test_silence_is_told_and_so_is_its_end() -> None:
    feed = Feed()
    assert feed.after(100 * SECOND) == ""
    assert feed.a(packet(1, "a")) == "a"
    assert feed.after(5 * SECOND) == "SILENT(2,2)"
    assert (feed.it.state, feed.it.stale) == ("SILENT", True)
    assert feed.after(5 * SECOND) == ""
    assert feed.b(heartbeat(2)) == "RECOVERED(2,2)"
    assert feed.after(5 * SECOND) == "SILENT(2,2)"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.b(packet(2, "b")) == "b c RECOVERED(4,4)"


@pytest.mark.modes
def test_another_session_takes_over_when_two_packets_say_so_and_the_old_one_stays_away() -> None:
    feed = Feed(recovery=False)
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, "c")) == "GAP(2,3)"
    assert feed.a(packet(1, "stray", "T")) == ""
    assert feed.a(packet(4, "d")) == ""
    assert feed.a(packet(1, "v", "T")) == ""
    assert feed.b(packet(1, "v", "T")) == "LOST(2,3) c d SESSION(1,1) RECOVERED(1,1) v"
    assert feed.it.session == b"T         " and not feed.it.stale
    assert [feed.b(packet(2, "b")) for _ in range(3)] == [""] * 3
    assert feed.it.counts["line B: another session"] == 3


@pytest.mark.modes
def test_after_an_end_one_packet_is_enough_if_a_session_begins_with_it() -> None:
    for stray in (packet(7, "stray", "T"), heartbeat(7, "T"), end(2, "T")):
        feed = Feed(recovery=False)
        assert feed.a(packet(1, "a")) == "a"
        assert feed.a(end(2)) == "ENDED(2,2)"
        assert feed.a(stray) == "" and feed.it.session == b"S         "
        assert feed.b(packet(2, "b")) == "b", "the end was none"
        assert feed.a(end(3)) == "ENDED(3,3)"
        assert feed.a(stray) == "", "the old session was heard in between"
        assert feed.a(packet(1, "v", "U")) == "SESSION(1,1) v"
    joined = Feed(recovery=False)
    assert joined.a(packet(1, "a")) == "a" and joined.a(end(2)) == "ENDED(2,2)"
    assert joined.a(packet(3, "x", "T")) == ""
    assert joined.b(packet(3, "x", "T")) == "SESSION(1,1) GAP(1,3)"
    assert joined.after(MS) == "LOST(1,3) x"


@pytest.mark.modes
def test_a_session_that_was_named_is_never_left() -> None:
    feed = Feed(session="S")
    assert [feed.a(packet(1, "x", "T")) for _ in range(3)] == [""] * 3
    assert feed.it.state == "WAITING"
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(end(2)) == "ENDED(2,2)"
    assert feed.a(packet(1, "x", "T")) == ""


@pytest.mark.modes
def test_packets_without_a_number_or_a_session_break_nothing() -> None:
    feed = Feed()
    for _ in range(3):
        assert feed.a(p.encode(bytes(10), 0, [b"zeroed"])) == ""
    assert feed.it.counts["line A: a sequence number of zero"] == 3
    assert feed.a(p.encode(bytes(10), 1, [b"numbered"])) == "numbered"


def test_a_message_larger_than_a_slot_is_asked_for_again_and_goes_out_in_its_turn() -> None:
    feed, large = Feed(message_bytes_max=10), "x" * 100
    assert feed.a(packet(1, "a")) == "a"
    assert feed.a(packet(3, large)) == "GAP(2,4)"
    assert feed.b(packet(2, "b")) == "b"
    assert feed.after(0) == "ask(3,1)"
    assert feed.recovered(packet(3, large)) == f"{large} RECOVERED(4,4)"


def test_what_was_not_drained_is_not_walked_over() -> None:
    it = Sequencer()
    it.accept(LINE_A, packet(1, "a"), 0, 0)
    with pytest.raises(StateError, match="has not been taken"):
        it.accept(LINE_A, packet(2, "b"), 0, 0)
    place = np.frombuffer(packet(2, "b"), np.uint8)
    for _ in range(2):
        answer = machine.accept(it.address, 0, place.ctypes.data, len(place), 0, 0)
        assert answer == p.AGAIN and machine.tick(it.address, 99 * SECOND) == 0
    assert words(list(it.drain())) == "a"
    assert it.state_record["undrained"] == 4


def test_each_delivery_says_when_it_came_and_whether_late() -> None:
    it = Sequencer(recovery=True)
    list(it.take(LINE_A, packet(1, "a"), 11, 0))
    it.take(LINE_A, packet(3, "c"), 12, 0)
    out = it.take(LINE_RECOVERY, packet(2, "b"), 13, 0)
    assert [(one.received, one.late) for one in out] == [(13, True), (12, False), (0, False)]


@pytest.mark.parametrize(
    ("kind", "event", "numbers"),
    [
        (m.OUT_GAP, events.GAP, (5, 9)),
        (m.OUT_LOST, events.GAP, (5, 9)),
        (m.OUT_SILENT, events.GAP, (5, 9)),
        (m.OUT_RECOVERED, events.RECOVERED, (0, 0)),
        (m.OUT_SESSION, events.CLEAR, (0, 0)),
        (m.OUT_ENDED, events.NOTICE, (events.code("END"), 0)),
    ],
)
def test_a_notice_is_an_event_for_all_books(kind: int, event: int, numbers: object) -> None:
    made = event_of(kind, 5, 9, 77)
    assert made is not None
    assert (made["kind"], made["sequence"], made["received"]) == (event, 5, 77)
    assert (made["reference"][0], made["other"][0]) == numbers
    assert event_of(m.OUT_MESSAGES, 5, 9, 77) is None


def test_a_sequencer_lives_in_an_arena() -> None:
    with Arena.create(Layout(feed=m.sequencer_dtype(8, 110))) as arena:
        it = Sequencer(capacity=8, memory=arena["feed"])
        assert words(it.take(LINE_A, packet(1, "a b"), 0, 0)) == "a b"
        assert arena["feed"]["state"]["expected"][0] == 3
        with pytest.raises(InputError, match="not laid out for that sequencer"):
            Sequencer(capacity=16, memory=arena["feed"])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Sequencer(capacity=3), "power of two of messages, not 3"),
        (lambda: Sequencer(capacity=1 << 25), "power of two"),
        (lambda: Sequencer(message_bytes_max=-1), "no largest size of a message"),
        (lambda: Sequencer(capacity=1 << 20, message_bytes_max=65_535), "can measure"),
        (lambda: Sequencer(repeat_ns=0), "0 is no repeat_ns"),
        (lambda: Sequencer(patience_ns=1.5), "1.5 is no patience_ns"),  # type: ignore[arg-type]
        (lambda: Sequencer(session="x" * 11), "no session"),
        (lambda: Sequencer(first_sequence=2), "a place in one session, and none is named"),
        (lambda: Sequencer().accept(7, b"", 0, 0), "There is no line 7"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make()


def test_it_shows_itself() -> None:
    feed = Feed()
    feed.a(packet(1, "a"))
    feed.a(packet(3, "c"))
    assert repr(feed.it) == (
        "<Sequencer GAP, stale: messages are missing; session S, next 2, 1 messages out, 1 held, "
        "0 lost>"
    )
    assert [change[1:] for change in feed.it.changes] == [
        (1, "LIVE", "the first packet"),
        (2, "GAP", "messages are missing"),
    ]


@pytest.mark.modes
def test_broken_datagrams_are_counted_and_never_let_anything_out_twice_or_out_of_order() -> None:
    memory = Guarded()
    for chance in rounds():
        it = Sequencer(recovery=chance.random() < 0.5, capacity=8, message_bytes_max=9)
        it.take(LINE_A, packet(1, "a"), 0, 0)
        at, offered = 2, 1
        for now in range(60):
            texts = " ".join(["w" * chance.randrange(1, 9)] * chance.randrange(1, 5))
            good = packet(max(1, at + chance.randrange(-4, 9)), texts)
            given = chance.choice([good, good, heartbeat(at + 2), end(at)])
            broken = given if chance.random() < 0.2 else mutated(given, chance)
            line, place = chance.randrange(4), memory.put(broken)
            verdict = p.AGAIN
            while verdict == p.AGAIN:
                verdict = machine.accept(it.address, line, place, len(broken), 0, now)
                for one in it.drain():
                    if one.kind == m.OUT_SESSION:
                        at = 1
                    elif one.kind in (m.OUT_MESSAGES, m.OUT_LOST):
                        assert one.first == at < one.after
                        at = one.after
            offered += 1
            assert (verdict > p.END) or verdict == read(broken)[0]
            it.tick(now)
            at = max([at, *(one.after for one in it.drain())])
        verdicts = it._memory["lines"][0]["verdicts"]
        assert verdicts.sum() == offered == it._memory["lines"][0]["packets"].sum()
