"""`hft sweep` as it is typed: the best, JSON, a folder to go on in, a sentence for mistakes."""

import json

import pytest
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core.errors import HftError, InputError
from hftlib.research.sweep_command import space_given
from tests.research.sweep_desk import counted_here, tapes

RUNNER = CliRunner()
IDEA = """
import hftlib as hft


@hft.strategy
class Typed:
    edge: int = hft.param(1, low=0, high=5)
    share: float = hft.param(0.5, low=0.0, high=1.0)
    careful: bool = hft.param(True)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        ctx.quote(i, bid=b.mid - self.edge * b.tick, ask=b.mid + self.edge * b.tick, quantity=100)
"""


@pytest.fixture(scope="module")
def idea(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        counted_here(patched)
        file = tmp_path_factory.mktemp("desk") / "idea.py"
        file.write_text(IDEA)
        yield f"{file}:Typed"


def swept(*arguments):
    done = RUNNER.invoke(app, ["sweep", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_grid_from_the_prompt_is_the_sweep_of_a_notebook(idea, tmp_path):
    given = [idea, *tapes(), "--space", "edge=1,2,3", "-p", "share=0.25", "--order-latency", "1ms"]
    told = json.loads(swept(*given, "--objective", "pnl_net", "--json", "-o", tmp_path / "s"))
    assert (told["trials"], told["done"], told["failed"]) == (3, 3, 0)
    from hftlib.strategy.files import strategy_named

    again = hft.sweep(
        strategy_named(idea)(share=0.25), list(tapes()), {"edge": [1, 2, 3]}, objective="pnl_net",
        venue=hft.Venue(order_latency="1ms"), folder=tmp_path / "s",
    )  # fmt: skip
    assert told["best"] == again.best_rows(5) and told["sentence"] == again.standing.sentence
    words = swept(*given, "--objective", "pnl_net", "-o", tmp_path / "s", "--best", 1)
    assert "The best, trial" in words and "edge" in words


def test_chance_over_the_own_bounds(idea):
    told = json.loads(swept(idea, tapes()[0], "--method", "random", "--trials", 3, "--json"))
    assert told["trials"] == 3 and {"edge", "share", "careful"} <= set(told["best"][0])


def test_spaces_are_values_or_ranges():
    assert space_given(["a=1,2", "b=0.5:2", "c=true,false", "d=1s:2s"]) == {
        "a": [1, 2],
        "b": (0.5, 2),
        "c": [True, False],
        "d": ("1s", "2s"),
    }
    for wrong in ("a", "a=", "a=1,,2", "a=1:2:3", "=1", "1a=3"):
        with pytest.raises(InputError, match="says no values"):
            space_given([wrong])
    with pytest.raises(InputError, match="a has two spaces"):
        space_given(["a=1", "a=2"])


@pytest.mark.parametrize(
    "arguments, what",
    [
        (["--space", "edg=1"], "Did you mean 'edge'"),
        (["--space", "edge=9"], "above its bound 5"),
        (["--method", "luck"], "no method 'luck'"),
        (["-p", "share=2"], "above its bound"),
        (["--cluster", "moon"], "no place to run"),
    ],
)
def test_what_is_wrong_is_said(idea, arguments, what):
    with pytest.raises(HftError, match=what):
        RUNNER.invoke(app, ["sweep", idea, str(tapes()[0]), *arguments], catch_exceptions=False)
