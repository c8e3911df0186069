"""`hft data` as a newcomer tries it: files in, tapes listed, shown, checked; mistakes too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from captures import datagram, on_the_wire, pcap
from recorded import recorded
from slow_market import SlowBooks, flow_of_orders
from tapes import ArraySource, flow
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core import events
from hftlib.core.errors import HftError
from hftlib.core.times import to_text
from hftlib.feed.tape_file import write_tape
from hftlib.research.tape import open_tape

HFT = [sys.executable, "-c", "from hftlib.cli import main; main()", "data"]
RUNNER = CliRunner()


def hft(place: Path, *arguments: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a shell starts it."""
    program = [*HFT, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    return subprocess.run(
        program, cwd=place, env=environment, capture_output=True, text=True, timeout=120,
        check=False, **options,
    )  # fmt: skip


def here(*arguments: Any) -> str:
    """The same in this process: quick, with HftError for mistakes."""
    with patch("hftlib.research.commands.leave_through_finally"):  # this process keeps its own
        done = RUNNER.invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.stdout)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: Any) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HFT_TAPES", raising=False)
    monkeypatch.setattr("hftlib.research.commands.leave_through_finally", lambda: None)
    return tmp_path


@pytest.fixture(scope="module")
def market(tmp_path_factory: Any) -> Path:
    """A small market in ITCH 5.0 bytes, made by the command itself."""
    path = tmp_path_factory.mktemp("market") / "market.itch50"
    here("synth", "--symbols", 2, "--seconds", 5, "--seed", 3, "-o", path)
    return Path(path)


def test_the_whole_way_of_a_newcomer(desk: Path, market: Path) -> None:
    """As real processes: make a market, import it, list, show and check it."""
    (desk / "day.itch50").write_bytes(market.read_bytes())
    done = hft(desk, "import", "day.itch50", "--date", "2026-01-05")
    assert done.returncode == 0, done.stderr
    assert "day.itch50 is read as ITCH 5.0, by its looks." in done.stdout
    assert "data/tapes/day.tape: " in done.stdout and done.stderr == ""
    tape = open_tape(desk / "data" / "tapes" / "day.tape")
    done = hft(desk, "ls")
    assert done.returncode == 0 and "day.tape" in done.stdout and tape.digest[:12] in done.stdout
    done = hft(desk, "show", "day")
    assert done.returncode == 0 and tape.digest in done.stdout and f"{len(tape):,}" in done.stdout
    done = hft(desk, "validate", "day", "--strict")
    assert "of them clean" in done.stdout and done.returncode in (0, 1)


def test_answers_are_json_where_asked_for(desk: Path, market: Path) -> None:
    summaries = json.loads(here("import", market, "--date", "2026-01-05", "-o", "a.tape", "--json"))
    tape = open_tape("a.tape")
    assert [(s["events"], s["digest"]) for s in summaries] == [(len(tape), tape.digest)]
    (row,) = json.loads(here("ls", ".", "--json"))
    assert (row["name"], row["events"], row["digest"]) == ("a.tape", len(tape), tape.digest)
    assert (row["begin"], row["end"]) == (tape.begin, tape.end)
    shown = json.loads(here("show", "a.tape", "--json"))
    assert sum(shown["kinds"].values()) == shown["events"] == len(tape)
    symbol = tape.symbols[0]
    one = json.loads(here("show", "a.tape", symbol, "--json"))
    assert one["events"] == len(tape[symbol])
    assert set(one["by_instrument"]) - {"(every instrument)"} == {symbol}
    checked = json.loads(here("validate", "a.tape", "--json"))
    assert checked["seen"] == len(tape) == checked["clean"] + checked["flagged"]


