"""`hft backtest` as a newcomer types it: figures, JSON, files to keep, a sentence for mistakes."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core.errors import HftError, InputError
from hftlib.research.backtest_command import plain
from hftlib.research.tape import to_tape
from hftlib.strategy.files import given_parameters

RUNNER = CliRunner()
IDEA = """
import hftlib as hft


@hft.strategy
class Maker:
    edge_ticks: int = hft.param(1, low=0, high=5)
    share: float = hft.param(0.5, low=0.0, high=1.0)
    careful: bool = hft.param(True)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        edge = self.edge_ticks * b.tick
        ctx.quote(i, bid=b.mid - edge, ask=b.mid + edge, quantity=100)
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a tape and an idea, as the present one."""
    place = tmp_path_factory.mktemp("desk")
    (place / "data" / "tapes").mkdir(parents=True)
    to_tape(hft.synthetic(symbols=2, seconds=3, seed=3), place / "data" / "tapes" / "day.tape")
    (place / "idea.py").write_text(IDEA)
    before = Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


def backtest(*arguments, code=0):
    done = RUNNER.invoke(app, ["backtest", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def sentence(*arguments):
    """What is wrong, where, and what to do, in one text."""
    with pytest.raises(HftError) as caught:
        RUNNER.invoke(app, ["backtest", *map(str, arguments)], catch_exceptions=False)
    return f"{caught.value.what} | {caught.value.where} | {caught.value.do}"


def test_a_newcomer_in_a_process_of_its_own(desk):
    program = [sys.executable, "-c", "from hftlib.cli import main; main()", "backtest"]
    environment = {**os.environ, "PYTHONPATH": str(Path(hft.__file__).parent.parent)}
    done = subprocess.run(
        [*program, "idea.py:Maker", "--tape", "day", "-p", "edge_ticks=2"],
        cwd=desk, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.startswith("<Result of Maker: ") and "P&L after fees" in done.stdout
    done = subprocess.run(
        [*program, "idea.py:Maker", "--tape", "day", "-p", "edge_ticks=9"],
        cwd=desk, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "above its bound 5" in done.stderr and "Traceback" not in done.stderr


def test_the_json_is_what_the_library_gives_and_has_no_nan(desk):
    done = backtest(
        "idea.py:Maker", "--tape", "day", "-p", "edge_ticks=2", "-p", "careful=false",
        "--order-latency", "250us", "--feed-latency", "50us", "--maker", "-0.2bp", "--json",
    )  # fmt: skip
    told = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    assert told["ended"] == "" and told["counts"]["events"] == told["about"]["events"]
    assert told["about"]["parameters"] == {"edge_ticks": 2, "share": 0.5, "careful": False}
    from hftlib.strategy.files import strategy_named

    venue = hft.Venue(
        order_latency="250us", feed_latency="50us", fees=hft.Fees(maker="-0.2bp", taker="0%")
    )
    same = hft.backtest(
        strategy_named("idea.py"), "data/tapes/day.tape",
        params={"edge_ticks": 2, "careful": False}, venue=venue,
    )  # fmt: skip
    assert told["digest"] == same.digest
    assert told["stats"]["totals"] == json.loads(json.dumps(plain(same.stats.to_dict()["totals"])))


def test_uncompiled_sliced_by_symbol_kept_and_reported(desk):
    common = ("idea.py:Maker", "--tape", "day", "--symbol", "AAA", "--begin", "09:30:00.5")
    whole = json.loads(backtest(*common, "--json").stdout)
    done = backtest(*common, "--uncompiled", "-o", "kept", "--report", "page.html", "--json")
    assert json.loads(done.stdout)["digest"] == whole["digest"]
    kept = hft.Result.load("kept")
    assert kept.digest == whole["digest"] and set(kept.records["orders"]["instrument"]) == {0}
    assert kept.digest in Path("page.html").read_text(encoding="utf-8")
    assert "is there already" in sentence(*common, "-o", "kept")


def test_one_that_ends_early_exits_with_one_and_says_why(desk):
    Path("dies.py").write_text(IDEA.replace("edge = ", "edge = (1 // ctx.position(i)) * "))
    done = backtest("dies.py:Maker", "--tape", "day", code=1)
    assert "It did not run to the end of the tape: ZeroDivisionError" in done.output
    assert "dies.py, line 13" in done.output
    told = json.loads(backtest("dies.py", "--tape", "day", "--json", code=1).stdout)
    assert "ZeroDivisionError" in told["ended"]


FILES = {
    "broken.py": "x = 1\ndef f(:\n    pass\n",
    "raises.py": "import json\n\njson.loads('{')\n",
    "imports.py": "import nonsuch_module\n",
    "leaves.py": "raise SystemExit(3)\n",
    "empty.py": "x = 1\n",
    "two.py": IDEA + IDEA.replace("Maker", "Taker").replace("import hftlib as hft", ""),
    "misspelt.py": IDEA.replace("self.edge_ticks", "self.edge_tick"),
}
WRONG_STRATEGIES = [
    ("idea.py:Makr", "There is no strategy 'Makr' in idea.py", "Did you mean 'Maker'?"),
    ("none.py:Maker", "There is no file 'none.py'", "FILE.py:Class"),
    ("broken.py:Maker", "SyntaxError", "broken.py, line 2"),
    ("raises.py:Maker", "JSONDecodeError", "raises.py, line 3"),
    ("imports.py:Maker", "No module named 'nonsuch_module'", "imports.py, line 1"),
    ("leaves.py:Maker", "SystemExit", "leaves.py, line 1"),
    ("empty.py:Maker", "no strategy 'Maker'", "It has none"),
    ("two.py", "named without a class", "It has Maker, Taker"),
    ("misspelt.py:Maker", "There is no self.edge_tick", "misspelt.py, line 13"),
    ("no.such.module:X", "There is no module 'no'", "FILE.py:Class"),
    ("NoSuchOneOfOurs", "no strategy 'NoSuchOneOfOurs'", "Write FILE.py:Class"),
]


@pytest.mark.parametrize(("name", "what", "do"), WRONG_STRATEGIES, ids=lambda text: text[:16])
def test_a_strategy_that_cannot_be_had_is_a_sentence(desk, name, what, do):
    file = name.partition(":")[0]
    if file in FILES:
        Path(file).write_text(textwrap.dedent(FILES[file]))
    if name == "NoSuchOneOfOurs":
        pytest.importorskip("hftlib.strategy.library")
    said = sentence(name, "--tape", "day")
    assert what in said and do in said, said


WRONG_OPTIONS = [
    (("-p", "edge=2"), "Maker has no parameter 'edge'"),
    (("-p", "edge_ticks=9"), "above its bound 5"),
    (("-p", "edge_ticks=2.5"), "whole number"),
    (("-p", "edge_ticks"), "Write -p name=value"),
    (("-p", "=2"), "Write -p name=value"),
    (("--order-latency", "250"), "'250us'"),
    (("--feed-latency=-5us",), "A latency of '-5us' is none"),
    (("--begin", "16:00"), "Choose within 2026-01-05 09:29"),
    (("--end", "04:00"), "no events in this part"),
    (("--begin", "nine"), "'nine' does not read as a time"),
    (("--symbol", "ZZZ"), "There is no instrument 'ZZZ'"),
    (("--queue", "lifo"), "Did you mean 'fifo'?"),
    (("--maker", "cheap"), "'cheap' does not read as a number"),
    (("--position=-5",), "-5 is no limit"),
    (("--limits", "none.toml"), "cannot be read"),
    (("--limits", "none.toml", "--position=5"), "Limits stand in a file and beside it"),
    (("--report", "no/such/page.html"), "There is no folder 'no/such'"),
    (("--report", "data"), "'data' is a folder"),
    (("-o", "no/such/folder"), "There is no folder"),
    (("--tape", "nosuch"), "hft data ls"),
    (("--tape", "idea.py"), "idea.py"),
]


@pytest.mark.parametrize(("options", "said"), WRONG_OPTIONS, ids=lambda one: str(one)[:24])
def test_a_wrong_option_is_a_sentence(desk, options, said):
    tape = () if options[0] == "--tape" else ("--tape", "day")
    assert said in sentence("idea.py:Maker", *tape, *options)


def test_limits_of_a_file_hold(desk):
    Path("limits.toml").write_text('[instrument."*"]\nposition_lots = 0\n')
    command = ("idea.py:Maker", "--tape", "day", "--json")
    free = json.loads(backtest(*command).stdout)["stats"]["totals"]
    bound = json.loads(backtest(*command, "--limits", "limits.toml").stdout)["stats"]["totals"]
    assert all(one["fills"] == 0 for one in bound.values()) and free != bound


def test_without_a_tape_the_option_is_named(desk):
    assert "--tape" in backtest("idea.py:Maker", code=2).output


def test_a_file_finds_what_lies_beside_it(desk):
    (desk / "ideas").mkdir()
    (desk / "ideas" / "widths.py").write_text("EDGE = 3\n")
    text = IDEA.replace("import hftlib", "from widths import EDGE\nimport hftlib")
    (desk / "ideas" / "far.py").write_text(text.replace("hft.param(1,", "hft.param(EDGE,"))
    told = json.loads(backtest("ideas/far.py:Maker", "--tape", "day", "--json").stdout)
    assert told["about"]["parameters"]["edge_ticks"] == 3


def test_texts_of_parameters_become_values():
    given = given_parameters(["a=1", " b = 2.5 ", "c=True", "d=10ms", "e=-3", "f=a=b"])
    assert given == {"a": 1, "b": 2.5, "c": True, "d": "10ms", "e": -3, "f": "a=b"}
    with pytest.raises(InputError):
        given_parameters(["two words=1"])


def test_plain_has_no_nan_anywhere():
    nan, inf = float("nan"), float("inf")
    assert plain({"a": [1.5, nan], "b": {"c": (inf, -inf, 2)}}) == {
        "a": [1.5, None],
        "b": {"c": [None, None, 2]},
    }


BESIDE = """
import hftlib as hft


