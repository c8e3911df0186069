"""Stories that need a process of their own: a fresh Python, bounded in time, answering in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120


def environment(places: tuple[Path, ...], settings: dict[str, Any]) -> dict[str, str]:
    """This process's environment without its numba settings, with the places to import from."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_")}
    kept["PYTHONPATH"] = os.pathsep.join(map(str, places))
    # Python's own cache knows a file by its time and size only, and some stories forge both.
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return kept | {name: str(value) for name, value in settings.items()}


def start(code: str, *places: Path, **settings: Any) -> subprocess.Popen[str]:
    """Begin to run the code, which imports from the places, with these environment variables."""
    places = places or (ROOT,)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=places[0],
        env=environment(places, settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> Any:
    """What the process printed last, as data; fails the test if it ended badly or not at all."""
    try:
        printed, complaints = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 0, f"ended with {process.returncode}:\n{printed}\n{complaints}"
    return json.loads(printed.splitlines()[-1])


def run(code: str, *places: Path, **settings: Any) -> Any:
    """Run the code in a fresh process and return the JSON that it prints last."""
    return answer(start(code, *places, **settings))
