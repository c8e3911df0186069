"""The rollout of a release's name: a log of signed steps, and what shadow and champion mean by it.

    rollout = read_rollout(shelf, "maker", trusted_keys(keys))      SHELF/maker.rollout
    rollout.at("champion")                   the step by which it is; None: nothing is
    release_at(rollout, "champion", trusted) its release, verified, or a sentence

    shadow ──moved──▶ canary ──asked, then moved by another person──▶ champion ──▶ previous
                                              champion ◀──rolled back── previous

What a stage means is the fold of all steps, and each of them is held against the chain, a trusted
key's signature and the rules here by whoever reads: a stage is never skipped; a champion is asked
for by one person and let in by another, who has not signed the release either; a rollback goes to
the champion before, and needs one person. No name in a registry is believed.

Worst case: 4,000 steps, 0.15 ms of Ed25519 each. A log with a step of a key that is no longer
trusted is refused whole: docs/rollout.md says how a new one is begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release import rollout_step as steps
from hftlib.core.release.keys import PublicKey
from hftlib.core.release.reading import Release, read_release
from hftlib.core.release.rollout_file import log_of, read_log
from hftlib.core.release.rollout_step import (
    CANARY,
    CHAMPION,
    FIRST,
    PREVIOUS,
    SHADOW,
    STAGES,
    Step,
    is_same_person,
    require_name,
    step_of,
    wrong,
)

ALIASES = (*STAGES, PREVIOUS)
STEPS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Rollout:
    """A name's steps, all of which hold, and what they come to."""

    name: str
    shelf: Path
    steps: tuple[Step, ...]
    held: Mapping[str, Step]  # by alias, the step by which it is that
    asked: Step | None  # a champion that waits for a second person

    def at(self, alias: str) -> Step | None:
        """By which step something is shadow, canary, champion or previous."""
        if alias not in ALIASES:
            do = f"Use one of {', '.join(ALIASES)}."
            raise InputError(f"There is no stage {alias!a}", where="the rollout", do=do)
        return self.held.get(alias)

    @property
    def path(self) -> Path:
        return log_of(self.shelf, self.name)


def read_rollout(shelf: Path, name: str, trusted: Mapping[str, PublicKey]) -> Rollout:
    """All steps of the name's log; without one there are none. Whatever does not hold refuses."""
    require_name(name)
    return rollout_of(read_log(shelf, name), shelf, name, trusted)


def rollout_of(data: bytes, shelf: Path, name: str, trusted: Mapping[str, PublicKey]) -> Rollout:
    """What the bytes of a log come to."""
    path = log_of(shelf, name)
    lines = data.splitlines(keepends=True) if data else []
    if len(lines) > STEPS_MAX:
        raise wrong(f"has more than {STEPS_MAX:,} steps", str(path))
    fold, before = Fold(), FIRST
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        step = step_of(line, shelf, where)
        if step.number != number or step.before != before:
            raise wrong("does not follow the line before it: one was altered, or is missing", where)
        if step.name != name:
            raise wrong(f"is a step of {step.name}, not of {name}", where)
        key = trusted.get(step.key)
        if key is None:
            raise wrong(f"is signed by the key {step.key}, which is not trusted here", where)
        if not step.is_signed_by(key):
            raise wrong(f"is not what the key {key.id} ({key.name}) signed", where)
        try:
            fold.take(step)
        except StateError as error:
            raise wrong(f"breaks a rule: {error.what}", where) from None
        before = step.line
    return fold.rollout(name, shelf)


def release_at(rollout: Rollout, alias: str, trusted: Mapping[str, PublicKey]) -> Release:
    """The release that is shadow, canary, champion or previous: whole, signed, and that one."""
    step = rollout.at(alias)
    if step is None:
        held = [f"{one} {step.release.name}" for one, step in rollout.held.items()]
        do = f"There is {', '.join(held) or 'no stage taken'}: see hft rollout {rollout.name}."
        what = f"Nothing of {rollout.name} is {alias}"
        raise StateError(what, where=str(rollout.path), do=do)
    return release_of_step(step, trusted)


def release_of_step(step: Step, trusted: Mapping[str, PublicKey]) -> Release:
    """The release of a step, which is looked at only where it is used."""
    if not step.release.is_dir():
        raise StateError(
            f"The release {step.release.name} is not on the shelf",
            where=str(step.release),
            do="Copy it there: hft release unpack ARCHIVE SHELF, or hft registry fetch.",
        )
    found = read_release(step.release, trusted)
    is_it = (found.manifest.name, found.manifest.serial) == (step.name, step.serial)
    if not is_it or found.digest != step.digest:
        raise _other(step, f"{step.release.name} is another release than the one that was let in")
    if f"{found.key.name} {found.key.id}" != step.signer:
        raise _other(step, f"{step.release.name} is signed by another than step {step.number} says")
    return found


