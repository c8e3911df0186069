"""The role that tunes a host does what `hft doctor` asks for; the example of a cloud is planned."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from deployed_commands import DEPLOY

from hftlib.ops import doctor
from hftlib.ops import host_checks as checks

ROLE = DEPLOY / "ansible" / "roles" / "hft_host"
TASKS: list[dict[str, Any]] = yaml.safe_load((ROLE / "tasks" / "doctor.yml").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
TERRAFORM = DEPLOY / "terraform"
CORES = [2, 3, 4, 5]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample ann"


# -- the role and the doctor ---------------------------------------------------------------------


def test_each_row_of_the_doctor_has_a_task_of_its_name_in_its_order():
    rows = [row.name for row in doctor.ROWS]
    tags = [tag for task in TASKS for tag in task["tags"]]
    assert list(dict.fromkeys(tags)) == rows
    for row in rows:
        assert row[0].upper() + row[1:] in [task["name"] for task in TASKS], row


def test_what_the_role_sets_is_enough_for_the_doctor():
    own = {name.removeprefix("hft_host_"): value for name, value in DEFAULTS.items()}
    assert own["huge_pages"] >= checks.HUGE_PAGES_WANTED
    assert own["socket_bytes"] >= checks.SOCKET_BYTES_WANTED
    assert own["busy_poll_us"] >= checks.BUSY_POLL_US_WANTED
    assert own["realtime_priority"] >= checks.REALTIME_PRIORITY_WANTED
    assert own["idle_exit_us"] <= checks.IDLE_EXIT_US_WANTED
    assert own["cores"] >= checks.CORES_WANTED and own["processor"] == "x86_64"
    assert len(own["isolated_cores"]) >= checks.ISOLATED_WANTED
    assert int(own["shared_memory"].removesuffix("G")) << 30 >= checks.SHARED_MEMORY_BYTES_WANTED


def ansible(*words: str, folder: Path, fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """One of its programs; with `fresh`, twice, on a host whose /etc forgets it afterwards."""
    program = str(Path(sys.executable).with_name(words[0]))
    command = [program, *words[1:]]
    if fresh:
        over, line = folder / "over", shlex.join(command)
        over.mkdir()
        layers = f"lowerdir=/etc,upperdir={over}/up,workdir={over}/work"
        steps = [
            f"mount -t tmpfs none {over}",
            f"mkdir {over}/up {over}/work",
            f"mount -t overlay overlay -o {layers} /etc",
            f"{line} && {line} && cat /etc/default/grub.d/90-hft-*.cfg /etc/sysctl.d/9*-hft*.conf",
        ]
        command = ["unshare", "-m", "sh", "-c", " && ".join(steps)]
    own = {"HOME": str(folder), "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"}
    own["ANSIBLE_LOCAL_TEMP"] = str(folder / "tmp")
    own["PATH"] = f"{Path(program).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=DEPLOY / "ansible",
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ansible_lint_finds_nothing(tmp_path):
    done = ansible("ansible-lint", "--offline", "-q", "-p", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def here(tmp_path):
    own = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "hft_host_live": False,
        "hft_host_cores": 1,
        "hft_host_isolated_cores": CORES,
    }
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump({"hft": {"hosts": {"here": own}}}))
    return str(path)


def test_a_host_is_tuned_and_a_second_time_nothing_changes(here, tmp_path):
    """For real, below an /etc that is thrown away; without the right to mount, only looked at."""
    play = ("ansible-playbook", "-i", here, "site.yml")
    tags = "isolated cores,tickless cores,huge pages"
    done = ansible(*play, "--tags", tags, folder=tmp_path, fresh=True)
    if "PLAY" not in done.stdout:
        done = ansible(*play, "--tags", tags, "--check", folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        pytest.skip("nothing may be mounted here: looked at by --check, and not done")
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = re.findall(r"changed=(\d+)\s.*failed=0", done.stdout)
    assert int(first) >= 3 and int(second) == 0
    assert "isolcpus=managed_irq,domain,2,3,4,5 irqaffinity=0,1" in done.stdout
    assert "nohz_full=2,3,4,5 rcu_nocbs=2,3,4,5" in done.stdout
    assert "vm.nr_hugepages = 512" in done.stdout


# -- the cloud -----------------------------------------------------------------------------------


def parsed(folder: Path) -> dict[str, list[Any]]:
    """All of a module, as python-hcl2 reads it."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        for kind, blocks in hcl2.loads(path.read_text()).items():
            found.setdefault(kind, []).extend(blocks)
    return found


