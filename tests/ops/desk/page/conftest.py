"""A paper session, a desk over it and a browser: processes all of them, shared by all tests here.

    stage.enter(page, "ann")       a person who is logged in, in Chromium
    stage.status()                 what the arena says now
    stage.still() ... goes_on()    the exchange holds its breath, so that figures can be compared

A code is of one step of thirty seconds and counts once: `code` gives each person's next one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from held import Held

from hftlib.core.errors import StateError
from hftlib.ops.page_reading import PageReader, page_path

HELD = Held(__file__)
pytest_runtest_teardown = HELD.teardown
CHROMIUM = "/usr/bin/chromium"
BEGIN_S, PATIENCE_S, STEP_S = 600.0, 30.0, 30
PASSWORD = "correct horse battery staple"
PEOPLE = {"ann": "risk", "bob": "operator", "cyd": "researcher", "dan": "risk"}
LIMITS = """
[instrument.AAA]
position_lots = 5_000
[firm]
gross_exposure_money = 2_000_000
daily_loss_money = 50_000_000
"""
PICTURES = Path(__file__).parents[4] / "build" / "ui"
PROGRAM = "from hftlib.cli import main; main()"


def until(holds, seconds=PATIENCE_S, why=""):
    """What holds at last; what it was instead where it does not."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, why or found
        time.sleep(0.05)
    return found


class Stage:
    """All that runs, and who may come in."""

    def __init__(self, folder):
        self.password = PASSWORD
        self.folder, self.processes, self._steps, self._cookies = folder, [], {}, {}
        own = {"HFT_PEOPLE": "people", "HFT_AUDIT": "audit.log", "HFT_RELEASES": "launched.json"}
        own |= {"XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
        own = {name: str(folder / place) for name, place in own.items()}
        self.environment = {**os.environ, **own, "HFT_PASSWORD": "secret"}
        (folder / "limits.toml").write_text(LIMITS)
        password = folder / "password"
        password.touch(0o600)
        password.write_text(f"{PASSWORD}\n")

    def begin(self):
        self.exchange = self._start("exchange", "exchange", "--demo", "--json")
        self.secrets = self._people()
        self._begun(self.exchange)
        self.runner = self._live("maker", "frm1a")
        for one in (self.runner, self._live("taker", "frm1b")):
            self._begun(one)
        self.desk = self._begun(self._desk())
        for name in ("maker", "taker"):
            until(lambda name=name: self._trades(name), BEGIN_S, name)
        places = json.loads(self.desk.out.read_text())
        self.control, self.view = places["control"], places["view"]

    def _people(self):
        """Each person's secret, as their authenticator would have it."""
        more = ("--password-file", "password", "--json")
        for name, role in PEOPLE.items():
            self._start(name, "access", "add", name, "--role", role, *more)
        found = {}
        for name in PEOPLE:
            out = self.folder / f"{name}.out"
            until(lambda out=out: "\n" in out.read_text(), BEGIN_S, name)
            told = json.loads(out.read_text())
            found[name] = parse_qs(urlparse(told["otpauth"]).query)["secret"][0]
        return found

    def _start(self, name, *words):
        out, errors = (self.folder / f"{name}.{what}" for what in ("out", "errors"))
        with out.open("w") as stdout, errors.open("w") as stderr:
            made = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                cwd=self.folder,
                env=self.environment | {"NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        made.out, made.errors = out, errors
        self.processes.append(made)
        return made

    def _begun(self, made):
        def begun():
            assert made.poll() is None, made.errors.read_text()
            return "\n" in made.out.read_text()

        until(begun, BEGIN_S, made.out)
        return made

    def _live(self, name, user):
        words = ["--exchange", "exchange.out", "--user", user, "--journal", f"{name}.journal"]
        words += ["--control", str(self.socket(name)), "--limits", "limits.toml"]
        return self._start(name, "live", "QueueImbalance", *words)

    def _desk(self):
        words = [f"--runner={name}={self.socket(name)}" for name in ("maker", "taker")]
        places = ["--view", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        return self._start("desk", "desk", *words, *places, "--json")

    def socket(self, name):
        return self.folder / f"{name}.socket"

    def status(self, name="maker"):
        with PageReader(page_path(self.socket(name))) as reader:
            return reader.status()

    def _trades(self, name):
        try:
            return sum(one["fills"] for one in self.status(name)["positions"]) > 0
        except StateError:  # its page is being made
            return False

    def code(self, name):
        """The next code of a person's authenticator, once the clock has come to it."""
        import pyotp

        step = max(int(time.time()) // STEP_S - 1, self._steps.get(name, 0) + 1)
        until(lambda: int(time.time()) // STEP_S + 1 >= step, 2 * STEP_S)
        self._steps[name] = step
        return pyotp.TOTP(self.secrets[name]).at(step * STEP_S)

    def enter(self, page, name):
        """At the plane of control; by the form once, then by the session's cookie."""
        if name in self._cookies:
            page.context.add_cookies(self._cookies[name])
            page.goto(self.control)
            page.wait_for_selector("#clock:not(:empty)")
            return
        page.goto(self.control)
        page.fill("#enter [name=user]", name)
        page.fill("#enter [name=password]", PASSWORD)
        page.fill("#enter [name=code]", self.code(name))
        page.click("#enter button.main")
        page.wait_for_selector("#clock:not(:empty)")
        self._cookies[name] = page.context.cookies()

    def still(self):
        """Nothing comes from the exchange, and what came was dealt with."""
        self.exchange.send_signal(signal.SIGSTOP)
        before = None
        while before != (before := self.status()["counts"]["messages"]):
            time.sleep(0.2)

    def goes_on(self):
        self.exchange.send_signal(signal.SIGCONT)

    def end(self):
        for one in reversed(self.processes):
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.terminate()
        for one in self.processes:
            try:
                one.wait(timeout=15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not shutil.which(CHROMIUM):
        pytest.skip(f"no browser here: {CHROMIUM} (Debian: chromium)")
    driver = playwright.sync_playwright().start()
    HELD.keep(driver.stop)  # it has a loop of its own, in which no other can be run
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    options += ["--js-flags=--expose-gc", "--enable-precise-memory-info"]
    made = driver.chromium.launch(executable_path=CHROMIUM, args=options)
    HELD.keep(made.close)
    return made


@pytest.fixture(scope="session")
def stage(tmp_path_factory, browser):
    made = Stage(tmp_path_factory.mktemp("stage"))
    HELD.keep(made.end)
    made.begin()
    return made


@pytest.fixture
def opened(browser):
    """New windows, each with what its console said; none may have complained in the end."""
    contexts = []

    def open_one(width=1440, height=900, scheme="light", **settings):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **settings
        )
        page = context.new_page()
        page.said = []
        page.on("console", lambda one: page.said.append(f"{one.type}: {one.text}"))
        page.on("pageerror", lambda one: page.said.append(f"error: {one}"))
        contexts.append((context, page))
        return page

    yield open_one
    complaints = [one for _, page in contexts for one in page.said if not _is_answer(one)]
    for context, _ in contexts:
        context.close()
    assert not complaints


def _is_answer(said):
    """A browser says by itself that an answer was no 200; that is what the test asked for."""
    return "the server responded with a status of 4" in said


@pytest.fixture
def picture():
    def take(page, name, **settings):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", **settings)

    return take
