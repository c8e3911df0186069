"""All tests, two side by side where that disturbs nobody: what `make test` runs.

    python -m tests.lanes

    1  compiled: what trades over sockets and waits for it │ everything else, kernels among it
    2  bounds-checked, of the tests marked `modes` │ uncompiled, of the same
    3  the soak, alone: it needs both cores

The left lane writes to the terminal as it goes, the right one to a file that is shown when both are
over. Worst case: a lane that hangs holds the other's words back; they are in build/.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOAK = "tests/bench/test_soak.py"
WAITING = (
    *("tests/ops", "tests/engine/live", "tests/venue/floor", "tests/bench", "tests/promote"),
    *("tests/test_demo.py", "tests/test_docs.py"),
)
BOUNDS, PLAIN = {"NUMBA_BOUNDSCHECK": "1"}, {"NUMBA_DISABLE_JIT": "1"}


def main() -> int:
    others = [f"--ignore={place}" for place in WAITING]
    print("compiled; everything that waits for no exchange runs beside it:", flush=True)
    worst = beside([*WAITING, f"--ignore={SOAK}"], others, "the others", {}, {})
    print("again, with bounds checks, and uncompiled beside it:", flush=True)
    worst |= beside(["-m", "modes"], ["-m", "modes"], "uncompiled", BOUNDS, PLAIN)
    print("the soak:", flush=True)
    return worst | run([SOAK], {}).wait()


def beside(
    here: list[str], there: list[str], name: str, own: dict[str, str], other: dict[str, str]
) -> int:
    """Two lanes at once; not 0 where one of them failed."""
    log = ROOT / "build" / f"{name.replace(' ', '_')}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as file:
        right = run(there, other, file)
        try:
            left = run(here, own).wait()
            code = right.wait()
        finally:
            right.kill()
    told = log.read_text().splitlines()
    said = next((n for n, line in enumerate(told) if line.startswith("====")), len(told) - 1)
    print(f"{name}:", *told[max(0, said) :], sep="\n", flush=True)  # not its rows of dots
    return left | code


def run(arguments: list[str], environment: dict[str, str], out: object = None) -> subprocess.Popen:
    """One pytest; it hears Ctrl-C as the terminal sends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=out,
        stderr=subprocess.STDOUT if out else None,
    )


if __name__ == "__main__":
    sys.exit(min(1, main()))
