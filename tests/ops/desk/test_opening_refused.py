"""`hft desk` refuses what would be unsafe before anything listens; and its headers are strict."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hftlib.cli import app
from hftlib.core.errors import HftError


@pytest.fixture
def known(house, monkeypatch):
    for name, value in house.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(house.folder)
    house.person("operator")
    assert house.run("desk", "certificate", "--into", "tls").returncode == 0
    return house


TLS = ("--certificate", "tls/server.pem", "--key", "tls/server.key")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--view", "0.0.0.0:0"), "Without TLS only this host"),
        (("--control", "[::]:0"), "Without TLS only this host"),
        (("--view", "nowhere"), "is no address and port"),
        (("--view", "evil.example:80"), "is no address and port"),
        (("--view", "127.0.0.1:99999"), "is no address and port"),
        (("--view", "127.0.0.1:x"), "is no address and port"),
        (("--view", "192.0.2.1:0", *TLS), "Nothing can listen there"),
        (("--certificate", "tls/server.pem"), "A part of TLS is missing"),
        (("--client-authority", "tls/authority.pem"), "A part of TLS is missing"),
        (("--certificate", "none.pem", "--key", "tls/server.key"), "no such file"),
        (("--certificate", "tls/server.key", "--key", "tls/server.key"), "cannot be"),
        (("--certificate", "tls/server.pem", "--key", "tls/client.key"), "cannot be used"),
        (("--people", "none.json"), "no file of people"),
        (("--shelf", "none"), "no such folder"),
        (("--alerts", "none"), "no such folder"),
        (("--runner", "a b=x"), "names no runner"),
        (("--runner", "a=x", "--runner", "a=y"), "Two runners are called a"),
        (("--audit", "/proc/none/audit.log"), "audit log cannot be used"),
    ],
)
def test_what_may_not_be_is_a_sentence(known, words, said):
    given = {"--view": "127.0.0.1:0", "--control": "127.0.0.1:0"}
    more = [one for name, value in given.items() if name not in words for one in (name, value)]
    with pytest.raises(HftError) as caught:
        app(["desk", *words, *more], standalone_mode=False)
    assert said in caught.value.what


def test_without_people_only_this_host_is_served(house):
    assert house.run("desk", "certificate", "--into", "tls").returncode == 0
    done = house.run("desk", "--view", "0.0.0.0:0", *TLS)
    assert done.returncode == 2 and "Without people" in done.stderr


def test_a_damaged_file_of_people_or_one_that_others_read_starts_nothing(known):
    known.people.path.chmod(0o644)
    done = known.run("desk")
    assert done.returncode == 2 and "read or written by others" in done.stderr


def test_with_people_everybody_logs_in_also_to_look(known):
    urls = known.desk()
    for name in ("view", "control"):
        client = known.client(urls[name])
        for path in ("/api/me", "/api/state", "/api/stream", "/api/rollouts", "/api/alerts"):
            assert client.get(path).status_code == 401
        assert client.get("/").status_code == 200
    assert known.lines(did="refused", what="state on view")


def test_headers_are_strict_and_nothing_of_the_api_is_kept(known):
    client = known.client(
        known.desk("--control", "off", *TLS, ports=("127.0.0.1:0", "off"))["view"]
    )
    for path in ("/", "/api/me", "/nothing", "/static/../command.py", "/static/%2e%2e/command.py"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        kept = "no-store" if path.startswith("/api") else "no-cache"
        assert answer.headers["cache-control"] == kept
        assert "server" not in answer.headers and "strict-transport-security" not in answer.headers
        assert answer.status_code == {"/": 200, "/api/me": 401}.get(path, 404)


def test_certificates_are_not_overwritten_and_keys_are_their_owners(known):
    done = known.run("desk", "certificate", "--into", "tls")
    assert done.returncode == 2 and "nothing is overwritten" in done.stderr
    for path in (known.folder / "tls").iterdir():
        mode = path.stat().st_mode & 0o777
        assert mode == (0o644 if path.suffix == ".pem" else 0o600), path
    done = known.run("desk", "certificate", "--into", "other", "--host", "not a host")
    assert done.returncode == 2 and "is no host" in done.stderr


def test_the_live_process_and_the_commands_load_nothing_of_it():
    program = (
        "import sys; import hftlib.cli, hftlib.ops.live_command, hftlib.ops.runner;"
        "heavy = {'fastapi', 'starlette', 'uvicorn', 'argon2', 'pyotp', 'keyring'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout.strip() == "[]"
