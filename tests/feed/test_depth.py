"""A book is whole or says that it is stale: stories of each rule, and a venue that loses much."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import events
from hftlib.feed import depth
from hftlib.feed.depth import DepthState, Diff, Phase, Rule, Snapshot, take_diff, take_snapshot

CHANGES = [(events.BUY, 100, 7)]


def diff(first: int, last: int, previous: int = 0, changes=CHANGES) -> Diff:
    return Diff(first, last, previous, last * 10, last * 10 + 1, changes)


def snapshot(last: int, levels=((events.BUY, 99, 5), (events.SELL, 101, 6))) -> Snapshot:
    return Snapshot(last, last * 10, last * 10 + 5, list(levels))


def told(state: DepthState, *messages: Diff | Snapshot) -> list[str]:
    """The kinds of the events that each message leads to, one text for each message."""
    texts = []
    for message in messages:
        out: list[depth.Row] = []
        (take_diff if isinstance(message, Diff) else take_snapshot)(state, message, out)
        texts.append(" ".join(events.KINDS[row[8]] for row in out))
    return texts


def test_spot_waits_joins_and_follows():
    state = DepthState(Rule.SPOT, 3)
    story = [diff(1, 4), diff(5, 8), diff(9, 12), snapshot(6), diff(13, 20), diff(21, 21)]
    assert told(state, *story) == [
        "NOTICE",
        "NOTICE",
        "NOTICE",
        "CLEAR LEVEL LEVEL LEVEL LEVEL",  # diffs 5-8 and 9-12 behind the snapshot
        "LEVEL",
        "LEVEL",
    ]
    assert (state.phase, state.last) == (Phase.LIVE, 21)
    assert state.counts["diffs held"] == 3 and state.counts["diffs known already"] == 1


def test_futures_follow_their_previous_number():
    state = DepthState(Rule.FUTURES, 0)
    story = [diff(103, 110, 100), snapshot(110), diff(115, 120, 110), diff(125, 130, 120)]
    assert told(state, *story) == ["NOTICE", "CLEAR LEVEL LEVEL LEVEL", "LEVEL", "LEVEL"]
    assert told(state, diff(140, 150, 135)) == ["GAP NOTICE"]


@pytest.mark.parametrize(
    ("rule", "missing", "again"),
    [
        (Rule.SPOT, diff(12, 14), diff(13, 15)),
        (Rule.FUTURES, diff(12, 14, 11), diff(17, 18, 14)),
    ],
)
def test_a_lost_diff_makes_the_book_stale_until_a_newer_snapshot(rule, missing, again):
    state = DepthState(rule, 0)
    assert told(state, snapshot(10), missing) == ["CLEAR LEVEL LEVEL", "GAP NOTICE"]
    assert state.phase is Phase.GAP
    assert told(state, snapshot(9)) == ["NOTICE"]  # too old: it does not reach what is held
    assert state.phase is Phase.GAP and state.counts["snapshots too old"] == 1
    assert told(state, snapshot(13)) == ["CLEAR LEVEL LEVEL LEVEL RECOVERED"]
    assert state.phase is Phase.LIVE and state.last == 14
    assert told(state, again if rule is Rule.FUTURES else diff(15, 16)) == ["LEVEL"]


def test_a_gap_says_what_is_lost():
    state, out = DepthState(Rule.SPOT, 5), []
    take_snapshot(state, snapshot(10), out)
    take_diff(state, diff(20, 25), out)
    (gap,) = (row for row in out if row[8] == events.GAP)
    assert gap[3:5] == (11, 20) and gap[7] == 5


def test_a_diff_that_comes_twice_changes_nothing():
    for rule, one in ((Rule.SPOT, diff(11, 12)), (Rule.FUTURES, diff(11, 12, 10))):
        state = DepthState(rule, 0)
        assert told(state, snapshot(10), one, one) == ["CLEAR LEVEL LEVEL", "LEVEL", "NOTICE"]
        assert state.counts["diffs known already"] == 1 and state.phase is Phase.LIVE


def test_a_snapshot_that_nobody_needs_changes_nothing():
    state = DepthState(Rule.SPOT, 0)
    assert told(state, snapshot(10), snapshot(10), diff(11, 12), snapshot(12)) == [
        "CLEAR LEVEL LEVEL",
        "NOTICE",
        "LEVEL",
        "NOTICE",
    ]


def test_what_is_lost_while_waiting_is_a_gap_too():
    state = DepthState(Rule.SPOT, 0)
    assert told(state, diff(1, 2), diff(5, 6), snapshot(1), snapshot(4)) == [
        "NOTICE",
        "GAP NOTICE",
        "NOTICE",
        "CLEAR LEVEL LEVEL LEVEL RECOVERED",
    ]
    assert state.counts["diffs dropped while waiting"] == 1


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(depth, "LEVELS_HELD_MAX", 10)
    state = DepthState(Rule.SPOT, 0)
    told(state, *(diff(n, n) for n in range(1, 101)))
    assert len(state.held) == 10 == state.held_levels
    assert state.counts["diffs dropped while waiting"] == 90
    assert told(state, snapshot(50)) == ["NOTICE"]  # what follows it was dropped
    assert told(state, snapshot(90)) == ["CLEAR LEVEL LEVEL" + " LEVEL" * 10]


def test_an_unnumbered_feed_lives_from_its_snapshot():
    state = DepthState(Rule.UNNUMBERED, 0)
    assert told(state, diff(0, 0), snapshot(0), diff(0, 0), snapshot(0), diff(0, 0)) == [
        "NOTICE",
        "CLEAR LEVEL LEVEL",
        "LEVEL",
        "CLEAR LEVEL LEVEL",
        "LEVEL",
    ]


def test_the_book_is_whole_after_the_last_event_of_a_message():
    state, out = DepthState(Rule.SPOT, 0), []
    take_diff(state, diff(11, 12, changes=[(1, 100, 1), (2, 101, 0)]), out)
    take_snapshot(state, snapshot(10), out)
    take_diff(state, diff(13, 13, changes=[]), out)
    take_diff(state, diff(14, 14, changes=[(1, 100, 2), (2, 102, 3)]), out)
    late = events.RECOVERED_LATE
    assert [(events.KINDS[row[8]], row[10]) for row in out] == [
        ("NOTICE", events.LAST),
        ("CLEAR", events.SNAPSHOT),
        ("LEVEL", events.SNAPSHOT),
        ("LEVEL", events.SNAPSHOT | events.LAST),
        ("LEVEL", late),
        ("LEVEL", late | events.LAST),
        ("NOTICE", events.LAST),
        ("LEVEL", 0),
        ("LEVEL", events.LAST),
    ]
    assert out[4][0:2] == (120, 105)  # its own time; known when the snapshot came


class Venue:
    """The true book after every update, and the diffs and snapshots that speak of it."""

    def __init__(self, chance: random.Random, rule: Rule, updates: int) -> None:
        self.books: list[dict[tuple[int, int], int]] = [{}]
        changes = [[]]
        for _ in range(updates):
            side, price, size = (
                chance.choice((1, 2)),
                chance.randrange(90, 110),
                chance.randrange(4),
            )
            book = self.books[-1] | {(side, price): size}
            self.books.append({place: held for place, held in book.items() if held})
            changes.append([(side, price, size)])
        self.diffs, last = [], 0
        while last < updates:
            end = min(updates, last + chance.randrange(1, 5))
            # Several changes of one place in one diff: the last one counts.
            merged = {change[:2]: change for n in range(last + 1, end + 1) for change in changes[n]}
            futures = rule is Rule.FUTURES
            first = min(end, last + chance.randrange(1, 3)) if futures else last + 1
            self.diffs.append(diff(first, end, last if futures else 0, list(merged.values())))
            last = end

    def snapshot(self, last: int) -> Snapshot:
        return snapshot(last, [(*place, size) for place, size in self.books[last].items()])


@given(st.integers(0, 2**32), st.sampled_from([Rule.SPOT, Rule.FUTURES]), st.floats(0, 0.3))
def test_beside_a_venue_that_loses_and_doubles_the_book_is_right_or_stale(seed, rule, loss):
    chance = random.Random(seed)
    venue = Venue(chance, rule, 120)
    state, book, right, stale = DepthState(rule, 0), {}, 0, False
    for at, one in enumerate(venue.diffs):
        messages: list[Diff | Snapshot] = [one] * (0 if chance.random() < loss else 1)
        messages += [chance.choice(venue.diffs[: at + 1])] * (chance.random() < 0.1)
        messages += [venue.snapshot(chance.randrange(one.last + 1))] * (chance.random() < 0.2)
        for message in messages:
            out: list[depth.Row] = []
            (take_diff if isinstance(message, Diff) else take_snapshot)(state, message, out)
            for row in out:
                if row[8] == events.CLEAR:
                    book = {}
                elif row[8] == events.LEVEL:
                    book[row[9], row[5]] = row[6]
                elif row[8] in (events.GAP, events.RECOVERED):
                    stale = row[8] == events.GAP
            assert stale == (state.phase is Phase.GAP)
            if state.phase in (Phase.JOINING, Phase.LIVE):
                assert {place: size for place, size in book.items() if size} == venue.books[
                    state.last
                ]
                right += 1
    assert right or loss or state.counts["snapshots"] == state.counts["snapshots too old"]
