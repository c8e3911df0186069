"""`hft access`: real commands; what they show once, what they keep, and what they never say."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pyotp
import pytest

from hftlib.core.audit import read_audit
from hftlib.ops.access.passwords import is_right
from hftlib.ops.access.people import People
from hftlib.ops.access.tokens import token_of

PROGRAM = "from hftlib.cli import main; main()"
CANARY = "a canary of ann's own"


@pytest.fixture
def house(tmp_path):
    """A user's home, and `hft access` in it."""
    words = tmp_path / "words"
    words.touch(0o600)
    words.write_text(f"{CANARY}\n")
    kept = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }

    def hft(*given, code=0):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "access", *map(str, given)],
            capture_output=True,
            text=True,
            env=os.environ | kept,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr and CANARY not in done.stdout + done.stderr
        return done

    hft.words, hft.env = words, kept
    hft.people = People(tmp_path / "config" / "hftlib" / "people.json")
    hft.audit = tmp_path / "state" / "hftlib" / "audit.log"
    return hft


def test_a_person_from_the_first_day_to_the_last(house):
    given = ("--role", "operator", "--password-file", house.words, "--json")
    added = json.loads(house("add", "ann", *given).stdout)
    assert pyotp.parse_uri(added["otpauth"]).name == "ann"
    ann = house.people.named("ann")
    assert ann.roles == ("operator",) and is_right(ann.password, CANARY)
    made = json.loads(house("token", "ann", "--scope", "act", "--json").stdout)
    assert token_of(house.people, made["token"], 1)[1].scope == "act"
    house("roles", "ann", "--role", "risk", "--role", "auditor")
    (listed,) = json.loads(house("list", "--json").stdout)
    assert listed["roles"] == ["risk", "auditor"] and listed["tokens"][0]["id"] == made["id"]
    house("token", "ann", "--revoke", made["id"])
    assert house.people.named("ann").tokens == {}
    renewed = house("password", "ann", "--code", "--password-file", house.words).stdout
    assert "otpauth://" in renewed and house.people.named("ann").totp != ann.totp
    house("remove", "ann")
    assert house.people.all() == {}
    did = [line.what for line in read_audit(house.audit)]
    assert did == ["add ann", "token ann", "roles ann", "revoke ann", "password ann", "remove ann"]
    secret = pyotp.parse_uri(added["otpauth"]).secret
    for path in (*house.people.path.parent.iterdir(), house.audit):
        text = path.read_text()
        assert not any(one in text for one in (CANARY, secret, made["token"])), path


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("add", "Ann", "--role", "risk", "--password-file", "WORDS"), 2),
        (("add", "a" * 40, "--role", "risk", "--password-file", "WORDS"), 2),
        (("add", "ann", "--role", "king", "--password-file", "WORDS"), 2),
        (("add", "ann", "--password-file", "WORDS"), 2),
        (("add", "ann", "--role", "risk"), 2),
        (("add", "ann", "--role", "risk", "--password-file", "none"), 2),
        (("add", "ann", "--role", "risk", "--password-file", "/etc/passwd"), 2),
        (("roles", "bob", "--role", "risk"), 2),
        (("remove", "bob"), 2),
        (("password", "bob", "--password-file", "WORDS"), 2),
        (("token", "bob"), 2),
        (("list", "--people", "/dev/null"), 2),
    ],
)
def test_what_cannot_be_is_a_sentence(house, given, code):
    done = house(*(house.words if one == "WORDS" else one for one in given), code=code)
    assert done.stderr.startswith("error: ")


def test_a_second_of_the_same_name_and_a_wrong_token_are_refused(house):
    given = ("add", "ann", "--role", "risk", "--password-file", house.words)
    house(*given)
    assert "already" in house(*given, code=2).stderr
    for more in (("--scope", "all"), ("--revoke", "00000000"), ("--note", "x" * 61)):
        assert "error: " in house("token", "ann", *more, code=2).stderr
    house.words.chmod(0o644)
    again = ("password", "ann", "--password-file", house.words)
    assert "Others may read" in house(*again, code=2).stderr


def test_a_password_is_asked_for_where_nobody_sees_it(house):
    """On a real terminal: what is typed does not come back from it."""
    command = [sys.executable, "-c", PROGRAM, "access", "add", "ann", "--role", "risk"]
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=os.environ | house.env
    )
    os.close(child)
    said = b""
    for asked in (b"Password: ", b"Once more: "):
        while asked not in said:
            said += os.read(parent, 1 << 12)
        os.write(parent, f"{CANARY}\n".encode())
    try:
        while piece := os.read(parent, 1 << 12):
            said += piece
    except OSError:
        pass  # the terminal is closed
    os.close(parent)
    assert process.wait(60) == 0
    assert CANARY.encode() not in said and b"otpauth://" in said
    assert is_right(house.people.named("ann").password, CANARY)
