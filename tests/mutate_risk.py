"""Mutants of risk: one thing wrong at a time, and a test must notice. `make mutate` writes
`docs/mutants.md`.

    a module of hftlib/risk ─▶ mutants ─▶ each in a process of its own: the fast tests of risk

Each comparison is turned round and moved by one, each `+` becomes a `-`, each `if` never holds,
each refusal and each change of a state is left out. Tests run uncompiled, in which risk is plain
Python: compiling each mutant would take a hundred times as long. A process that has loaded what
all share is forked for each mutant, so that none waits for imports.

    python -m tests.mutate_risk [--only checks,rules] [--jobs 2] [--list]

Worst case: a test that never ends is ended after TIME_MAX seconds, and the mutant is noticed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.machinery
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOM = ROOT / "hftlib" / "risk"
PAGE = ROOT / "docs" / "mutants.md"
MODULES = (
    *("checks", "rules", "windows", "exposure", "breakers", "bands", "collars", "states"),
    *("directives", "authority", "flattening"),
)
# The quickest to notice first.
TESTS = (
    "tests/risk/test_directives.py",
    "tests/risk/test_bands.py",
    "tests/risk/test_exposure.py",
    "tests/risk/test_breakers.py",
    "tests/risk/test_controls.py",
    "tests/risk/test_limits.py",
    "tests/engine/test_enforcing.py",
    "tests/engine/test_flattening.py",
)
# Loaded once, for all: nothing here may import what is mutated.
SHARED = (
    *("hypothesis", "numba", "pydantic", "pytest", "hftlib.core.arena", "hftlib.core.instruments"),
    *(
        "tests.risk.oracle",
        "tests.fuzzing",
        "hftlib.book.books",
        "hftlib.risk.laying",
        "hftlib.risk.limits",
        "hftlib.venue.exchange",
    ),
)
EPISODES = 24
TIME_MAX = 8
KILLED, SURVIVED, ENDLESS = "killed", "survived", "endless"
TURNED = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
MOVED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add}
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Add: "+", ast.Sub: "-",
}  # fmt: skip
ACTS = ("refused", "broke", "move")

# Mutants that change nothing that anybody could see, and why; by module, function and what it is.
_SAVES_WORK = "it saves work only: a scope that limits nothing breaks nothing"
_NEVER_NONE = "nothing held and fills of nothing never come here"
_NO_RING = "whoever notes has a limit, and so a ring: it guards memory"
_UNMOVED = "it saves work only: nothing is added to anything"
_ALWAYS_64 = "a ring has 64 places or more, or is none"
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("rules", "by_rules", "`intent.price < rule.low`: < to <="): "only prices outside come here",
    ("windows", "too_many", "`scope.ring_mask[ring] < 0`: < to <="): _ALWAYS_64,
    ("windows", "noted", "`mask < 0`: < to <="): _ALWAYS_64,
    ("windows", "noted", "`if mask < 0` never holds"): _NO_RING,
    ("windows", "_stamped", "`if scope.groups & G_PACE == 0` never holds"): (
        "it saves work only: a scope that limits no pace has no such limit"
    ),
    ("windows", "count_within", "`mask + 1`: + to -"): (
        "only of a full ring two fewer are told, and a breaker is HALTED before it is full"
    ),
    ("exposure", "money", "`amount < -MONEY_MAX`: < to <="): "both give the bound",
    ("exposure", "money", "`amount < MONEY_MAX`: < to <="): "both give the bound",
    ("exposure", "_exposed", "`price >= 0.0`: >= to >"): "at a price of nothing all is nothing",
    ("exposure", "follow", "`if moved | buys | sells | orders == 0` never holds"): _UNMOVED,
    ("breakers", "_cost", "`before > 0`: > to >="): _NEVER_NONE,
    ("breakers", "_cost", "`signed > 0`: > to >="): _NEVER_NONE,
    ("breakers", "filled", "`if risk_at(base).groups & G_BREAK == 0` never holds"): _SAVES_WORK,
    ("breakers", "_filled_in", "`if scope.groups & G_BREAK == 0` never holds"): _SAVES_WORK,
    ("breakers", "marked", "`if risk.groups & G_BREAK == 0` never holds"): _SAVES_WORK,
    ("breakers", "ended", "`if risk_at(base).groups & G_BREAK == 0` never holds"): _SAVES_WORK,
    ("directives", "concluded", "`0 <= told.scope < risk.scopes`: <= to <"): (
        "a refusal that is nobody's is logged for row 0 as well"
    ),
    ("directives", "_may_limit", "`told.value < NO_LIMIT`: < to <="): (
        "twice no limit wraps to a number that every ring has room for"
    ),
    ("breakers", "_ended_in", "`scope.state < REDUCING`: < to <="): (
        "`move` leaves what is so already"
    ),
    ("bands", "_forget", "`passed > 0`: > to >="): "the half minute stays the one it is",
    ("states", "broke", "`scope.state < wanted`: < to <="): "`move` leaves what is so already",
}


@dataclass(frozen=True)
class Mutant:
    module: str
    function: str
    line: int
    what: str
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, in order of its lines."""
    tree = ast.parse((ROOM / f"{module}.py").read_text())
    for function in (one for one in tree.body if isinstance(one, ast.FunctionDef)):
        for node in ast.walk(function):
            for what, change in _changes(node):
                yield _mutant(module, tree, function, node, what, change)