def names(blocks: list[Any]) -> set[str]:
    return {name.strip('"') for one in blocks for name in one}


@pytest.mark.parametrize("module", ["host", "aws"])
def test_every_variable_is_declared_and_used(module):
    text = "".join(one.read_text() for one in (TERRAFORM / module).glob("*.tf"))
    declared = names(parsed(TERRAFORM / module)["variable"])
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared


def test_the_inventory_of_the_cloud_is_what_the_role_reads():
    text = (TERRAFORM / "aws" / "outputs.tf").read_text()
    said = set(re.findall(r"\b(hft_host_\w+)", text))
    assert said and said <= set(DEFAULTS)
    example = yaml.safe_load((DEPLOY / "ansible" / "inventory.example.yml").read_text())
    for host in example["hft"]["hosts"].values():
        assert {name for name in host if name.startswith("hft_")} <= set(DEFAULTS)


def terraform(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("terraform") is None:
        pytest.skip("no terraform here")
    own = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    own |= {"TF_CLI_ARGS": "-no-color"} if words[0] != "fmt" else {}
    return subprocess.run(
        ["terraform", *words],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def modules(tmp_path):
    return Path(shutil.copytree(TERRAFORM, tmp_path / "terraform"))


def test_terraform_is_written_as_its_own_formatter_writes_it(modules):
    done = terraform("fmt", "-check", "-recursive", "-diff", folder=modules)
    assert done.returncode == 0, done.stdout


def test_the_module_of_a_host_holds_its_own_tests(modules):
    host = modules / "host"
    for words in (["init", "-input=false"], ["validate"], ["test"]):
        done = terraform(*words, folder=host)
        assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout


def test_terraform_and_ansible_write_one_command_line(modules):
    """What the first boot has is what the role keeps."""
    words = [f"-var=isolated_cores={CORES}", "-var=name=trade", f'-var=operator_keys=["{KEY}"]']
    host = modules / "host"
    assert terraform("init", "-input=false", folder=host).returncode == 0
    planned = terraform("plan", "-input=false", "-out=plan", *words, folder=host)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    shown = json.loads(terraform("show", "-json", "plan", folder=host).stdout)
    line = shown["planned_values"]["outputs"]["kernel_command_line"]["value"]
    kernel = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["hft_host_kernel"]
    put = {
        "hft_host_core_list": ",".join(map(str, CORES)),
        "hft_host_system_cores | join(',')": "0,1",
        "hft_host_huge_pages": str(DEFAULTS["hft_host_huge_pages"]),
    }
    ours = " ".join(one for options in kernel.values() for one in options)
    ours = re.sub(r"\{\{ (.*?) \}\}", lambda name: put[name[1]], ours)
    assert sorted(line.split()) == sorted(ours.split())


def test_the_example_of_a_cloud_is_planned(modules):
    """With the provider of AWS, and no AWS: HFT_TERRAFORM_PLUGINS may name a folder that has it."""
    aws, kept = modules / "aws", os.environ.get("HFT_TERRAFORM_PLUGINS")
    more = [f"-plugin-dir={kept}"] if kept else []
    if terraform("init", "-input=false", *more, folder=aws).returncode:
        pytest.skip("the provider of AWS cannot be had here: its example is only parsed")
    done = terraform("test", folder=aws)  # it validates, too
    assert done.returncode == 0, done.stdout + done.stderr
