"""The demo, and how it leaves: by itself, by a signal, or killed, it leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hftlib.core.arena import shared_memory

DEMO = [sys.executable, "-c", "from hftlib.cli import main; main()", "demo"]
HFT = [*DEMO, "ground"]
PATIENCE_SECONDS = 60


def start() -> subprocess.Popen[str]:
    return subprocess.Popen(HFT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def feeds_of(parent: int) -> list[int]:
    """The processes that were started as this demo's feed, orphans too."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"import feed" in line and f"demo-{parent}'".encode() in line:
            found.append(int(entry.name))
    return found


def wait_until(true) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_demo_shows_every_step():
    demo = start()
    shown, complaints = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode == 0, complaints
    for step in ("compiled", "two processes", "latency", "kill -9", "same bytes"):
        assert step in shown
    assert not shared_memory(f"demo-{demo.pid}").exists()


@pytest.mark.parametrize("later_seconds", [0.0, 3.0], ids=["starting", "at work"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_and_its_feed(number, later_seconds):
    demo = start()
    wait_until(lambda: feeds_of(demo.pid))
    time.sleep(later_seconds)
    (feed, *_) = feeds_of(demo.pid) or [None]
    if number == signal.SIGINT and feed:
        os.kill(feed, number)  # a terminal sends it to both
    demo.send_signal(number)
    _, complaints = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode == 128 + number
    assert "Traceback" not in complaints
    assert not feeds_of(demo.pid)
    assert not shared_memory(f"demo-{demo.pid}").exists()


def test_the_feed_dies_with_a_killed_demo():
    demo = start()
    wait_until(lambda: feeds_of(demo.pid))
    demo.kill()
    demo.wait()
    try:
        wait_until(lambda: not feeds_of(demo.pid))
    finally:
        shared_memory(f"demo-{demo.pid}").unlink(missing_ok=True)


def test_the_loop_clears_no_folder_but_its_own(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    done = subprocess.run([*DEMO, "--into", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "There is something that no demo has left" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep me"
    done = subprocess.run([*DEMO, "lop"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "The demo has no part 'lop'" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_the_loop_has_begun_ends_with_it(tmp_path, number):
    demo = subprocess.Popen(
        [*DEMO, "--into", tmp_path / "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def promotes():
        return [one for one in psutil.process_iter() if is_of(one, str(tmp_path / "demo"))]

    try:
        wait_until(lambda: any("promote" in one.cmdline() for one in promotes()))
        demo.send_signal(number)
        _, complaints = demo.communicate(timeout=PATIENCE_SECONDS)
    finally:
        demo.kill()
    assert demo.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in complaints
    wait_until(lambda: not promotes())


def is_of(process, folder):
    try:
        return any(word.startswith(folder) for word in process.cmdline())
    except psutil.Error:
        return False