def test_a_book_is_shown_as_it_stood(desk: Path) -> None:
    array = flow_of_orders(300, 4)
    write_tape("a.tape", ArraySource(array))
    at = to_text(int(array["time"][200]))
    book = SlowBooks()
    for one in array[array["time"] <= array["time"][200]]:
        book.apply(one)
    for row, symbol in enumerate(("AAPL", "MSFT")):
        shown = json.loads(here("show", "a.tape", symbol, "--at", at, "--json"))
        picture = here("show", "a.tape", symbol, "--at", at)
        assert symbol in picture and shown["symbol"] == symbol
        for side, name in ((events.BUY, "bids"), (events.SELL, "asks")):
            best = book.best(row, side)
            found = [(one["price"], one["quantity"]) for one in shown[name][:1]]
            assert found == ([(best[0] / 10_000, best[1])] if best else [])
            assert best is None or f"{best[0] / 10_000:.2f}" in picture


def test_a_market_from_a_seed_is_the_same_as_bytes_and_as_tape(desk: Path, market: Path) -> None:
    here("synth", "--symbols", 2, "--seconds", 5, "--seed", 3, "-o", "made.tape")
    again = json.loads(
        here("synth", "--symbols", 2, "--seconds", 5, "--seed", 3, "-o", "b.itch50", "--json")
    )
    assert (desk / "b.itch50").read_bytes() == market.read_bytes()
    assert again["bytes"] == market.stat().st_size
    here("import", market, "--date", "2026-01-05", "-o", "read.tape")
    assert open_tape("made.tape").digest == open_tape("read.tape").digest
    with pytest.raises(HftError, match="a file of that name already"):
        here("synth", "-o", "b.itch50")
    with pytest.raises(HftError, match="a file of that name already"):
        here("synth", "-o", "made.tape")


def test_tapes_go_where_the_environment_says(desk: Path, market: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HFT_TAPES", str(desk / "store"))
    here("import", market, "--date", "2026-01-05")
    assert (desk / "store" / "market.tape").exists() and not (desk / "data").exists()
    assert "market.tape" in here("ls") and "Tape market.tape" in here("show", "market")


def test_a_tape_in_use_is_kept_and_replaced_only_when_said(desk: Path, market: Path) -> None:
    arguments = ("import", market, "--date", "2026-01-05", "-o", "a.tape")
    here(*arguments)
    before = (desk / "a.tape").stat().st_ino
    with pytest.raises(HftError, match=r"a file of that name already.*--overwrite"):
        here(*arguments)
    assert (desk / "a.tape").stat().st_ino == before
    here(*arguments, "--overwrite")
    assert (desk / "a.tape").stat().st_ino != before


def test_a_list_names_what_is_no_tape_and_passes_over_the_rest(desk: Path) -> None:
    write_tape("good.tape", ArraySource(flow(10)))
    (desk / "bad.tape").write_bytes(b"HFTTAPE" + bytes(5000))
    (desk / "cut.tape").write_bytes((desk / "good.tape").read_bytes()[:5000])
    (desk / "notes.txt").write_text("a note")
    rows = {row["name"]: row for row in json.loads(here("ls", ".", "--json"))}
    assert set(rows) == {"good.tape", "bad.tape", "cut.tape"}
    assert rows["good.tape"]["damaged"] == "" and "version is 0" in rows["bad.tape"]["damaged"]
    assert "not a tape" in rows["cut.tape"]["damaged"]
    assert "not a tape" in here("ls", ".").replace("\n", " ")


def test_strict_fails_exactly_when_something_is_wrong(desk: Path) -> None:
    write_tape("wrong.tape", ArraySource(flow_of_orders(300, 1)))
    done = RUNNER.invoke(app, ["data", "validate", "wrong.tape", "--strict"])
    assert done.exit_code == 1 and "no such order" in done.stdout
    quiet = flow_of_orders(1, 1)
    quiet["kind"], quiet["quantity"] = 17, 1  # a notice
    write_tape("fine.tape", ArraySource(quiet))
    here("validate", "fine.tape", "--strict")


def test_a_tampered_tape_fails_its_validation(desk: Path) -> None:
    write_tape("a.tape", ArraySource(flow(1000)))
    data = bytearray((desk / "a.tape").read_bytes())
    data[4096 + 64 * 500 + 3] ^= 1
    (desk / "a.tape").write_bytes(data)
    with pytest.raises(HftError, match="are not what was written"):
        here("validate", "a.tape")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["import", "missing"], 2, "There is no such file"),
        (["import", "."], 2, "This is a folder"),
        (["import", "/"], 2, "This is a folder"),
        (["import", "words.txt", "-o", "."], 2, "is a folder"),
        (["synth", "-o", "."], 2, "is a folder"),
        (["import", "empty"], 2, "The file is empty"),
        (["import", "words.txt"], 2, "looks like nothing that can be imported"),
        (["import", "words.txt", "--as", "fiction"], 2, "There is no kind 'fiction'"),
        (["import", "words.txt", "empty", "-o", "x"], 2, "2 recordings cannot become one tape"),
        (["ls", "nowhere"], 2, "There is no such folder"),
        (["show", "nothing"], 2, "The tape cannot be opened"),
        (["show", "words.txt"], 2, "not a tape"),
        (["validate", "words.txt"], 2, "not a tape"),
        (["validate", "a.tape", "--jump", "soon"], 2, "does not read as a duration"),
        (["show", "a.tape", "NOSUCH"], 2, "There is no instrument 'NOSUCH'"),
        (["show", "a.tape", "--at", "10:00"], 2, "A book is of one instrument"),
    ],
)
def test_mistakes_are_sentences(desk: Path, arguments: list[str], code: int, says: str) -> None:
    (desk / "empty").touch()
    (desk / "words.txt").write_text("once upon a time\n" * 500)
    write_tape("a.tape", ArraySource(flow(10)))
    done = RUNNER.invoke(app, ["data", *arguments])
    assert isinstance(done.exception, HftError), done.output
    assert says in str(done.exception) and done.exception.exit_code == code
    assert sorted(p.name for p in desk.iterdir()) == ["a.tape", "empty", "words.txt"]


