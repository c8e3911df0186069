"""systemd units: they start what our command line accepts, are sound, and are shut in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from deployed_commands import DEPLOY, accepted, said

UNITS = sorted(one for one in (DEPLOY / "systemd").iterdir() if one.is_file())
SERVICES = [one for one in UNITS if one.suffix == ".service"]
# Exposure by systemd's own count, 0 to 10. A runner needs the market's network, real-time priority
# and memory that is made executable; whoever stands beside it needs less.
RUNNERS = {"hft-live@", "hft-resume@", "hft-watchdog@", "hft-standby@"}
EXPOSED_MAX = dict.fromkeys([*RUNNERS, "hft-day-begin@"], 2.2)
OTHERS_MAX = 2.0
HOST = {"/usr/bin/systemctl"}


def tool(*words: object) -> subprocess.CompletedProcess[str]:
    if shutil.which(str(words[0])) is None:
        pytest.skip(f"no {words[0]} here")
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)


def named(path: Path) -> str:
    """A unit as it is started: a template with a runner's name."""
    return path.name.replace("@.", "@both.")


def settings(path: Path) -> dict[str, str]:
    lines = [one for one in path.read_text().splitlines() if one and not one.startswith("#")]
    return dict(one.split("=", 1) for one in lines)


def started(path: Path) -> list[str]:
    """What its Exec lines are once systemd has put in names and the settings of the example."""
    text = path.read_text().replace("\\\n", " ")
    own = settings(DEPLOY / "examples" / "both.env") | settings(DEPLOY / "examples" / "desk.env")
    found = []
    for line in re.findall(r"^Exec\w+=(.*)$", text, re.MULTILINE):
        line = line.replace("%i", "both")
        found.append(re.sub(r"\$\{?(\w+)\}?", lambda name: own[name[1]], line))
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A host on which the units and what they start are installed."""
    made = tmp_path_factory.mktemp("host")
    shutil.copytree(DEPLOY / "systemd", made / "etc/systemd/system")
    shutil.copytree("/lib/systemd/system", made / "usr/lib/systemd/system", symlinks=True)
    programs = {line.split()[0] for path in SERVICES for line in started(path)}
    for place in programs:
        program = made / place.lstrip("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return made


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_what_a_unit_starts_is_a_command_that_is_accepted(path):
    for line in started(path):
        program, *_ = line.split()
        if program.startswith("/usr/local/libexec/hft/"):
            assert (DEPLOY / "bin" / Path(program).name).is_file(), program
        else:
            assert program in HOST or program.endswith(("/live/bin/hft", "/beside/bin/hft"))
        assert not [why for words in said(line) if (why := accepted(words))]


def test_some_units_start_hft_itself():
    assert sum(len(list(said(line))) for path in SERVICES for line in started(path)) >= 3


@pytest.mark.skipif(not Path("/lib/systemd/system").is_dir(), reason="no systemd is installed here")
def test_systemd_finds_nothing_wrong(root):
    command = ("systemd-analyze", "verify", f"--root={root}", "--man=no")
    done = tool(*command, *map(named, UNITS))
    said_of_us = [line for line in done.stderr.splitlines() if "hft" in line]
    assert done.returncode == 0 and not said_of_us, done.stderr


@pytest.mark.skipif(not Path("/lib/systemd/system").is_dir(), reason="no systemd is installed here")
@pytest.mark.parametrize(
    "wrong", ["ExecStart=/opt/nothing/there", "[Service]\nProtectSytem=strict", "Requires=@@"]
)
def test_what_is_wrong_would_be_found(root, wrong):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    unit = root / "etc/systemd/system/hft-wrong.service"
    unit.write_text(f"[Service]\nExecStart=/usr/bin/systemctl\n{wrong}\n")
    if wrong.startswith("ExecStart"):
        unit.write_text(f"[Service]\n{wrong}\n")
    done = tool("systemd-analyze", "verify", f"--root={root}", "--man=no", unit.name)
    unit.unlink()
    assert done.returncode != 0 or unit.name in done.stderr, "it finds nothing at all"


@pytest.mark.skipif(not Path("/lib/systemd/system").is_dir(), reason="no systemd is installed here")
def test_every_service_is_shut_in(root):
    for path in SERVICES:
        words = ("security", "--offline=true", "--no-pager", f"--root={root}", named(path))
        done = tool("systemd-analyze", *words)
        told = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        assert told, done.stdout + done.stderr
        most = EXPOSED_MAX.get(path.stem, OTHERS_MAX)
        assert float(told[1]) <= most, f"{path.name} is exposed by {told[1]}, above {most}"


def calls_of(name: str) -> set[str]:
    """The system calls of a set of systemd's, those of its parts among them."""
    found: set[str] = set()
    for line in tool("systemd-analyze", "syscall-filter", name).stdout.splitlines()[1:]:
        one = line.strip()
        if one.startswith("@"):
            found |= calls_of(one)
        elif one and not one.startswith("#"):
            found.add(one)
    return found


