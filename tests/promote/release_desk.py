"""What the tests of releases share: an idea, its limits, a key, and a release of them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from small_rollout import WHOLE_POLICY

from hftlib.core.release.keys import PrivateKey, make_key, save_key
from hftlib.promote.releasing import make_release

WORDS = "some words here"
LIMITS = '[firm]\nmessages = 100_000\n\n[instrument."*"]\nposition_lots = 1_000\n'
IDEA = '''
import hftlib as hft


@hft.strategy
class Both:
    """Buys a little and gives it back."""

    every: int = hft.param(20_000_000, low=1000, duration=True)
    clip: int = hft.param(10, low=1, high=100)
    edge: float = hft.param(0.0)

    def on_start(self, ctx):
        ctx.timer(self.every, 0)

    def on_timer(self, ctx, number):
        ctx.timer(self.every, 0)
        b = ctx.book(0)
        if b.is_open and b.has_both and ctx.open_orders(0) == 0:
            if ctx.position(0) <= 0:
                ctx.buy(0, b.ask + self.edge, self.clip, lasts=hft.IOC)
            else:
                ctx.sell(0, b.bid - self.edge, self.clip, lasts=hft.IOC)
'''
POLICY = WHOLE_POLICY


class Desk:
    """A folder with all that a release is made of."""

    def __init__(self, folder: Path, key: PrivateKey | None = None) -> None:
        self.folder, self.key = folder, key or make_key("desk")
        self.trusted = {self.key.public.id: self.key.public}
        self.idea, self.limits = folder / "both.py", folder / "limits.toml"
        self.idea.write_text(IDEA)
        self.limits.write_text(LIMITS)
        self.keys = folder / "keys"
        self.keys.mkdir()
        save_key(self.key, self.keys / "desk.key", WORDS)
        words = folder / "words"
        words.write_text(f"{WORDS}\n")
        words.chmod(0o600)
        self.words = words

    def release(self, **changes):
        given = {
            "name": "both",
            "module": self.idea,
            "strategy": "Both",
            "parameters": {"clip": 20},
            "limits": self.limits,
            "rollout": None,
            "evidence": None,
            "tapes": {},
            "notebook": None,
            "key": self.key,
            "into": self.folder / "releases",
        }
        return make_release(**{**given, **changes})


@cache
def made_once():
    """A desk and its release, for all tests of a process: it takes seconds to make one."""
    folder = Path(tempfile.mkdtemp(prefix="hft-test-desk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    desk = Desk(folder)
    evidence, notebook, rollout = folder / "evidence", folder / "both.ipynb", folder / "policy.toml"
    (evidence / "gates").mkdir(parents=True)
    (evidence / "gates" / "data.html").write_text("<p>well</p>")
    notebook.write_text("{}")
    rollout.write_text(POLICY)
    more = {"evidence": evidence, "notebook": notebook, "rollout": rollout}
    return desk, desk.release(**more, tapes={"monday": "ab" * 32})
