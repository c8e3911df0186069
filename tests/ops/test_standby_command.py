"""`hft standby` as a process that is told things: it listens, keeps, takes over, and says so."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import Journal, kinds, verify
from hftlib.ops import epochs, replicating, standby_command
from hftlib.ops.standby_link import Link
from hftlib.ops.standby_meeting import Plan, RefusedError

TOLD = "from hftlib.cli import main; main()"
FOLLOWED = {"segment_bytes": 1 << 16, "durability": "replicated", "followed": True}


def hft(*words):
    return [sys.executable, "-c", TOLD, *map(str, words)]


def said(*words):
    """What a command prints, and its code."""
    made = subprocess.run(hft(*words), check=False, capture_output=True, text=True, timeout=120)
    return made.returncode, made.stdout + made.stderr


def filled(folder, count=20, **more):
    journal = Journal.create(folder, {}, **(FOLLOWED | more))
    for n in range(count):
        journal.append(kinds.NOTE, n, b"x" * n)
    return journal


def wait(holds, seconds=20.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.002)


@pytest.fixture
def process(tmp_path):
    """The command itself, with a secret, syncing."""
    secret = tmp_path / "secret"
    secret.write_bytes(os.urandom(32))
    secret.chmod(0o600)
    words = ["standby", "--listen", "127.0.0.1:0", "--journal", tmp_path / "copy", "--json"]
    words += ["--secret", secret, "--sync", "--control", tmp_path / "socket"]
    made = subprocess.Popen(hft(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = json.loads(made.stdout.readline())
    assert (first["what"], first["frames"], first["secret"]) == ("listens", 0, True)
    host, port = first["at"].rsplit(":", 1)
    yield made, Plan((host, int(port)), secret.read_bytes())
    made.kill()
    made.communicate()


def test_it_keeps_a_journal_is_asked_takes_over_and_fences(process, tmp_path):
    made, plan = process
    with socket.create_connection(plan.place) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 9)
        stranger.settimeout(10)
        while stranger.recv(4096):
            pass
    journal = filled(tmp_path / "day")
    link = Link(journal, plan)
    link.begin()
    wait(lambda: journal.durable == journal.sequence == 21)
    code, text = said("standby", "status", tmp_path / "copy", "--json")
    found = json.loads(text)
    assert code == 0 and found["acknowledged"] == 21 and found["synced"] and found["follows"]
    code, text = said("standby", "promote", tmp_path / "copy")
    assert code == 0 and "took over: epoch 2" in text
    wait(lambda: link.state == "over")
    assert "was told to take over" in link.why and journal.durable == 21
    link.finish()
    journal.close()
    assert epochs.require_own(tmp_path / "copy").epoch == 2
    assert verify(tmp_path / "copy").frames == 21
    with pytest.raises(RefusedError, match="told to take over"):  # it goes on to say so
        Link(journal, plan).begin()
    made.send_signal(signal.SIGTERM)
    out, errors = made.communicate(timeout=20)
    assert errors == "" and made.returncode == 128 + signal.SIGTERM
    told = [json.loads(line) for line in out.splitlines()]
    assert {"refused", "copy", "follows", "took over"} <= {one["what"] for one in told}
    assert "no messages of a runner" in next(o["why"] for o in told if o["what"] == "refused")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "listens somewhere and keeps a copy"),
        (["--listen", "127.0.0.1:7700"], "listens somewhere and keeps a copy"),
        (["--listen", "7700", "--journal", "c"], "is no HOST:PORT"),
        (["--listen", "127.0.0.1:99999", "--journal", "c"], "no port that can be"),
        (["--listen", "0.0.0.0:0", "--journal", "c"], "there is no secret"),
        (["--listen", "127.0.0.1:0", "--journal", "c", "--secret", "none"], "There is no secret"),
        (["promote", "none"], "This is no journal"),
        (["status", "none"], "No standby that listens"),
    ],
)
def test_what_it_cannot_do_is_a_sentence(words, sentence):
    app = typer.Typer()
    app.add_typer(standby_command.standby, name="standby")
    with pytest.raises((InputError, StateError), match=sentence):
        CliRunner().invoke(app, ["standby", *words], catch_exceptions=False)


def test_a_copy_that_nobody_keeps_takes_over_by_its_folder_alone(tmp_path):
    filled(tmp_path / "copy").close()
    epochs.write(tmp_path / "copy", epochs.Epoch(4, epochs.COPY, str(tmp_path / "gone")))
    app = typer.Typer()
    app.add_typer(standby_command.standby, name="standby")
    words = ["standby", "promote", str(tmp_path / "copy"), "--json"]
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert json.loads(told.output)["epoch"] == 5
    with pytest.raises(StateError, match="has taken over already"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_day_goes_on_with_its_standby_or_without_by_name(tmp_path):
    filled(tmp_path / "day").close()
    filled(tmp_path / "plain", durability="power", followed=False).close()
    here, resume = "127.0.0.1:1", {"resume": True}
    kept = replicating.keeping(tmp_path / "day", "", here, "degrade", 1.0, **resume)
    assert kept.plan.lost == "degrade" and kept.settings == {"says": {"standby": here}}
    kept = replicating.keeping(tmp_path / "day", "power", **resume)
    assert kept.plan is None and kept.turns_to == "power"
    for words, given in (
        ("no standby is named", ("day", "")),
        ("keeps it", ("plain", "process")),
        ("keeps it", ("plain", "", here)),
        ("none does here", ("day", "replicated")),
        ("no durability 'forever'", ("day", "forever")),
        ("no standby is waited for", ("day", "power", here)),
    ):
        with pytest.raises(InputError, match=words):
            replicating.keeping(tmp_path / given[0], *given[1:], **resume)
    assert replicating.keeping(tmp_path / "plain", "", **resume).settings == {"says": {}}
    assert replicating.keeping(tmp_path / "plain", "power", **resume).plan is None
    epochs.write(tmp_path / "day", epochs.Epoch(3, epochs.COPY))
    with pytest.raises(StateError, match="nobody told it to take over"):
        replicating.keeping(tmp_path / "day", "power", **resume)
    epochs.write(tmp_path / "day", epochs.Epoch(3, epochs.OWN))
    assert replicating.keeping(tmp_path / "day", "", here, **resume).plan.epoch == 3
    new = replicating.keeping(tmp_path / "new", "")
    assert new.settings == {"durability": "process", "followed": False}