@hft.strategy
class Taker:
    size: int = hft.param(100, low=1)

    def on_start(self, ctx):
        ctx.timer(500_000_000, 1)

    def on_timer(self, ctx, number):
        ctx.timer(500_000_000, 1)
        ctx.market(0, hft.BUY if number % 2 else hft.SELL, self.size)
"""


def test_several_strategies_side_by_side(desk):
    (desk / "beside.py").write_text(BESIDE)
    given = ("idea.py:Maker", "beside.py:Taker", "--tape", "day", "-p", "Taker.size=7")
    told = json.loads(backtest(*given, "--json", "-o", "both").output)
    assert list(told["strategies"]) == ["Maker", "Taker"]
    assert told["about"]["parameters"]["Taker"] == {"size": 7}
    assert told["strategies"]["Taker"]["about"]["beside"] == ["Maker"]
    assert set(hft.Result.load(desk / "both").strategies) == {"Maker", "Taker"}
    output = backtest(*given).output
    assert output.startswith("<Result of Maker, Taker: ") and "By strategy" in output
    told = json.loads(
        backtest(
            "fast=idea.py:Maker", "slow=idea.py:Maker", "--tape", "day",
            "-p", "fast.edge_ticks=0", "-p", "slow.share=0.25", "--json",
        ).output
    )  # fmt: skip
    assert told["about"]["parameters"]["fast"]["edge_ticks"] == 0
    assert told["about"]["parameters"]["slow"]["share"] == 0.25


def test_what_cannot_be_meant_of_several_is_a_sentence(desk):
    (desk / "beside.py").write_text(BESIDE)
    both = ("idea.py:Maker", "beside.py:Taker", "--tape", "day")
    said = sentence("idea.py:Maker", "idea.py:Maker", "--tape", "day")
    assert "Two strategies are called Maker" in said and "Maker2=FILE.py:Class" in said
    for text in ("size=7", "Other.size=7"):
        said = sentence(*both, "-p", text)
        assert f"'{text}' does not say whose parameter it is" in said and "Maker, Taker" in said
    assert "Taker has no parameter 'width'" in sentence(*both, "-p", "Taker.width=7")
