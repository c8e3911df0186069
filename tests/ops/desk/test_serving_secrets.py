"""Canaries: secrets that are known go through real processes, and are found nowhere afterwards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pyotp
from desk_house import WORDS

CANARY = "canary-of-a-password-that-is-wrong"


def arguments():
    """Of every process that this user can see."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                found.append((place / "cmdline").read_bytes())
            except OSError:
                continue
    return b"\n".join(found)


def test_no_secret_is_in_arguments_logs_journals_or_the_audit_log(paper):
    before = {path.name for path in paper.folder.iterdir()}
    words = paper.folder / "new.words"
    words.touch(0o600)
    words.write_text(f"{CANARY}\n")
    seen, is_over = [], threading.Event()

    def watch():
        while not is_over.wait(0.02):
            seen.append(arguments())

    thread = threading.Thread(target=watch)
    thread.start()
    added = paper.run("access", "add", "canary", "--role", "risk", "--password-file", words)
    assert added.returncode == 0, added.stderr
    otpauth = next(line for line in added.stdout.splitlines() if "otpauth" in line).strip()
    secret = pyotp.parse_uri(otpauth).secret
    client = paper.client(paper.urls["control"], "client")
    code = pyotp.TOTP(secret).now()
    given = {"user": "canary", "password": CANARY, "code": code}
    for wrong in ({"password": f"{CANARY}x"}, {"user": f"{CANARY}-as-name"}, {"more": CANARY}):
        assert client.post("/api/login", given | wrong).status_code in (400, 401, 429)
    answer = client.post("/api/login", given)
    assert answer.status_code == 200, answer.text
    (cookie,) = client.http.cookies.jar
    client.csrf = answer.json()["csrf"]
    risk = paper.person("risk")
    token = paper.token(risk, "act")
    later = pyotp.TOTP(secret).at(time.time() + 30)
    act = {"runner": "maker", "do": "reduce", "scope": "instrument:CCC", "why": "canaries"}
    assert client.post("/api/act", act | {"code": later}).status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/state", **bearer).status_code == 200
    assert client.get(f"/api/state?token={token}").status_code == 200
    # A request that nothing understands, with all of them in it.
    everything = f"{CANARY} {secret} {token} {cookie.value}"
    odd = {"content-type": "application/json", "x-csrf": client.csrf} | client.own
    client.http.post("/api/act", content=everything.encode(), headers=odd)
    client.post("/api/act", act | {"code": later, "second": {"user": everything}})
    is_over.set()
    thread.join()
    secrets = {
        name: text.encode()
        for name, text in {
            "password": CANARY,
            "password of all": WORDS,
            "second factor": secret,
            "token": token.rpartition("_")[2],
            "cookie": cookie.value,
            "csrf": client.csrf,
            "key": (paper.folder / "secrets.key").read_text().strip(),
        }.items()
    }
    places = [
        path
        for path in paper.folder.rglob("*")
        if path.is_file() and path.name not in ("new.words", "secrets.key")
    ]
    assert {"people.json", "audit.log", "people.json.used"} <= {path.name for path in places}
    assert before and any(path.parent.name == "day.journal" for path in places)
    assert any(path.suffix == ".err" for path in places)
    texts = {str(path): path.read_bytes() for path in places}
    texts |= {"arguments": b"\n".join(seen), "said": added.stderr.encode()}
    for name, text in texts.items():
        for which, canary in secrets.items():
            assert canary not in text, f"{which} is in {name}"
    assert b"hft" in texts["arguments"], "the processes were seen"
