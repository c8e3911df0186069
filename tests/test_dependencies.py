"""pyproject.toml has ranges, requirements.lock has pins, environment.yml points at the lock."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}
LIVE = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
EXTRAS = {
    name: [Requirement(text) for text in texts]
    for name, texts in PROJECT["project"]["optional-dependencies"].items()
}
FIXED = ("jupyterlab", "papermill", "ipywidgets", "pandas", "vectorbt", "numba", "mlflow", "pytest")


def test_every_requirement_is_pinned_within_its_range():
    for requirement in [*LIVE, *(one for extra in EXTRAS.values() for one in extra)]:
        pin = PINS[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(pin)), requirement


def test_every_pin_has_a_hash_and_the_lock_names_no_place():
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)
    for block in filter(str.strip, blocks):
        assert "--hash=sha256:" in block, block.splitlines()[0]
    for line in LOCK.splitlines():
        assert re.fullmatch(
            r"[A-Za-z0-9._-]+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        ), line


def test_the_packages_the_project_is_built_on_are_there():
    assert all(name in PINS for name in FIXED)


def test_a_live_host_installs_no_research_package():
    names = {canonicalize_name(requirement.name) for requirement in LIVE}
    assert names.isdisjoint(FIXED[:5] + FIXED[6:])


def test_the_conda_environment_has_the_same_python_and_the_lock():
    text = (ROOT / "environment.yml").read_text()
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.12"
    assert re.findall(r"^  - ([\w.=]+)$", text, re.MULTILINE) == ["python=3.11", "pip"]
    assert re.findall(r"^      - (.+)$", text, re.MULTILINE) == ["-r requirements.lock"]


def test_what_is_installed_is_what_is_locked():
    out = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    installed = dict(line.split("==", 1) for line in out.split() if "==" in line)
    installed = {canonicalize_name(name): version for name, version in installed.items()}
    for requirement in LIVE + EXTRAS["research"] + EXTRAS["dev"]:
        name = canonicalize_name(requirement.name)
        assert installed[name] == PINS[name], f"{name}: run `make clean` and `make test` again"
