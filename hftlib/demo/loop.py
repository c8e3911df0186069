"""The demo's main part: from a strategy's notebook to a champion that trades, and back.

    a market from a seed ▶ a notebook ▶ eleven gates ▶ a signed release ▶ shadow ▶ canary ▶ champion
                                                                        replayed ◀ rolled back ◀┘

Each step is the command that a user would type, run for real: kernels, processes, sockets, an
exchange on this host. The two people, ann who writes and bea who answers for risk, are two keys.
What came of it is a page, with the commands and with where to look next.

Worst case: the time limits of the gates.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hftlib
from hftlib.core.errors import InputError, StateError
from hftlib.demo.desk import END_S, Desk, Running, failed
from hftlib.demo.page import Chapter, gates_table, write_page
from hftlib.demo.saying import say
from hftlib.terminal import counted

ROOT = Path(hftlib.__file__).resolve().parents[1]
IDEA = "queue_imbalance"
PLAN, POLICY = ROOT / "pipelines" / "demo.toml", ROOT / "pipelines" / "demo_rollout.toml"
SHADOW_S, CANARY_S, CHAMPION_S = 7.0, 6.0, 3.0
WORSE = "edge_ticks=1"  # quotes so near that what it earns does not pay for what it meets
STEPS = 9


@dataclass
class Story:
    """What the chapters have in common."""

    desk: Desk
    say: Callable[[str, str], None]
    chapters: list[Chapter] = field(default_factory=list)
    exchange: Path = Path()

    @property
    def folder(self) -> Path:
        return self.desk.folder

    @property
    def trusted(self) -> tuple[object, ...]:
        return "--trusted", self.folder / "keys", "--shelf", self.folder / "releases"

    def by(self, who: str, why: str) -> tuple[object, ...]:
        return *self.trusted, "--key", self.folder / f"{who}.key", "--why", why

    def journal(self, name: str) -> Path:
        return self.folder / f"{name}.journal"

    def told(self, word: str, sentence: str, html: str = "", since: int = 0) -> None:
        """A chapter is over: what was seen, on the screen and for the page."""
        self.say(word, sentence)
        self.chapters.append(Chapter(word, sentence, self.desk.typed[since:], html))


def show(desk: Desk) -> Path:
    """The whole story; where its page is."""
    if not PLAN.is_file():
        do = "Run it in a checkout of the project: make demo."
        raise InputError("The demo's notebook and plan are not here", where=str(PLAN), do=do)
    story = Story(desk, lambda word, text: say(desk.console, word, text))
    _compiled(story)
    begun = time.perf_counter()
    _people(story)
    _gates(story)
    with desk.started("exchange", "exchange", "--demo", "--json") as exchange:
        story.exchange = exchange.out
        text = "an exchange on this host: OUCH in, ITCH out, four living symbols"
        story.told("exchange", text, since=len(desk.typed) - 1)
        _stage(story, "shadow", "canary", SHADOW_S)
        _stage(story, "canary", "champion", CANARY_S)
        _champion(story)
    _replayed(story)
    seconds = time.perf_counter() - begun
    page = write_page(desk.folder, story.chapters, seconds, desk.own)
    story.say("done", f"in {seconds:.0f} s; all of it, and where to look next: {page}")
    return page


def _compiled(story: Story) -> None:
    """Once for a machine, in minutes: a gate's time limit is for what it asks."""
    begun = len(story.desk.typed)
    story.told("compiled", story.desk.run("warm"), since=begun)


def _people(story: Story) -> None:
    """Two keys, of two people."""
    begun = len(story.desk.typed)
    for who in ("ann", "bea"):
        story.desk.run("keys", "make", story.folder / f"{who}.key", "--json")
        shutil.copy(story.folder / f"{who}.pub", story.folder / "keys")
    text = "ann writes strategies, bea answers for risk; this host trusts what their keys sign."
    story.told("people", text, since=begun)


def _gates(story: Story) -> None:
    """The notebook through every gate, signed and registered."""
    begun = len(story.desk.typed)
    idea = story.folder / f"{IDEA}.ipynb"
    shutil.copy(ROOT / "notebooks" / "strategies" / idea.name, idea)
    told = story.desk.run(*_promote(story, IDEA), "--key", story.folder / "ann.key", "--json")
    text = f"{len(told['gates'])} of {len(told['gates'])} gates passed in {told['seconds']:.0f} s;"
    text += (
        f" signed as {Path(told['release']['folder']).name}, in the registry as {IDEA}@candidate"
    )
    report = Path(told["report"]).resolve().relative_to(story.folder.resolve())
    html = gates_table(told, report.parent)
    story.told("gates", text, html, since=begun)


def _promote(story: Story, name: str, *more: object) -> tuple[object, ...]:
    notebook, place = story.folder / f"{IDEA}.ipynb", story.folder / "promotions" / name
    own = "--plan", PLAN, "-o", place, "--into", story.folder / "releases", "--rollout", POLICY
    return "promote", notebook, *own, "-j", 2, *more


