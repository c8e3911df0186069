"""What a breach leads to: the step that rolls back, and the switch of the runner. Each once.

    back = GoingBack(shelf, name, digest, key, trusted, keys, control, after, say)
    back(why, alive)        why it was breached, and whether its runner is there

Before anything is written the log is read again: where the champion is another release by now,
somebody was quicker, and nothing is to be done. Worst case: that of `hft switch`, minutes on a host
that has nothing compiled; the firm is halted meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError
from hftlib.core.release.keys import PrivateKey, PublicKey
from hftlib.core.release.rollout import read_rollout

ROLLED_BACK = "rolled back"
# What held the one before holds the one after: a switch carries the firm's state with positions.
HALTED = "it holds what was held; two people lift the halt: hft resume firm"
Say = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class GoingBack:
    """The way back of one release; without a key it is a person's to go."""

    shelf: Path
    name: str
    digest: str
    key: PrivateKey | None
    trusted: Mapping[str, PublicKey]
    keys: Path  # the folder that they are from
    control: Path
    after: Path  # the journal of the runner that takes over
    say: Say
    switches: bool = True

    def __call__(self, why: str, alive: bool) -> None:
        now = read_rollout(self.shelf, self.name, self.trusted).at("champion")
        if now is None or now.digest != self.digest:
            which = "nothing" if now is None else now.release.name
            self.say("not rolled back", {"why": f"the champion is {which} by now"})
            return
        if self.key is None:
            do = f"hft rollback {self.name} --key YOUR.key"
            self.say("not rolled back", {"why": f"no key was given; type {do}"})
            return
        step = self._rolled_back(why, self.key)
        to = step.release.name if step.what == ROLLED_BACK else "nothing: there is none before"
        self.say("rolled back", {"to": to, "step": step.number})
        if not self.switches or step.what != ROLLED_BACK:
            return
        if not alive:
            self.say("not switched", {"why": f"its runner is gone: hft live {self.name}@champion"})
            return
        try:
            told = self._switched(why)
        except HftError as error:
            self.say("not switched", {"why": f"{error.what}: {error.do}"})
            return
        self.say("switched", told)

    def _rolled_back(self, why: str, key: PrivateKey) -> Any:
        """The step, as `hft rollback` takes it."""
        from hftlib.promote.rollout.steps import roll_back

        words = f"breach of its policy: {why}"[:300]
        return roll_back(self.shelf, self.name, key, self.trusted, words, stage="champion")

    def _switched(self, why: str) -> dict[str, Any]:
        """The runner goes over to what is champion now, and nobody is asked."""
        from hftlib.ops.switching import switch

        made = switch(
            self.control,
            journal=self.after,
            why=f"rolled back: {why}"[:60],
            who="rollout watch",
            strategies=[f"{self.name}@champion"],
            shelf=self.shelf,
            trusted=self.keys,
            yes=True,
            say=lambda words: self.say("switching", {"why": words}),
        )
        return {"journal": made.journal, "process": made.pid, "why": HALTED}