def test_what_a_day_calls_is_let_through():
    """As measured, host/syscalls.txt: each filter of the units, one after the other."""
    text = (DEPLOY / "host" / "syscalls.txt").read_text()
    measured = {word for line in text.splitlines() if line[:1] != "#" for word in line.split()}
    allowed: set[str] = set()
    hardening = (DEPLOY / "systemd" / "hft-.service.d" / "10-hardening.conf").read_text()
    for line in re.findall(r"^SystemCallFilter=(.*)$", hardening, re.MULTILINE):
        taken = line.startswith("~")
        for word in line.removeprefix("~").split():
            calls = calls_of(word) if word.startswith("@") else {word}
            allowed = allowed - calls if taken else allowed | calls
    assert len(measured) > 80 and measured <= allowed, measured - allowed
    assert allowed.isdisjoint({"clock_settime", "ptrace", "mount", "setuid", "bpf", "reboot"})


def test_a_runner_does_not_begin_again_by_itself():
    for name in ("hft-live@", "hft-resume@"):
        text = (DEPLOY / "systemd" / f"{name}.service").read_text()
        assert "\nRestart=no\n" in text and "PartOf=hft-day@%i.target" in text
    assert "hft-day begin" in (DEPLOY / "systemd" / "hft-live@.service").read_text()
    assert "hft-day resume" in (DEPLOY / "systemd" / "hft-resume@.service").read_text()
    watchdog = (DEPLOY / "systemd" / "hft-watchdog@.service").read_text()
    assert "Restart=on-failure" in watchdog and "RestartPreventExitStatus=1" in watchdog


def test_no_secret_is_a_setting():
    for path in [*UNITS, *(DEPLOY / "examples").iterdir()]:
        text = path.read_text()
        assert not re.search(r"(PASSWORD|SECRET|TOKEN)\w*=\S", text), path.name
    live = (DEPLOY / "systemd" / "hft-live@.service").read_text()
    assert "LoadCredential=HFT_PASSWORD:/etc/hft/secrets/HFT_PASSWORD" in live


def test_users_and_folders_are_made_as_said(tmp_path):
    """By systemd's own programs, below a folder."""
    (tmp_path / "etc").mkdir()
    users = tool(*("systemd-sysusers", f"--root={tmp_path}", DEPLOY / "host" / "hft.sysusers.conf"))
    assert users.returncode == 0, users.stderr
    assert (
        "hft:x:10001:10001:hftlib:/var/lib/hft:/usr/sbin/nologin"
        in (tmp_path / "etc" / "passwd").read_text()
    )
    made = tool(
        *("systemd-tmpfiles", "--create", f"--root={tmp_path}", DEPLOY / "host/hft.tmpfiles.conf")
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "var/lib/hft/journals").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/hft/secrets").stat().st_mode & 0o777 == 0o700