def _stage(story: Story, stage: str, after: str, seconds: float) -> None:
    """Let it in there, let it run, and let its journal say whether it may go on."""
    begun = len(story.desk.typed)
    if stage == "shadow":
        why = "all gates pass"
        story.desk.run("rollout", IDEA, "--to", stage, *story.by("ann", why), "--json")
    _session(story, stage, seconds)
    own = "--journal", story.journal(stage), *story.by("ann", f"its {stage} is as it should be")
    told = story.desk.run("rollout", IDEA, "--to", after, *own, "--json")
    story.told(stage, _judged(told, stage, seconds), since=begun)


def _session(story: Story, stage: str, seconds: float) -> None:
    """The release at this stage, for so many seconds."""
    words = _live(story, stage, story.journal(stage))
    with story.desk.started(stage, *words, "--seconds", seconds) as runner:
        _waited(runner, f"{stage} trades", seconds)


def _live(story: Story, stage: str, journal: Path) -> tuple[object, ...]:
    own = "--exchange", story.exchange, "--journal", journal, *story.trusted
    return "live", f"{IDEA}@{stage}", *own, "--control", story.desk.sockets / "runner", "--json"


def _waited(runner: Running, what: str, seconds: float, ends: bool = True) -> None:
    """Until its seconds are over, and it has ended by itself where it does."""
    with counted(what, round(seconds)) as advance:
        begun = time.monotonic()
        while runner.process.poll() is None:
            done = time.monotonic() - begun
            if done > seconds and not ends:
                return
            if done > seconds + END_S:
                do = "Run the demo again on a host that has less to do."
                raise StateError("A runner did not end with its time", where=what, do=do)
            advance(min(round(seconds), int(done)), "")
            time.sleep(0.05)
    if runner.process.returncode:
        raise failed(what, runner.process.returncode, runner.log.read_text())


def _judged(told: dict[str, Any], stage: str, seconds: float) -> str:
    """What the journal of a stage has shown, in a sentence."""
    evidence = told["step"]["evidence"]
    moved = {"asked": "is asked for as", "moved": "goes on to"}[told["step"]["what"]]
    orders, fills = int(evidence["orders_min"]), int(evidence["fills_min"])
    shared = float(evidence["decisions_share_min"])
    return (
        f"{seconds:.0f} s: {orders:,} orders, {fills:,} fills, {shared:.0%} of its decisions are"
        f" those of its backtest; every condition of leaving {stage} holds, and it {moved}"
        f" {told['step']['stage']}"
    )


def _champion(story: Story) -> None:
    """Two people let it trade; a changed parameter is refused meanwhile; then it is taken back."""
    begun = len(story.desk.typed)
    words = "rollout", IDEA, "--to", "champion", "--approve"
    alone = *words, *story.by("ann", "I wrote it, so I know it best")
    said = story.desk.run(*alone, code=3, shown=False)
    told = story.desk.run(*words, *story.by("bea", "its limits are small"), "--json")
    text = f"ann alone is refused ({said}); bea lets {told['step']['release']} in"
    story.told("two people", text, since=begun)
    begun, place = len(story.desk.typed), story.journal("champion")
    with story.desk.started("champion", *_live(story, "champion", place)) as runner:
        _refused(story)
        _waited(runner, "the champion trades", CHAMPION_S, ends=False)
        _rolled_back(story)


def _refused(story: Story) -> None:
    """One parameter is changed: it has to go through the gates, beside the champion."""
    begun = len(story.desk.typed)
    champion = "--champion", story.folder / "promotions" / IDEA
    words = *_promote(story, "nearer"), "-p", WORSE, *champion, "--json"
    told = story.desk.run(*words, code=1)
    failed_at = next(one for one in told["gates"] if one["verdict"] != "pass")
    report = Path(told["report"]).resolve().relative_to(story.folder.resolve())
    text = f"{WORSE} is refused by {failed_at['gate']}: {failed_at['sentence']}"
    story.told("a change", text, gates_table(told, report.parent), since=begun)


def _rolled_back(story: Story) -> None:
    """The champion is taken back while it trades: nobody can launch it, and its orders go."""
    desk, begun = story.desk, len(story.desk.typed)
    socket = "--socket", desk.sockets / "runner"
    counts = desk.run("status", *socket, "--json")["counts"]
    desk.run("rollback", IDEA, *story.by("bea", "a drill"), "--json")
    desk.run("kill", *socket, "--why", "rolled back", "--json")
    left = desk.run("status", *socket, "--json")["open_orders"]
    again = desk.run(*_live(story, "champion", story.journal("again")), code=3, shown=False)
    text = f"it has sent {counts['commands']:,} orders, {left} stand now;"
    story.told("rollback", f"{text} whoever launches it reads: {again}", since=begun)


def _replayed(story: Story) -> None:
    """The champion's journal, through the same machine code again."""
    begun = len(story.desk.typed)
    told = story.desk.run("replay", story.journal("champion"), "--json")
    text = f"{told['frames']:,} frames again, every byte that went out is the same"
    story.told(
        "replay", text, hftlib.journal_result(story.journal("champion"))._repr_html_(), begun
    )
