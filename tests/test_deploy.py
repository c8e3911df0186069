"""Images, compose, scripts and locks of a deployment: each line in them is one that works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed_commands import DEPLOY, accepted, said

from hftlib.ops.watch_rules import read_rules
from hftlib.research.limits_command import limits
from hftlib.venue.floor import configuration
from pipelines.deploy import locks

ROOT = DEPLOY.parent.parent
BIN = DEPLOY / "bin"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
OURS = {"hft-live", "hft-beside", "hft-research"}
HEAVY = {"pandas", "mlflow", "vectorbt", "jupyterlab", "plotly", "fastapi", "uvicorn", "pip", "uv"}
# Of the compose specification, those that are used here: one that is misspelt is found.
KEYS = {
    *("image", "build", "command", "entrypoint", "init", "ipc", "pid", "shm_size", "network_mode"),
    *("networks", "restart", "ports", "healthcheck", "volumes", "depends_on", "env_file", "user"),
    *("environment", "stop_grace_period", "cpuset", "ulimits", "secrets", "read_only", "tmpfs"),
    *("cap_drop", "security_opt", "pids_limit", "logging", "profiles"),
}


def in_shell(words: Any) -> str:
    return words if isinstance(words, str) else shlex.join(words)


def dockerfile_lines() -> str:
    """CMD, ENTRYPOINT and HEALTHCHECK as shell would say them, and what RUN runs."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    lists = [shlex.join(json.loads(one)) for one in re.findall(r"CMD (\[.*\])", text)]
    return "\n".join([*lists, *re.findall(r"\b(hft [a-z][^;]*);", text)])


def page_lines() -> str:
    page = (ROOT / "docs" / "deployment.md").read_text()
    return "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))


PLACES = {
    "Dockerfile": (dockerfile_lines, 2),
    "docs/deployment.md": (page_lines, 25),
    **{
        f"compose {name}": (
            lambda one=one: "\n".join(
                in_shell(words)
                for words in (one.get("command", []), one.get("healthcheck", {}).get("test", []))
            ),
            1 if name in ("warm", "exchange", "watchdog", "metrics", "desk", "alerts") else 0,
        )
        for name, one in SERVICES.items()
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_every_hft_line_is_one_that_the_command_line_accepts(place):
    text, least = PLACES[place]
    found = list(said(text()))
    assert len(found) >= least
    assert not [why for words in found if (why := accepted(words))]


def test_a_line_that_is_none_of_ours_is_found_out():
    wrong = ["hft statusx", "hft calendar XNAS --jsn", "hft live Maker", "sh -c 'x && hft warm 1'"]
    assert all(accepted(words) for line in wrong for words in said(line))
    assert list(said("sudo -u hft ls && /opt/x/bin/hft warm > log")) == [["warm"]]


# -- scripts -------------------------------------------------------------------------------------


@pytest.fixture
def ran(tmp_path):
    """A script as systemd or an engine would run it; what it would have run is what it prints."""
    teller = tmp_path / "hft"
    teller.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    teller.chmod(0o755)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "standby").write_bytes(bytes(32))

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        own = {"HFT": str(teller), "HFT_JOURNALS": str(tmp_path / "journals")}
        own |= {"XDG_RUNTIME_DIR": str(tmp_path), "CREDENTIALS_DIRECTORY": str(secrets)}
        plain = {k: v for k, v in os.environ.items() if not k.startswith("HFT_")}
        command = ["sh", str(BIN / words[0]), *words[1:]]
        return subprocess.run(
            command, env=plain | own | more, capture_output=True, text=True, check=False
        )

    return run


def settings(path: Path) -> dict[str, str]:
    lines = [one for one in path.read_text().splitlines() if one and not one.startswith("#")]
    return dict(one.split("=", 1) for one in lines)


@pytest.mark.parametrize("path", [DEPLOY / "compose/paper.env", DEPLOY / "examples/both.env"])
def test_a_day_begins_and_goes_on_by_commands_that_we_accept(ran, path, tmp_path):
    day = tmp_path / "journals" / "both" / "2026-11-23.journal"
    own = settings(path) | {"HFT_DAY": "2026-11-23", "HFT_LISTEN": "10.0.0.2:7700"}
    begun = ran("hft-day", "begin", "both", **own)
    assert begun.returncode == 0, begun.stderr
    words = begun.stdout.splitlines()
    assert not accepted(words), accepted(words)
    assert words[words.index("--journal") + 1] == str(day)
    assert words[words.index("--control") + 1].endswith("/hftlib/runner-both.socket")
    secret = Path(words[words.index("--secret") + 1])
    assert secret.stat().st_mode & 0o777 == 0o600 and len(secret.read_bytes()) == 32
    assert ran("hft-day", "resume", "both", **own).returncode == 3, "no day has begun"
    day.mkdir()
    again = ran("hft-day", "begin", "both", **own)
    assert again.returncode == 3 and "hft-day resume both" in again.stderr
    for what in ("resume", "snapshots", "standby"):
        told = ran("hft-day", what, "both", **own)
        assert told.returncode == 0, told.stderr
        assert not accepted(told.stdout.splitlines()), accepted(told.stdout.splitlines())
        assert str(day) in told.stdout.splitlines()
    assert ran("hft-day", "journal", "both", **own).stdout.strip() == str(day)


@pytest.mark.parametrize(
    "words", [(), ("begin",), ("begin", "../x"), ("begin", "a b"), ("go", "x")]
)
def test_a_day_of_nobody_is_refused(ran, words):
    told = ran("hft-day", *words)
    assert told.returncode == 2 and "the name of a runner" in told.stderr


def test_secrets_reach_one_process_and_are_no_arguments(ran, tmp_path):
    (tmp_path / "secrets" / "HFT_PASSWORD").write_text("canary 7\n")
    (tmp_path / "secrets" / "HFT_COPY_PASSWORD").write_text("no end of line")
    told = ran("hft-with-secrets", "sh", "-c", 'echo "$HFT_PASSWORD|$HFT_COPY_PASSWORD|$standby"')
    assert told.stdout == "canary 7|no end of line|\n"
    shown = ran("hft-with-secrets", "sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline")
    assert "canary" not in shown.stdout + shown.stderr
    (tmp_path / "secrets" / "HFT_PASSWORD").write_text("")
    assert ran("hft-with-secrets", "true").returncode == 2


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"is_running": True}, 0),
        ({"is_running": False}, 1),
        ({"is_running": True, "page": {"age_ns": 1}}, 1),
        ("nonsense", 1),
    ],
)
def test_only_a_runner_that_answers_by_itself_is_healthy(ran, tmp_path, told, code):
    answer = tmp_path / "answers"
    answer.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    answer.chmod(0o755)
    door = tmp_path / "door.socket"
    assert ran("hft-healthy", str(door), HFT=str(answer)).returncode == 1, "nobody is there"
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(door))
        done = ran("hft-healthy", str(door), HFT=str(answer), PYTHON=sys.executable)
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize(("is_today", "code"), [("true", 0), ("false", 1)])
def test_a_holiday_is_no_failure(ran, tmp_path, is_today, code):
    answer = tmp_path / "calendar"
    answer.write_text(f'#!/bin/sh\necho \'{{"calendar": "XNAS", "is_today": {is_today}}}\'\n')
    answer.chmod(0o755)
    assert ran("hft-open", "both", HFT_CALENDAR="XNAS", HFT=str(answer)).returncode == code
    assert ran("hft-open", "both", HFT=str(answer)).returncode == 0, "none was given"


