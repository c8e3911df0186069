"""A peer beside `hft bench book`: its own figure, in turns with ours, or a sentence why not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hftlib.bench import market, peer
from hftlib.bench.peer import Peer
from hftlib.cli import app
from hftlib.core.errors import HftError, InputError
from hftlib.feed.synthetic.market import synthetic


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("peer") / "small.itch50"
    synthetic(symbols=2, seconds=5, seed=3).write_itch(path)
    return path


def program(place: Path, lines: str) -> str:
    """A command of these lines; it has an argument with a blank in it, as paths may have."""
    path = place / "a peer"
    path.write_text("#!/bin/sh\n" + lines)
    path.chmod(0o755)
    return f"'{path}' --order 'of the day'"


def hft(*words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: here it would compile whatever other tests have defined."""
    start = "from hftlib.cli import main; main()"
    command = [sys.executable, "-c", start, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_a_peer_reads_the_file_as_often_as_we_do_and_its_median_is_compared(
    tmp_path: Path, file: Path
) -> None:
    seen = tmp_path / "seen"
    command = program(
        tmp_path,
        f"""wc -c >> {seen}
        [ "$*" = "--order of the day" ] || exit 3
        echo "$(wc -l < {seen})000 packets in 5 nanos , $(wc -l < {seen})00.5 nanos per packet"
        """,
    )
    arguments = ["bench", "book", str(file), "--runs", "3", "--peer", command]
    done = hft(*arguments, "--json")
    (row,) = json.loads(done.stdout)["measurements"]
    assert seen.read_text().split() == [str(file.stat().st_size)] * 4  # the first is not measured
    assert (row["peer"], row["peer_median"]) == ("a peer", 300.5)
    assert row["peer_ratio"] == pytest.approx(row["median"] / 300.5)
    done = hft(*arguments[:4], "1", *arguments[5:])
    assert "a peer 600.5 ns, ours is 0." in done.stdout


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ("61 nanos per packet", 61),
        ("at first 9 ns per message, later 1,061.5 ns per message", 1061.5),
        ("6.1e1nanoseconds per message", 61),
    ],
)
def test_the_last_figure_before_the_words_counts(
    tmp_path: Path, file: Path, said: str, cost: float
) -> None:
    assert Peer(program(tmp_path, f"echo {said} >&2\necho done in 5 s"), file).run() == cost


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("cat > /dev/null; echo all done", "printed no cost of a message, but 'all done'"),
        ("true", "printed no cost of a message, but 'nothing'"),
        ("echo 0 nanos per packet", "printed no cost of a message"),
        ("echo fast nanos per packet", "printed no cost of a message"),
        ("echo wrong file >&2; exit 4", "ended with 4, saying 'wrong file'"),
        ("kill -9 $$", "ended with -9"),
        ("exec sleep 60", "was not done after 1 second"),
    ],
)
def test_a_peer_that_does_not_say_what_it_took_is_refused(
    tmp_path: Path, file: Path, lines: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "PEER_SECONDS_MAX", 1)
    with pytest.raises(HftError, match=sentence):
        Peer(program(tmp_path, lines), file).run()


@pytest.mark.parametrize("command", ["", "/nowhere/peer", "'open", "{}"])
def test_a_command_that_cannot_be_run_is_refused_before_anything_is_measured(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "plain").write_text("no program")
    with pytest.raises(InputError, match=r"^The peer's "):
        Peer(command.format(tmp_path / "plain"), tmp_path / "no such file")


def test_what_the_kernel_cannot_run_is_a_sentence(tmp_path: Path, file: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "plain").chmod(0o755)
    with pytest.raises(InputError, match="cannot be run: Exec format error"):
        market.read_file("book", file, 1, lambda _done, _what: None, str(tmp_path / "plain"))


def test_a_peer_without_a_file_is_a_mistake() -> None:
    done = CliRunner().invoke(app, ["bench", "core", "--peer", "true"])
    assert isinstance(done.exception, InputError) and "bench of a file" in str(done.exception)
