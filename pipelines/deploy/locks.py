"""The locks of a deployment: parts of requirements.lock, with its pins and hashes.

    python -m pipelines.deploy.locks            write them; `make lock` does it
    python -m pipelines.deploy.locks --check    leave 1 where one is not what it should be

    requirements-live.lock      what a runner needs, and nothing else: the project without extras
    requirements-beside.lock    and what people look at, what wakes them, what knows the calendar
    requirements-build.lock     what makes the wheel

Nothing is resolved: of what pyproject.toml asks for, what is installed here says what it needs in
turn, and each one's lines are taken over from requirements.lock as they stand. So a live host has
the very files that the tests ran with.

Worst case: an environment that is not that of requirements.lock; it is said which package lacks.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BESIDE = ("alerts", "calendar", "desk", "metrics", "redis", "nats")


def locks() -> dict[Path, str]:
    """Each file, and what belongs into it."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = told["project"]
    extras = project["optional-dependencies"]
    beside = [text for extra in BESIDE for text in extras[extra]]
    wanted = {
        "live": project["dependencies"],
        "beside": [*project["dependencies"], *beside],
        "build": told["build-system"]["requires"],
    }
    pins = pinned((ROOT / "requirements.lock").read_text())
    return {
        HERE / f"requirements-{name}.lock": "".join(pins[one] for one in sorted(needed(texts)))
        for name, texts in wanted.items()
    }


def needed(texts: Iterable[str]) -> set[str]:
    """These, what they need, what that needs, and so on; on this kind of machine and Python."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in texts]
    here = {name: str(value) for name, value in default_environment().items()}
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *sorted(one.extras)):
            if (name, extra) not in found:
                found.add((name, extra))
                waiting += _asked_by(name, extra, here)
    return {name for name, _ in found}


def _asked_by(name: str, extra: str, here: dict[str, str]) -> list[Requirement]:
    try:
        asked = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        sys.exit(f"{name} is not installed here: run this with the project's own .venv.")
    return [
        one for one in asked if one.marker is None or one.marker.evaluate(here | {"extra": extra})
    ]


def pinned(lock: str) -> dict[str, str]:
    """The lines of each package, hashes among them."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {canonicalize_name(one.partition("==")[0]): one for one in blocks if one.strip()}


def main(arguments: list[str]) -> int:
    stale = [path for path, text in locks().items() if _text(path) != text]
    for path in stale:
        if arguments == ["--check"]:
            print(f"{path.name} is not what requirements.lock says: run make lock.")
        else:
            path.write_text(locks()[path])
            print(f"{path.name} is new: {path.read_text().count('==')} packages.")
    return int(bool(stale) and arguments == ["--check"])


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
