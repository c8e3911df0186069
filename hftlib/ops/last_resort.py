"""All that a firm has standing at a venue, taken back without the runner that sent it.

    resort = LastResort(session, copy, say)
    resort.begin("why")          then `turn` until `is_done`

    ask D and C ─▶ answered? ─▶ hear the drop copy to its end ─▶ nothing stands ─▶ done
        ▲            │ no                                              │ some
        └── wait ◀───┴─────────────────────────────────────────────────┘

The venue lets no order of the firm in any more (`cancel_session.py`), cancels what stands, by
whichever session it came, and its drop copy says afterwards that nothing stands. Until then it goes
on asking, a longer wait each time. Without a drop copy it ends with the venue's answer, unproved.

Worst case: a venue that cannot be reached is tried for ever; whoever turns it knows how long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from hftlib.ops.cancel_session import BEGINS, CancelSession
from hftlib.ops.drop_copy import ASKS, HEARS, DropCopy, Order

WAIT_S, WAIT_S_MAX = 0.05, 2.0
TURN_S = 0.0005
Say = Callable[[str, dict[str, Any]], None]


class LastResort:
    """One attempt that does not end before nothing stands. `cancelled`: what it took back."""

    def __init__(
        self, session: CancelSession, copy: DropCopy | None, say: Say, letters: str = "DC"
    ) -> None:
        self.session, self.copy, self._say, self._letters = session, copy, say, letters
        self.has_begun = self.is_done = self.is_proved = False
        self.why = ""  # what it waits for
        self._state = self._ask
        self._wait, self._again, self._begun, self._since = WAIT_S, 0.0, 0.0, -1

    @property
    def cancelled(self) -> list[tuple[Order, int]]:
        """Each order that was taken back since this began, and how much of it."""
        if self.copy is None or self._since < 0:
            return []
        return [(order, count) for at, order, count in self.copy.called_off if at >= self._since]

    def begin(self, why: str) -> None:
        """From now on each turn does what is next."""
        self.has_begun, self._begun = True, time.monotonic()
        self._say("cancelling", {"why": why})

    def turn(self) -> None:
        """Before it began: the session is kept open, so that nothing is to be waited for."""
        self.session.turn()
        if self.has_begun and not self.is_done:
            if self.copy is not None and self._state == self._look:
                self.copy.turn()  # not before: thousands of cancels are told there, one by one
            if time.monotonic() >= self._again:
                self._state()

    def close(self) -> None:
        self.session.close()
        if self.copy is not None:
            self.copy.close()

    def _ask(self) -> None:
        if not self.session.is_open:
            self._is_away("the cancel session", self.session.why)
            return
        self.session.ask(self._letters)
        self._say("asked", self._so_far())
        self._state = self._answer

    def _answer(self) -> None:
        session = self.session
        if session.refused or not session.is_open:
            self._once_more(session.refused or f"the cancel session: {session.why}")
        elif not session.lacks:
            if self._since < 0:
                self._since = min(session.answers.values())
            self._say("answered", self._so_far())
            if self.copy is None:
                self.is_done = True
                self._say("not proved", {"why": "no drop copy is heard"})
                return
            self.copy.hear_to_the_end()
            self._state = self._look

    def _look(self) -> None:
        assert self.copy is not None
        if not self.copy.is_at_the_end:
            self._is_away("the drop copy", self.copy.why)
            return
        stands = self.copy.standing
        if stands:
            self._once_more(f"{len(stands):,} orders stand; {stands[0]} is one")
            return
        self.is_done = self.is_proved = True
        more = {"cancelled": len(self.cancelled), "heard": self.copy.heard}
        self._say("nothing stands", more | self._so_far())

    def _once_more(self, why: str) -> None:
        self._waits(why)
        self._again = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, WAIT_S_MAX)
        self._state = self._ask

    def _is_away(self, which: str, why: str) -> None:
        """Said, unless it is only on its way."""
        if why in ("", BEGINS, ASKS, HEARS):
            self.why = f"{which}: {why or 'hears'}"
        else:
            self._waits(f"{which}: {why}")

    def _waits(self, why: str) -> None:
        if why != self.why:
            self.why = why
            self._say("waits", {"why": why})

    def _so_far(self) -> dict[str, Any]:
        return {"after_ms": round((time.monotonic() - self._begun) * 1e3, 3)}


class Resorts:
    """One at each of several venues, turned together."""

    def __init__(self, every: Sequence[LastResort]) -> None:
        self.every = list(every)

    @property
    def has_begun(self) -> bool:
        return any(one.has_begun for one in self.every)

    @property
    def is_done(self) -> bool:
        return all(one.is_done for one in self.every)

    def begin(self, why: str) -> None:
        for one in self.every:
            one.begin(why)

    def turn(self) -> None:
        for one in self.every:
            one.turn()

    def close(self) -> None:
        for one in self.every:
            one.close()


def see_through(resort: LastResort | Resorts, seconds: float = 0.0) -> bool:
    """Turn it until it is done, or so long: whether it is."""
    until = time.monotonic() + seconds if seconds else float("inf")
    while not resort.is_done and time.monotonic() < until:
        resort.turn()
        time.sleep(TURN_S)
    return resort.is_done