def test_a_mistake_in_a_real_process_has_three_lines_and_its_code(desk: Path) -> None:
    done = hft(desk, "import", "missing")
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stdout == ""
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "where", "do"]


ENDLESS = """
import sys, types
sys.path[:0] = [{tests!r}]
from tapes import ArraySource, flow
from hftlib.research import importing
class Endless(ArraySource):
    def __init__(self, path):
        super().__init__(flow(60000))
    def chunks(self):
        while True:
            yield from super().chunks()
            print("going on", flush=True)
sys.modules["hftlib.endless"] = types.SimpleNamespace(Source=Endless)
importing.KINDS["endless"] = importing.Kind("endless", "a feed", "endless", "Source")
from hftlib.cli import main
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_import_leaves_nothing(desk: Path, number: int, code: int) -> None:
    """The source never ends, so the import cannot be done before the signal."""
    tests = Path(__file__).parent.parent
    program = [sys.executable, "-c", ENDLESS.format(tests=str(tests))]
    program += ["data", "import", "feed", "--as", "endless", "-o", "x.tape"]
    environment = {**os.environ, "PYTHONPATH": str(tests.parent)}
    with subprocess.Popen(
        program, cwd=desk, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout and child.stderr
        while child.stdout.readline() not in (b"going on\n", b""):
            pass
        there = [path.name for path in desk.iterdir()]
        child.send_signal(number)
        child.stdout.read()
        words = child.stderr.read()
    assert b"Traceback" not in words and b"Stopped: x.tape was not written." in words
    assert len(there) == 1 and there[0].startswith("x.tape.") and there[0].endswith(".part")
    assert child.returncode == code
    assert list(desk.iterdir()) == []


def test_an_import_that_lost_something_says_so_and_fails(desk: Path, market: Path) -> None:
    data = market.read_bytes()
    (desk / "cut.itch").write_bytes(data[:5000] + b"\0\0" + data[5000:])
    whole = data[: len(data) - 5]
    (desk / "short.itch").write_bytes(whole)
    for name in ("cut", "short"):
        arguments = ["data", "import", f"{name}.itch", "--date", "2026-01-05", "-o", f"{name}.tape"]
        done = RUNNER.invoke(app, arguments)
        assert isinstance(done.exception, HftError) and done.exception.exit_code == 2
        assert "Not all could be read" in str(done.exception) and "bytes" in str(done.exception)
        assert "Met on the way: " in done.stdout
        assert len(open_tape(f"{name}.tape")) > 10
        assert "Met while it was read" in here("show", f"{name}.tape")
        done = RUNNER.invoke(app, [*arguments, "--overwrite", "--allow-damaged"])
        assert done.exit_code == 0 and "warning: Not all could be read" in done.output


def test_what_was_imported_is_told_though_a_later_file_fails(desk: Path, market: Path) -> None:
    for name in ("a", "b"):
        (desk / f"{name}.itch").write_bytes(market.read_bytes())
    with (desk / "b.itch").open("r+b") as file:
        file.truncate((desk / "b.itch").stat().st_size - 5)
    (desk / "words").write_text("once upon a time\n" * 500)
    done = hft(desk, "import", "a.itch", "b.itch", "words", "--date", "2026-01-05", "--json")
    assert done.returncode == 2
    paths = [summary["path"] for summary in json.loads(done.stdout)]
    assert paths == ["data/tapes/a.tape", "data/tapes/b.tape"]
    assert all(open_tape(desk / path).verify() for path in paths)
    warning, error, *rest = done.stderr.splitlines()
    assert warning.startswith("warning: Not all could be read of b.itch (")
    assert error == "error: The file looks like nothing that can be imported"
    assert [line.split(":")[0] for line in rest] == ["where", "do"]
    done = hft(desk, "import", "words", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (2, [])


def test_one_session_or_port_of_a_capture_is_chosen(desk: Path) -> None:
    start = b"S" + bytes(10) + b"O"
    sessions = [datagram(1, start), datagram(1, start, start, session=b"OTHER     ")]
    frames = [on_the_wire(sessions[0]), on_the_wire(sessions[1], port=5), on_the_wire(b"?", port=6)]
    (desk / "feed.pcap").write_bytes(pcap(frames))
    with pytest.raises(HftError, match=r"several MoldUDP64 sessions.*--session, --port"):
        here("import", "feed.pcap")
    for name, option, value, count in (
        ("a", "--session", "OTHER", 3),  # what is no MoldUDP64 stays on the tape, as unreadable
        ("b", "--port", 5, 2),
        ("c", "--port", 26477, 1),
    ):
        here("import", "feed.pcap", option, value, "-o", f"{name}.tape")
        assert len(open_tape(f"{name}.tape")) == count
    with pytest.raises(HftError, match="no MoldUDP64 datagram that was asked for"):
        here("import", "feed.pcap", "--port", 7)


def test_recorded_samples_are_told_by_their_looks(desk: Path) -> None:
    pair = recorded("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_1.zip")
    assert "is read as a LOBSTER day, by its looks." in here("import", pair, "-o", "l.tape")
    itch = recorded("itch/12302019_SNIPPET.NASDAQ_ITCH50")
    assert "is read as ITCH 5.0" in here("import", itch, "-o", "i.tape")
    assert len(open_tape("i.tape")) == 1000
    capture = recorded("mold_pcap/itch50/OrderDeleteMessage.pcap")
    assert "is read as ITCH 5.0" in here("import", capture, "-o", "c.tape")
    depth = recorded("crypto/hftbacktest_usdm_btcusdt_20240808.gz")
    with pytest.raises(HftError, match="--symbol and --price-unit and --lot-unit must be given"):
        here("import", depth, "-o", "d.tape")