def _changes(node):
    """What may go wrong in one node: words, and a function that does it to a copy."""
    if isinstance(node, ast.Compare):
        for n, sign in enumerate(map(type, node.ops)):
            for table in (TURNED, MOVED):
                if sign in table:
                    what = f"`{ast.unparse(node)}`: {SIGNS[sign]} to {SIGNS[table[sign]]}"
                    yield what + (f" ({n + 1})" if n else ""), _comparison(n, table[sign])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPPED:
        other = SWAPPED[type(node.op)]
        what = f"`{ast.unparse(node)}`: {SIGNS[type(node.op)]} to {SIGNS[other]}"
        yield what, lambda one: setattr(one, "op", other())
    elif isinstance(node, ast.If):
        what = f"`if {ast.unparse(node.test)}` never holds"
        yield what, lambda one: setattr(one, "test", ast.Constant(False))
    elif isinstance(node, ast.Return | ast.Expr) and isinstance(node.value, ast.Call):
        name = getattr(node.value.func, "id", "")
        if name in ACTS:
            words = ast.unparse(node.value)
            yield f"`{words}` is left out", lambda one: setattr(one, "value", ast.Constant(0))


def _comparison(n, sign):
    def change(one):
        one.ops[n] = sign()

    return change


def _mutant(module, tree, function, node, what, change) -> Mutant:
    place = [id(one) for one in ast.walk(tree)].index(id(node))
    other = copy.deepcopy(tree)
    change(next(one for n, one in enumerate(ast.walk(other)) if n == place))
    ast.fix_missing_locations(other)
    return Mutant(module, function.name, node.lineno, what, ast.unparse(other))


def trial(mutant: Mutant | None) -> int:
    """In a process of its own: run the tests with this mutant in place of its module."""
    import pytest

    if mutant is not None:
        name = f"hftlib.risk.{mutant.module}"
        real = importlib.machinery.SourceFileLoader.get_code

        def code_of(self, fullname):
            if fullname == name:
                return compile(mutant.source, self.get_filename(fullname), "exec")
            return real(self, fullname)

        importlib.machinery.SourceFileLoader.get_code = code_of

    own = f"tests/risk/test_{mutant.module}.py" if mutant is not None else ""
    signal.setitimer(signal.ITIMER_PROF, TIME_MAX)
    if own not in TESTS and _duel_is_lost():
        return 1

    class Hurry:
        """A test that works for so long never ends: its process does."""

        def pytest_runtest_setup(self):
            signal.setitimer(signal.ITIMER_PROF, TIME_MAX)

    # One after another, so that what the first one notices does not wait for the rest to load.
    usual = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    wanted = sorted(TESTS, key=lambda one: one != own)
    said = 0
    while wanted and said == 0:
        said = int(pytest.main([*usual, wanted.pop(0)], [Hurry()]))
    signal.setitimer(signal.ITIMER_PROF, TIME_MAX)
    return said or int(_duel_is_lost())


