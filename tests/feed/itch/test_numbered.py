"""Order out of disorder: stories of holes, and random captures against plain bookkeeping."""

from __future__ import annotations

from random import Random

import pytest

from hftlib.core.events import GAP, RECOVERED
from hftlib.feed.itch.numbered import HELD_MAX, HOLES_MAX, PATIENCE_NS, Numbered, Run

MS = 1_000_000


def blocks(first: int, after: int) -> memoryview:
    """Messages that are their own number, a byte longer with each that 3 divides."""
    parts = (str(n).encode() + b"+" * (n % 3 == 0) for n in range(first, after))
    return memoryview(b"".join(len(one).to_bytes(2, "big") + one for one in parts))


def said(run: Run) -> str:
    if run.kind == GAP:
        return f"gap {run.first}-{run.after}"
    if run.kind == RECOVERED:
        return "recovered"
    assert bytes(run.blocks) == bytes(blocks(run.first, run.after))
    return f"{'late ' * run.is_late}{run.first}-{run.after}"


class Story:
    def __init__(self) -> None:
        self.numbered = Numbered()

    def take(self, first: int, after: int, at_ms: int = 0) -> list[str]:
        self.numbered.take(first, after, blocks(first, after), at_ms * MS)
        return self.out()

    def end(self) -> list[str]:
        self.numbered.end()
        return self.out()

    def out(self) -> list[str]:
        found = [said(run) for run in self.numbered.ready]
        self.numbered.ready.clear()
        return found


def test_two_lines_bring_each_message_once():
    story = Story()
    assert story.take(1, 8) == ["1-8"]
    assert story.take(5, 8) == []
    assert story.take(6, 10) == ["8-10"]
    assert story.take(10, 10) == []  # a heartbeat
    assert story.take(1, 3) == []
    assert story.end() == []
    assert story.numbered.counts == {"messages seen before": 3 + 2 + 2}


def test_a_capture_that_was_begun_late_says_so_before_its_first_message():
    story = Story()
    assert story.take(5, 7) == ["gap 1-5", "5-7"]
    assert story.take(3, 6) == ["late 3-5"]
    assert story.take(3, 6) == []
    assert story.take(1, 5) == ["late 1-3", "recovered"]
    assert story.end() == []
    assert story.numbered.counts == {"messages before the first": 4, "messages seen before": 6}
    assert Story().take(9, 9) == ["gap 1-9"]  # a heartbeat
    assert Story().take(1, 1) == []


def test_a_hole_that_was_forgotten_is_never_said_to_be_filled():
    story = Story()
    for number in range(HOLES_MAX + 2):  # every second one is missing, the first two times in vain
        story.take(2 + 2 * number, 3 + 2 * number, 2000 * number)
    story.end()
    assert story.numbered.counts["holes forgotten"] == 2
    filled = story.take(1, 4 + 2 * HOLES_MAX, 10**9)
    assert len(filled) == HOLES_MAX and "recovered" not in filled


def test_a_hole_that_the_other_line_fills_is_never_seen():
    story = Story()
    assert story.take(1, 3) == ["1-3"]
    assert story.take(5, 7, 1) == []
    assert story.take(9, 9, 2) == []  # a heartbeat that knows of 7 and 8
    assert story.take(3, 6, 3) == ["3-6", "6-7"]
    assert story.take(7, 9, 4) == ["7-9"]
    assert story.end() == []


def test_a_hole_is_given_up_after_a_while_and_may_be_filled_late():
    story = Story()
    assert story.take(1, 3) == ["1-3"]
    assert story.take(5, 7, 10) == []
    assert story.take(8, 9, 20) == []
    assert story.take(9, 10, 10 + PATIENCE_NS // MS) == []
    assert story.take(10, 11, 11 + PATIENCE_NS // MS) == ["gap 3-5", "5-7"]
    assert story.take(4, 6, 1100) == ["late 4-5"]
    assert story.take(2, 4, 1200) == ["late 3-4", "recovered"]
    assert story.take(2, 4, 1200) == []
    assert story.end() == ["gap 7-8", "8-9", "9-10", "10-11"]
    assert story.numbered.counts["messages missed"] == 3
    assert story.numbered.counts["messages that came too late"] == 2


def test_patience_begins_anew_with_every_step_forward():
    story = Story()
    assert story.take(1, 3) == ["1-3"]
    assert story.take(5, 7, 10) == []
    assert story.take(8, 9, 20) == []
    assert story.take(3, 5, 900) == ["3-5", "5-7"]
    assert story.take(9, 10, 1900) == []
    assert story.take(9, 10, 1901) == ["gap 7-8", "8-9", "9-10"]


def test_a_heartbeat_alone_shows_what_was_lost_last():
    story = Story()
    assert story.take(1, 3) == ["1-3"]
    assert story.take(6, 6) == []
    assert story.end() == ["gap 3-6"]


def test_what_is_held_and_remembered_is_bounded():
    story = Story()
    story.take(1, 2)
    for number in range(HELD_MAX):
        assert story.take(10 + 2 * number, 11 + 2 * number) == []
    assert story.take(5, 6) == ["gap 2-5", "5-6"]
    for number in range(HOLES_MAX + 5):
        at = 100_000 + 2 * number
        story.take(at, at + 1, 2000 * (number + 1))
    story.end()
    assert len(story.numbered._holes) == HOLES_MAX
    assert story.numbered.counts["holes forgotten"] > 5


@pytest.mark.parametrize("seed", range(60))
def test_random_lines_lose_and_double_nothing_unseen(seed):
    """Two lines of the same datagrams with loss, skew and repeats, against sets of numbers."""
    random, end = Random(seed), 400
    loss, skew_ms = random.choice([0, 0.01, 0.3]), random.choice([0, 3, 3000])
    sent: list[tuple[float, int, int]] = []
    for _line in "AB":
        first = 1
        while first < end:
            after = min(end, first + random.choice([1, 1, 2, 5]))
            for _again in range(random.choice([1, 1, 1, 2])):
                if random.random() >= loss:
                    sent.append((10 * first + random.uniform(0, skew_ms), first, after))
            first = after
    sent.sort()
    numbered, story = Numbered(), []
    for at_ms, first, after in sent:
        numbered.take(first, after, blocks(first, after), int(at_ms * MS))
        story += numbered.ready
        numbered.ready.clear()
    numbered.end()
    story += numbered.ready
    arrived = {n for _, first, after in sent for n in range(first, after)}
    begin = sent[0][1]  # what is before is told at once, and late when it comes
    messages = [run for run in story if not run.kind]
    out = [n for run in messages for n in range(run.first, run.after)]
    in_time = [n for run in messages if not run.is_late for n in range(run.first, run.after)]
    late = {n for run in messages if run.is_late for n in range(run.first, run.after)}
    gaps = {n for run in story if run.kind == GAP for n in range(run.first, run.after)}
    assert len(out) == len(set(out)), "a message came twice"
    assert set(out) == arrived, "what arrived came out"
    assert in_time == sorted(in_time), "in the order of their numbers"
    assert late <= gaps and not gaps & set(in_time)
    assert gaps - late == set(range(1, max(arrived) + 1)) - arrived, "what was lost was told"
    assert [said(run) for run in story]
    assert set(range(1, begin)) <= gaps
    if skew_ms < 1000 and arrived == set(range(1, end)) and begin == 1:
        assert not gaps and not late
