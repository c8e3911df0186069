"""A run whose clock stands still: each answer makes the strategy send more, and takes no time.

Where orders and reports have no latency, a strategy that answers every report with another order
never comes to the next event. Such a run is ended with a sentence instead.
Worst case: it is noticed after two calls of the compiled loop, some two million steps.
"""

from __future__ import annotations

from hftlib.engine.driving import Backtest

STEPS_MAX = 1 << 17  # at one moment; a flood of all orders there are takes some ten thousand


class StandsStillError(Exception):
    """The clock did not move."""


class Standstill:
    """Looks at a run now and then."""

    sentence = (
        f"Time stood still for more than {STEPS_MAX:,} steps: it answers every report with another"
        " order, and the venue answers at once. Give latencies: hft.Venue(order_latency='250us')."
    )

    def __init__(self, run: Backtest) -> None:
        self._run, self._moment, self._since = run, (-1, -1), 0

    def look(self) -> None:
        session = self._run.session.arena["session"]
        moment = int(session["time"][0]), self._run.seen
        if moment != self._moment:
            self._moment, self._since = moment, self._run.steps
        elif self._run.steps - self._since > STEPS_MAX:
            raise StandsStillError
