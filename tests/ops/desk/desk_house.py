"""A desk as its users have it: real processes, real TLS, people with authenticators.

house = House(folder)
ann = house.person("operator")                  a name, a password, codes
urls = house.desk("--control", "off")           `hft desk` in a process, where it listens
client = house.client(urls["control"]); client.login(ann)
client.act(ann, do="kill", scope="firm", why="odd fills")
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pyotp
from cryptography.fernet import Fernet

from hftlib.core.audit import read_audit
from hftlib.ops.access.codes import new_secret
from hftlib.ops.access.passwords import hashed
from hftlib.ops.access.people import People, Person
from hftlib.ops.access.tokens import new_token
from hftlib.ops.access.vault import Vault

PROGRAM = [sys.executable, "-c", "from hftlib.cli import main; main()"]
WORDS = "correct horse battery"
STEP_S = 30
HASHED: list[str] = []


class Member:
    """Somebody with an authenticator, whose every code is used once."""

    def __init__(self, name, secret):
        self.name, self.secret, self._last = name, secret, 0

    def code(self):
        """The next one: of this step, then of the one to come, which a desk takes as well."""
        step = max(int(time.time()) // STEP_S, self._last + 1)
        while step > int(time.time()) // STEP_S + 1:
            time.sleep(0.2)
        self._last = step
        return pyotp.TOTP(self.secret).at(step * STEP_S)

    def words(self):
        return {"user": self.name, "password": WORDS, "code": self.code()}


class House:
    """One user's home, with everything that runs in it."""

    def __init__(self, folder):
        self.folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="hft-desk-")  # their paths are short
        self.sockets = Path(self._sockets.name)
        self.people = People(folder / "people.json")
        self.audit = folder / "audit.log"
        key = folder / "secrets.key"
        key.touch(0o600)
        key.write_bytes(Fernet.generate_key())
        self._vault = Vault("here", Fernet(key.read_bytes()))
        self.environment = os.environ | {
            "HFT_SECRETS_KEY_FILE": str(key),
            "HFT_PEOPLE": str(self.people.path),
            "HFT_AUDIT": str(self.audit),
            "HFT_RELEASES": str(folder / "launched.json"),
            "XDG_RUNTIME_DIR": str(self.sockets),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self.processes = []
        self.clients = []

    def person(self, *roles):
        if not HASHED:
            HASHED.append(hashed(WORDS))
        made = Member(f"p{len(self.people.all())}-{roles[0]}", new_secret())
        kept = Person(made.name, roles, HASHED[0], self._vault.seal(made.secret))
        self.people.change(lambda found: found.update({made.name: kept}))
        return made

    def token(self, member, scope, until_ns=2**62):
        from dataclasses import replace

        text, id_, token = new_token(scope, until_ns)
        ours = {id_: token}
        self.people.change(
            lambda found: found.update({member.name: replace(found[member.name], tokens=ours)})
        )
        return text

    def start(self, name, *words):
        """`hft ...` that stays; its first line, and the rest of what it says in NAME.out, .err."""
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with out.open("w") as said, err.open("w") as errors:
            process = subprocess.Popen(
                [*PROGRAM, *map(str, words)],
                stdout=said,
                stderr=errors,
                env=self.environment | {"NO_COLOR": "1"},
                cwd=self.folder,
            )
        self.processes.append(process)
        until = time.monotonic() + 120
        while "\n" not in out.read_text():
            assert process.poll() is None and time.monotonic() < until, err.read_text()
            time.sleep(0.05)
        return process, out.read_text().partition("\n")[0]

    def desk(self, *words, ports=("127.0.0.1:0", "127.0.0.1:0")):
        given = ("--view", ports[0], "--control", ports[1], "--json", *words)
        process, line = self.start(f"desk{len(self.processes)}", "desk", *given)
        return json.loads(line) | {"process": process}

    def run(self, *words):
        return subprocess.run(
            [*PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )

    def client(self, url, certificate=None):
        """Whoever asks there; with TLS it trusts the house's authority."""
        verify = True
        if url.startswith("https"):
            verify = ssl.create_default_context(cafile=self.folder / "tls" / "authority.pem")
            if certificate:
                tls = self.folder / "tls"
                verify.load_cert_chain(tls / f"{certificate}.pem", tls / f"{certificate}.key")
        made = Client(url, verify)
        self.clients.append(made)
        return made

    def lines(self, **wanted):
        """Of the audit log, which is whole: those with these fields or facts."""
        return [
            line
            for line in read_audit(self.audit)
            if all(str(getattr(line, n, line.facts.get(n))) == v for n, v in wanted.items())
        ]

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(20)
        process.kill()
        return process.wait()

    def close(self):
        for client in self.clients:
            client.http.close()
        for process in reversed(self.processes):
            if process.poll() is None:
                self.end(process)
        self._sockets.cleanup()


class Client:
    """A browser, as far as a desk can tell."""

    def __init__(self, url, verify):
        self.url, self.csrf = url, ""
        self.http = httpx.Client(base_url=url, verify=verify, timeout=30.0)
        self.own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}

    def get(self, path, **headers):
        return self.http.get(path, headers=headers)

    def post(self, path, body, **headers):
        given = self.own | {"X-CSRF": self.csrf} | headers
        given = {name: value for name, value in given.items() if value is not None}
        return self.http.post(path, json=body, headers=given)

    def login(self, member):
        answer = self.post("/api/login", member.words())
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf"]
        return answer

    def act(self, member=None, headers=None, **body):
        """An action, with a fresh code where somebody is given."""
        code = {"code": member.code()} if member is not None else {}
        return self.post("/api/act", code | body, **(headers or {}))
