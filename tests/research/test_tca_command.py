"""`hft tca` as a person types it: tables, JSON, a page, a sentence for each mistake."""

import json
import os
import shutil
from pathlib import Path

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core.errors import HftError
from hftlib.core.journal import Journal
from hftlib.research.tape import to_tape

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a tape and a result of it, as the present one."""
    place = tmp_path_factory.mktemp("desk")
    tape = to_tape(hft.synthetic(symbols=2, seconds=5, seed=3), place / "day.tape")
    to_tape(hft.synthetic(symbols=2, seconds=5, seed=4), place / "other.tape")
    venue = hft.Venue(order_latency="250us", fees=hft.Fees(maker="-0.1bp"))
    result = hft.backtest(hft.library.QueueImbalance, tape, venue=venue)
    assert len(result.fills) > 5
    result.save(place / "kept")
    before = Path.cwd()
    os.chdir(place)
    yield result
    os.chdir(before)


def tca(*arguments, code=0):
    done = RUNNER.invoke(app, ["tca", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def test_it_prints_figures_and_where_the_pnl_came_from(desk):
    shown = tca("kept", "--by", "venue", "--by", "side")
    assert "Execution quality" in shown and "implementation shortfall" in shown
    assert "spread captured" in shown and "XNAS buy" in shown.replace("  ", " ")
    assert "VWAP" not in shown, "that needs the tape"
    assert "VWAP" in tca("kept", "--tape", "day.tape")


def test_the_json_is_what_the_library_gives(desk):
    def fail(word):
        pytest.fail(f"{word} in JSON")

    told = json.loads(tca("kept", "--tape", "day.tape", "--json"), parse_constant=fail)
    assert told == json.loads(json.dumps(desk.tca().to_dict()))
    net = sum(row["net"] for row in told["attribution"])
    assert net == pytest.approx(desk.stats["pnl_net"], abs=1e-6)
    told = json.loads(tca("kept", "--json", "--by", "side", "--horizon", "10ms"))
    assert told["horizon"] == "10ms" and {row["side"] for row in told["quality"]["rows"]} <= {
        "buy",
        "sell",
    }


def test_the_page_is_written(desk):
    tca("kept", "--report", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith('<div class="hft-tca"') and "What each figure means" in page


def test_one_that_does_not_add_up_says_so_and_exits_with_one(desk, monkeypatch):
    from hftlib.research.tca import Tca

    monkeypatch.setattr(Tca, "check", lambda self: ["AAA: gross is 1, by the ledger 2"])
    done = RUNNER.invoke(app, ["tca", "kept"])
    assert done.exit_code == 1 and "by the ledger 2" in done.output
    told = json.loads(tca("kept", "--json", code=1))
    assert told["does not add up"] == ["AAA: gross is 1, by the ledger 2"]


MISTAKES = [
    (("nowhere",), "There is no result in 'nowhere'"),
    (("day.tape",), "'day.tape' is a file"),
    (("kept", "--tape", "other.tape"), "is not the tape that this result was made on"),
    (("kept", "--tape", "none.tape"), "none.tape"),
    (("kept", "--by", "role"), "no such costs by 'role'"),
    (("kept", "--horizon", "3s"), "no markouts at '3s'"),
    (("kept", "--report", "no/such/page.html"), "There is no folder 'no/such'"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes_are_sentences(desk, arguments, said):
    with pytest.raises(HftError, match=said.replace("(", r"\(")):
        RUNNER.invoke(app, ["tca", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def journal(desk):
    """A runner's day beside the others, and the journal of something else."""
    with Floor(clock={"pace": "wall"}) as floor:
        trial = begun(listened_to(floor), Path("day.journal"))
        trade(floor, 25)
        trial.runner.stop()
        quiet = begun(floor, Path("quiet.journal"))
        quiet.runner.stop()
    Journal.create("other.journal", {"what": "exchange"}).close()
    shutil.copytree("day.journal", "broken.journal")
    with Path("broken.journal/000000.segment").open("r+b") as file:
        file.seek(100_000)
        byte = file.read(1)
        file.seek(100_000)
        file.write(bytes([byte[0] ^ 1]))
    return hft.journal_result("day.journal")


def test_a_runners_journal_is_told_like_a_result(journal):
    shown = tca("day.journal")
    assert "Execution quality" in shown and "spread captured" in shown and "VWAP" in shown
    assert "not told:\n  fees: the runner was given none" in shown
    told = json.loads(tca("day.journal", "--json", "--by", "side"))
    assert {row["side"] for row in told["quality"]["rows"]} == {"buy", "sell"}
    wanted = json.loads(json.dumps(journal.tca().to_dict()))
    assert {name: told[name] for name in wanted} == wanted
    assert wanted["not told"] and wanted["tape"] is True and len(journal.fills) > 10
    tca("day.journal", "--report", "day.html")
    page = Path("day.html").read_text(encoding="utf-8")
    assert page.startswith('<div class="hft-tca"') and "the feed in day.journal" in page
    assert "Not told" in page and "was given none" in page


def test_a_day_without_a_fill_says_so(journal):
    assert "There is no fill, so there is no P&L" in tca("quiet.journal")
    assert json.loads(tca("quiet.journal", "--json"))["attribution"] == []


WRONG_JOURNALS = [
    (("other.journal",), "This is no journal of a runner"),
    (("broken.journal",), "The journal is damaged"),
    (("day.journal", "--tape", "day.tape"), "is the feed in its journal"),
    (("day.journal", "--horizon", "3s"), "no markouts at '3s'"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG_JOURNALS)
def test_wrong_journals_are_sentences(journal, arguments, said):
    with pytest.raises(HftError, match=said):
        RUNNER.invoke(app, ["tca", *arguments], catch_exceptions=False)