# -- locks ---------------------------------------------------------------------------------------


def test_the_locks_are_parts_of_the_one_lock():
    for path, text in locks.locks().items():
        assert path.read_text() == text, f"{path.name}: run make lock"
    assert "numba" in locks.pinned((DEPLOY / "requirements-live.lock").read_text())


def test_a_live_image_has_no_package_that_it_does_not_need():
    live = set(locks.pinned((DEPLOY / "requirements-live.lock").read_text()))
    beside = set(locks.pinned((DEPLOY / "requirements-beside.lock").read_text()))
    assert live.isdisjoint(HEAVY) and live < beside
    assert {"fastapi", "apprise", "prometheus-client", "exchange-calendars"} <= beside
    assert beside.isdisjoint({"mlflow", "vectorbt", "jupyterlab"})


# -- images and compose --------------------------------------------------------------------------


def test_hadolint_finds_nothing():
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [tool, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_what_the_dockerfile_copies_is_there_and_no_stage_runs_as_root():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for words in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = [one for one in words.split() if not one.startswith("--")]
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source.split('/')[0]}\n" in ignored, f"{source} is not sent to the engine"
    for stage in ("live", "beside", "research"):
        text = DOCKERFILE.partition(f"AS {stage}\n")[2].partition("\nFROM")[0]
        assert "USER 10001:10001" in text, stage
    assert not re.search(r"\b(gcc|build-essential|clang)\b", DOCKERFILE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_what_it_needs_and_no_more(name):
    one = SERVICES[name]
    assert set(one) <= KEYS, set(one) - KEYS
    assert one["read_only"] is True and one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert int(one["user"].partition(":")[0]) > 0
    assert not one["image"].endswith(":latest")
    if one["image"] in OURS:
        assert one["build"]["target"] == one["image"].removeprefix("hft-")
        assert (DEPLOY / one["build"]["context"] / one["build"]["dockerfile"]).is_file()
    for other in one.get("depends_on", {}):
        assert other in SERVICES
    for network in one.get("networks", ()):
        assert network in COMPOSE["networks"]
    for secret in one.get("secrets", ()):
        assert secret in COMPOSE["secrets"]
    for volume in one.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert volume.endswith(":ro"), "a file of the repository that could be written"
        else:
            assert source in COMPOSE["volumes"], source
    for port in one.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "published to everybody"
    for path in one.get("env_file", ()):
        assert "PASSWORD" not in (DEPLOY / path).read_text()


def test_the_networks_are_apart():
    of = {name: set(one.get("networks", ())) for name, one in SERVICES.items()}
    assert [name for name, nets in of.items() if {"market", "view"} <= nets] == []
    assert [name for name, nets in of.items() if {"market", "copy"} <= nets] == ["live"]
    inside = {name for name, net in COMPOSE["networks"].items() if net and net.get("internal")}
    assert {"market", "copy", "view", "control"} <= inside
    assert not {name for name in ("live", "exchange", "standby", "watchdog") if of[name] - inside}


def test_who_reads_the_runners_page_outlives_the_runner():
    beside = ["live", "watchdog", "metrics", *(n for n in ("desk", "alerts") if n in SERVICES)]
    for name in beside:
        assert SERVICES[name]["ipc"] == SERVICES[name]["pid"] == "service:rooms", name
    assert SERVICES["rooms"]["ipc"] == "shareable" and SERVICES["rooms"]["init"] is True
    assert SERVICES["live"]["restart"] == "no", "nobody begins to trade again by itself"
    assert SERVICES["live"]["ulimits"]["memlock"] == -1
    assert SERVICES["live"]["ulimits"]["rtprio"] >= 50 and SERVICES["live"]["cpuset"]


def test_the_files_of_compose_are_read_by_who_reads_them():
    exchange = configuration.read(DEPLOY / "compose" / "exchange.toml").exchange
    market = SERVICES["exchange"]["networks"]["market"]["ipv4_address"]
    assert exchange.host == exchange.interface == market
    rules = read_rules(DEPLOY / "compose" / "watch.toml")
    assert rules.mismatch_ms and rules.standby_ms and rules.loss_money
    assert read_rules(DEPLOY / "examples" / "both.watch.toml") == rules
    place = SERVICES["standby"]["environment"]["HFT_LISTEN"]
    own = settings(DEPLOY / "compose" / "paper.env")
    assert own["HFT_STANDBY"] == place
    host, _, port = place.partition(":")
    assert SERVICES["standby"]["networks"]["copy"]["ipv4_address"] == host
    assert f":{int(port):04X} " in SERVICES["standby"]["healthcheck"]["test"]
    assert limits and (DEPLOY / "../limits.toml").is_file()


def test_prometheus_and_alertmanager_read_their_files(tmp_path):
    rules = ROOT / "hftlib" / "ops" / "metrics" / "prometheus"
    mounted = [one.split(":") for one in SERVICES["prometheus"]["volumes"]]
    assert ["../../hftlib/ops/metrics/prometheus", "/etc/prometheus/rules", "ro"] in mounted
    text = (DEPLOY / "compose" / "prometheus.yml").read_text()
    own = tmp_path / "prometheus.yml"
    own.write_text(text.replace("/etc/prometheus/rules", str(rules)))
    if shutil.which("promtool") is None or shutil.which("amtool") is None:
        pytest.skip("no promtool and amtool here")
    for command in (
        ["promtool", "check", "config", own],
        ["amtool", "check-config", DEPLOY / "compose" / "alertmanager.yml"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert list(rules.glob("hftlib_*.yml")), "no rules"
    jobs = yaml.safe_load(text)["scrape_configs"]
    targets = [one.partition(":") for one in jobs[0]["static_configs"][0]["targets"]]
    assert all(name in SERVICES for name, _, _ in targets)
    assert f"--port={targets[0][2]}" in SERVICES["metrics"]["command"]


def test_yamllint_finds_nothing():
    command = [sys.executable, "-m", "yamllint", "-s", "-c", DEPLOY / ".yamllint", DEPLOY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("docker") is None:
        pytest.skip("no docker here")
    return subprocess.run(["docker", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_compose_itself_reads_the_file():
    if docker("compose", "version").returncode:
        pytest.skip("docker has no compose here")
    done = docker("compose", "-f", "pipelines/deploy/compose.yaml", "config", "--quiet")
    assert done.returncode == 0, done.stderr


def test_the_live_image_is_built_and_says_who_it_is():
    if docker("version").returncode:
        pytest.skip("no container engine answers here: images are not built")
    built = docker("build", "-q", "-f", "pipelines/deploy/Dockerfile", "--target", "live", ".")
    assert built.returncode == 0, built.stderr
    told = docker("run", "--rm", "--read-only", built.stdout.strip(), "hft", "--version")
    assert told.stdout.startswith("hftlib "), told.stderr