def _duel_is_lost() -> bool:
    """The duel without pytest around it: most mutants are noticed here, in half a second."""
    try:
        from tests.risk.test_checks_duel import episode

        for seed in range(1, EPISODES + 1):
            episode(seed, 150)
    except Exception:  # whatever goes wrong is the mutant's doing
        return True
    return False


def start(mutant: Mutant | None) -> int:
    """Fork a trial: its process."""
    process = os.fork()
    if process == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os._exit(trial(mutant))
    return process


def judged(every: list[Mutant], jobs: int) -> list[tuple[Mutant, str]]:
    """Run all, so many at a time."""
    running: dict[int, Mutant] = {}
    answers: dict[Mutant, str] = {}
    waiting = list(reversed(every))
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[start(mutant)] = mutant
        process, status = os.wait()
        mutant = running.pop(process)
        killed = ENDLESS if os.WIFSIGNALED(status) else KILLED
        answers[mutant] = SURVIVED if status == 0 else killed
        print(f"{len(answers)}/{len(every)} {answers[mutant]:8} {told(mutant)}", flush=True)
    return [(one, answers[one]) for one in every]


def told(mutant: Mutant) -> str:
    return f"{mutant.module}.{mutant.function}, line {mutant.line}: {mutant.what}"


def page(answers: list[tuple[Mutant, str]], seconds: float, jobs: int) -> str:
    """`docs/mutants.md`."""
    lines = [
        "# Mutants of risk",
        "",
        "One thing wrong in `hftlib/risk` at a time: each comparison turned round and moved by one,"
        " each `+` a `-` and back, each `if` that never holds, each refusal and each change of a"
        " state left out. The fast tests of risk must notice. `make mutate` writes this page;"
        f" {len(answers)} mutants took {seconds / 60:.0f} minutes with {jobs} at a time.",
        "",
        "| module | mutants | noticed | survive |",
        "|---|--:|--:|--:|",
    ]
    counts = Counter((one.module, said == SURVIVED) for one, said in answers)
    for module in dict.fromkeys(one.module for one, _ in answers):
        killed, lived = counts[module, False], counts[module, True]
        lines.append(f"| `{module}` | {killed + lived} | {killed} | {lived} |")
    survivors = [one for one, said in answers if said == SURVIVED]
    lines += [
        "",
        f"{len(survivors)} survive; beside each why nobody can tell, or that a test is missing:",
        "",
    ]
    lines += ["| where | what | why nobody can tell |", "|---|---|---|"]
    for one in survivors:
        why = EQUIVALENT.get((one.module, one.function, one.what), "**a test is missing**")
        what = one.what.replace("|", "\\|")
        lines.append(f"| `{one.module}.{one.function}` | {what} | {why} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of risk, and which of them live.")
    parser.add_argument("--only", default=",".join(MODULES), help="modules, by comma")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="name them and run none")
    asked = parser.parse_args()
    every = [one for name in asked.only.split(",") for one in mutants(name)]
    if asked.list:
        print("\n".join(map(told, every)))
        return 0
    gone = [one for one in TESTS if not (ROOT / one).exists()]
    assert not gone, f"these tests are not there: {gone}"
    os.chdir(ROOT)
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in SHARED:
        importlib.import_module(name)
    loaded = [one for one in MODULES if f"hftlib.risk.{one}" in sys.modules]
    assert not loaded, f"these would not be mutated: {loaded}"
    begun = time.monotonic()
    if os.waitpid(start(None), 0)[1] != 0:
        print("The tests fail without any mutant: run them first.", file=sys.stderr)
        return 2
    print(f"all tests pass without a mutant: {time.monotonic() - begun:.0f} s", flush=True)
    answers = judged(every, asked.jobs)
    if asked.only == ",".join(MODULES):
        PAGE.write_text(page(answers, time.monotonic() - begun, asked.jobs))
    missed = [
        one
        for one, said in answers
        if said == SURVIVED and (one.module, one.function, one.what) not in EQUIVALENT
    ]
    for one in missed:
        print(f"nobody noticed {told(one)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
