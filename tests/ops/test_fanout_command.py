"""`hft fanout` and what it cannot do, as sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fanout_writer import written
from stream_servers import free_port

HFT = [sys.executable, "-c", "from hftlib.cli import main; main()", "fanout"]


def hft(*arguments, program=HFT):
    return subprocess.run(
        [*program, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return written(tmp_path_factory.mktemp("day") / "day.journal", 5)


NOBODY = free_port()


@pytest.mark.parametrize(
    ("to", "more", "code", "words"),
    [
        ("http://127.0.0.1:80", [], 2, "This names no server of Redis or NATS"),
        ("redis:", [], 2, "This names no server of Redis or NATS"),
        ("127.0.0.1:6379", [], 2, "This names no server of Redis or NATS"),
        ("redis://127.0.0.1:port/0", [], 2, "This names no server"),
        ("nats://127.0.0.1:99999", [], 2, "This names no server"),
        (f"redis://:geheim@127.0.0.1:{NOBODY}/0", [], 4, "The server takes nothing"),
        (f"nats://ann:geheim@127.0.0.1:{NOBODY}", [], 4, "The server takes nothing"),
        ("redis://127.0.0.1:1/0", ["--kinds", "MISTAKE"], 2, "There is no kind 'MISTAKE'"),
        ("redis://127.0.0.1:1/0", ["--stream", ""], 2, "The stream has no name"),
    ],
)
def test_what_cannot_be_is_a_sentence(journal, to, more, code, words):
    done = hft(journal, "--to", to, "--stream", "day", *more)
    assert done.returncode == code and words in done.stderr, done
    assert "Traceback" not in done.stderr and "geheim" not in done.stderr and not done.stdout


def test_no_journal_is_a_sentence(tmp_path):
    done = hft(tmp_path, "--to", "redis://127.0.0.1:1/0", "--stream", "day")
    assert done.returncode == 2 and "This is no journal" in done.stderr


@pytest.mark.parametrize("name", ["redis", "nats"])
def test_a_client_that_is_not_installed_is_a_sentence(journal, name):
    program = f"import sys; sys.modules[{name!r}] = None; from hftlib.cli import main; main()"
    started = [sys.executable, "-c", program, "fanout"]
    done = hft(journal, "--to", f"{name}://127.0.0.1:1", "--stream", "day", program=started)
    assert done.returncode == 4 and f"pip install 'hftlib[{name}]'" in done.stderr, done
