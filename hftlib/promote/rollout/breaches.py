"""Which rules of a policy a champion breaks now, by what its runner says of itself.

    rules = Breaches(policy.breach)
    broken, untold = rules.look(status, time.monotonic())     sentences; and by rule, why not told

A status that lacks a figure is no breach of the rule that wants it: that rule cannot be told, and
it is said which. Rates are of what came between two looks, a loss of the middle of the book, and
the latency of all frames of the day so far. Worst case: none, a status is a few hundred values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hftlib.core.release.rollout_policy import Breach
from hftlib.ops.watch_rules import Rules, broken

TO_WIRE, TIMES_LEAST = "frame to wire", 20
_OF_WATCHDOG = ("loss_money", "refused_per_second", "rejected_per_second")
Told = Mapping[str, Any]


class Breaches:
    """The rules of one policy, look after look."""

    def __init__(self, breach: Breach) -> None:
        self._breach = breach
        self._before: Told = {}
        self._live: dict[int, float] = {}

    def look(self, found: Told, now: float) -> tuple[list[str], dict[str, str]]:
        """What is broken in this status, and what cannot be told of it."""
        wrong, untold = list[str](), dict[str, str]()
        for name in (*_OF_WATCHDOG, "latency_p99_us", "stale_ms"):
            if getattr(self._breach, name) is None:
                continue
            try:
                wrong += self._one(name, found, now)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                untold[name] = f"its status does not say: {error!r}"[:120]
        if "loss_money" not in untold and self._breach.loss_money is not None:
            dark = [one["symbol"] for one in found["positions"] if one["profit"] is None]
            if dark:
                untold["loss_money"] = f"{', '.join(map(str, dark[:3]))} have no price"
        # Rates are told from two looks, and the one that lacks a count is none of them.
        self._before = {} if untold.keys() & set(_OF_WATCHDOG) else found
        return wrong, untold

    def _one(self, name: str, found: Told, now: float) -> list[str]:
        if name == "latency_p99_us":
            return self._slow(found)
        if name == "stale_ms":
            return self._stale(found, now)
        if name != "loss_money":  # of the first look there is no rate, but there is a count
            int(found["counts"][name.partition("_")[0]])
        rules = Rules(**{name: getattr(self._breach, name)})
        return list(broken(rules, _whole(found), _whole(self._before)))

    def _slow(self, found: Told) -> list[str]:
        told, most = found["latencies_ns"][TO_WIRE], self._breach.latency_p99_us or 0.0
        if told.get("count", 0) < TIMES_LEAST:
            return []  # nothing was slow yet
        late = told["p99"] / 1_000
        if late <= most:
            return []
        return [f"99 of 100 frames took {late:,.0f} us to the wire, the rule is {most:,g}"]

    def _stale(self, found: Told, now: float) -> list[str]:
        wrong, most = [], self._breach.stale_ms or 0.0
        for n, one in enumerate(found["feeds"]):
            if one["state"] == "LIVE" or n not in self._live:
                self._live[n] = now
            late = (now - self._live[n]) * 1e3
            if late > most:
                wrong.append(f"feed {n + 1} is {one['state']} for {late:,.0f} ms")
        return wrong


def _whole(found: Told) -> dict[str, Any]:
    """A status with a clock, which no rule of ours looks at, and none shall hang on."""
    return {"clock": {"step_us_max": 0.0}, **found} if found else {}