class Fold:
    """What steps come to, one after the other; the one place where the rules are."""

    def __init__(self) -> None:
        self._held: dict[str, Step] = {}
        self._before: list[Step] = []  # champions, the last one last
        self._asked: Step | None = None
        self._steps: list[Step] = []
        self._known: dict[str, Step] = {}

    def rollout(self, name: str, shelf: Path) -> Rollout:
        held = {alias: self._held[alias] for alias in STAGES if alias in self._held}
        if self._before:
            held[PREVIOUS] = self._before[-1]
        return Rollout(name, shelf, tuple(self._steps), held, self._asked)

    def take(self, step: Step) -> None:
        """The next step, or the rule that it breaks; then nothing has changed."""
        self._require_one_release(step)
        rules = {
            steps.ASKED: self._ask,
            steps.MOVED: self._move,
            steps.ROLLED_BACK: self._roll_back,
            steps.TAKEN_AWAY: self._take_away,
        }
        rules[step.what](step)
        self._steps.append(step)
        self._known[step.digest] = self._known[str(step.serial)] = step

    def _require_one_release(self, step: Step) -> None:
        for known in (self._known.get(step.digest), self._known.get(str(step.serial))):
            told = step.digest, step.serial, step.signer
            if known is not None and (known.digest, known.serial, known.signer) != told:
                what = f"the release {step.release.name} is another than in step {known.number}"
                raise _against(what, "A release that differs has a serial of its own.")

    def _move(self, step: Step) -> None:
        if step.stage == SHADOW:
            for stage, held in self._held.items():
                if held.digest == step.digest:
                    what = f"{step.release.name} is {stage} already"
                    raise _against(what, f"See `hft rollout {step.name}`.")
        elif step.stage == CANARY:
            self._require_held(step, SHADOW)
            self._asked = None
            del self._held[SHADOW]
        else:
            self._require_held(step, CANARY)
            self._require_second(step)
            if CHAMPION in self._held:
                self._before.append(self._held[CHAMPION])
            self._asked = None
            del self._held[CANARY]
        self._held[step.stage] = step

    def _ask(self, step: Step) -> None:
        if step.stage != CHAMPION:
            raise _against(f"nobody asks for {step.stage}", "Move it there.")
        self._require_held(step, CANARY)
        self._asked = step

    def _roll_back(self, step: Step) -> None:
        if step.stage != CHAMPION:
            raise _against(f"no {step.stage} is rolled back", "Take it away.")
        if not self._before or self._before[-1].digest != step.digest:
            was = self._before[-1].release.name if self._before else "none"
            what = f"a rollback goes to the champion before, which is {was}"
            raise _against(what, f"See `hft rollout {step.name}`.")
        self._before.pop()
        self._held[CHAMPION], self._asked = step, None

    def _take_away(self, step: Step) -> None:
        self._require_held(step, step.stage)
        if step.stage != SHADOW:
            self._asked = None
        del self._held[step.stage]

    def _require_held(self, step: Step, stage: str) -> None:
        held = self._held.get(stage)
        if held is None or held.digest != step.digest:
            is_it = f"{held.release.name} is" if held else "nothing is"
            what = f"{step.release.name} is not {stage} now, {is_it}"
            do = f"Move it there first: hft rollout {step.name} --to {stage}; no stage is skipped."
            raise _against(what, do)

    def _require_second(self, step: Step) -> None:
        asked = self._asked
        if asked is None or asked.digest != step.digest:
            do = "One person asks: hft rollout NAME --to champion; another adds --approve."
            raise _against(f"nobody has asked for {step.release.name} as champion", do)
        if is_same_person(step.who, asked.who):
            do = "Let another person approve it, with a key of their own name."
            raise _against(f"{step.by} has asked for it, and may not approve it too", do)
        if is_same_person(step.who, step.signer):
            do = "Let a person approve it who has neither asked for it nor signed it."
            raise _against(f"{step.by} has signed the release, and may not approve it too", do)


def _against(rule: str, do: str) -> HftError:
    return StateError(f"{rule[:1].upper()}{rule[1:]}", where="the rules of a rollout", do=do)


def _other(step: Step, what: str) -> HftError:
    do = "Do not run it. Fetch the release again, or ask who wrote to the shelf."
    return InputError(what, where=str(step.release), do=do)
