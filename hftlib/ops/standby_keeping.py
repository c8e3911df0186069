"""What a standby keeps: the copy, and in which epoch. Its connections: `standby.py`.

    keeps = Keeping(folder, synced, control, say)
    keeps.offered(told)      the standing of the copy, which is begun where there is none
    keeps.take(...), keeps.seal(head), keeps.end(told)
    keeps.promote()          the copy takes over: nothing of an epoch before is taken any more

Worst case: a copy that is taken up is verified whole, at some 1 GB/s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal.copying import Copy, session_of_header
from hftlib.ops import epochs

Say = Callable[[str, dict[str, Any]], None]


class FencedError(StateError):
    """It was told to take over: whoever comes with an epoch before that trades no more."""


class Keeping:
    """A copy, or the room for one; `copy` is None before a runner came, and after the end."""

    def __init__(self, folder: Path, synced: bool, control: str, say: Say) -> None:
        self.folder, self.synced, self._control, self._say = folder, synced, control, say
        self.epoch = epochs.Epoch(1, epochs.COPY, control)
        self.copy: Copy | None = None
        self.acknowledged, self.is_over, self.why = 0, False, ""
        if folder.exists():
            self._take_up()

    def _take_up(self) -> None:
        """The copy that was kept before."""
        found = epochs.read(self.folder)
        if found.role != epochs.COPY:
            raise StateError(
                "This is no copy of a standby, or one that has taken over",
                where=str(self.folder),
                do="Name a folder that does not exist yet, or the copy that a standby kept.",
            )
        self.copy = Copy.taken_up(self.folder, synced=self.synced)
        self.epoch = replace(found, control=self._control)
        epochs.write(self.folder, self.epoch)
        self.acknowledged = self.copy.sequence
        if self.copy.torn:
            self._say("cut off", {"why": self.copy.torn})

    @property
    def sequence(self) -> int:
        """Of the last frame that is here."""
        return self.copy.sequence if self.copy is not None else self.acknowledged

    def offered(self, told: dict[str, Any]) -> dict[str, Any]:
        """What the copy is, for a runner that comes with this journal; one for another is refused.

        A probe comes with none: it asks whether a new journal would be followed.
        """
        if self.epoch.role == epochs.OWN or 0 < told["epoch"] < self.epoch.epoch:
            raise self.fenced()
        if told["probe"]:
            if self.copy is not None or self.is_over:
                raise self._another("a new journal's runner came")
            return {}
        header = bytes.fromhex(told["header"])
        session = session_of_header(header)
        if self.is_over or (self.copy is not None and self.copy.session != session):
            raise self._another("another journal's runner came")
        if self.copy is None:
            self.copy = Copy.begun(self.folder, header, synced=self.synced)
            epochs.write(self.folder, self.epoch)
            self._say("copy", {"of": session.identity.hex(), "at": str(self.folder)})
        return asdict(self.copy.standing)

    def followed(self, epoch: int) -> None:
        """The runner goes on behind the copy, in this epoch."""
        if epoch > self.epoch.epoch:
            self.epoch = replace(self.epoch, epoch=epoch)
            epochs.write(self.folder, self.epoch)

    def acknowledge(self) -> int:
        """All that was taken is where it is promised: the last sequence."""
        if self.copy is None:
            return self.acknowledged
        if self.synced:
            self.copy.sync()
        self.acknowledged = self.copy.sequence
        return self.acknowledged

    def seal(self, head: str) -> None:
        """A block ends here, and the chain up to there is the journal's."""
        if self.copy is not None:
            self._require_head(self.copy.seal(), head)

    def end(self, head: str, sequence: int) -> str:
        """The journal was closed, and so is the copy: its head."""
        copy = self.copy
        if copy is None or copy.sequence != sequence:
            what = f"The journal has {sequence:,} frames, and the copy {self.sequence:,}"
            raise StateError(what, where=str(self.folder), do="Let its runner go on with it.")
        self.acknowledged, self.copy, self.is_over = sequence, None, True
        made = copy.end()
        self._require_head(made, head)
        return made.hex()

    def _require_head(self, ours: bytes, head: str) -> None:
        if ours.hex() != head:
            self.why = f"the copy's chain is another: {ours.hex()}, and the journal's {head}"
            raise StateError(self.why, where=str(self.folder), do="hft journal verify both.")

    def promote(self) -> epochs.Epoch:
        """The copy is a journal of its own from now on; it is let go."""
        if self.copy is None:
            raise StateError(
                "There is no copy that could take over",
                where=str(self.folder),
                do="It is made when a runner comes, and takes over once.",
            )
        self.acknowledged = self.copy.sequence
        self.copy.close()
        self.copy = None
        self.epoch = epochs.taken_over(self.folder)
        self._say("took over", {"epoch": self.epoch.epoch, "frames": self.acknowledged})
        return self.epoch

    def fenced(self) -> FencedError:
        return FencedError(
            f"The standby was told to take over: epoch {self.epoch.epoch} is now",
            where=str(self.folder),
            do="Trade from its copy: hft live --resume.",
        )

    def close(self) -> None:
        """Let go; another standby takes it up where it is."""
        if self.copy is not None:
            self.copy.close()
            self.copy = None

    def _another(self, who: str) -> InputError:
        return InputError(
            f"{who}, and this standby has a copy of one: {self.folder.name}",
            where=str(self.folder),
            do="Start a standby with a folder of its own for it.",
        )
