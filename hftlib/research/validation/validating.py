"""`hft.validate`: everything that can be asked of a strategy or a sweep, on one page.

    hft.validate(sweep)                                        what the sweep was made of, all of it
    hft.validate(Maker, tapes, {"edge": [1, 2, 3]}, venue=venue)
    hft.validate(Maker, tape, params={"edge": 2}, venue=venue)

A check that another makes from returns is called through the table `FROM_RETURNS`; one that cannot
be asked here is left out, with its reason on the page. A check that is refused says so as "cannot
tell"; Ctrl-C ends all of it.

Worst case: each set of parameters over each tape once, and some 150 backtests more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hftlib.core.errors import HftError, InputError
from hftlib.core.times import duration_text
from hftlib.core.units import as_int64, is_whole, shown
from hftlib.research.lookahead import CUTS_MAX, LookAhead, check_lookahead
from hftlib.research.tape import Tape
from hftlib.research.validation.chances import RUNS_MAX, RUNS_MIN, monte_carlo
from hftlib.research.validation.crossing import checked_split, crossed
from hftlib.research.validation.material import Material, material_of
from hftlib.research.validation.report import Report
from hftlib.research.validation.scaling import capacity
from hftlib.research.validation.stress import stress_costs, stress_latency
from hftlib.research.validation.verdict import Verdict
from hftlib.research.validation.walking import walked
from hftlib.terminal import heard_by, patience

FOLDS, GROUPS, TEST_GROUPS = 5, 6, 2
LOOK_EVENTS_MAX = 2_000_000
_ONE_SET = "There is one set of parameters, so nothing was chosen."


@dataclass(frozen=True)
class Check:
    """One question: its name, who answers it, and why it may not be asked."""

    name: str
    ask: Callable[[Material], Verdict]
    not_now: Callable[[Material], str] = lambda _made: ""


def _of_sets(made: Material) -> str:
    return "" if len(made.whole.sets) > 1 else _ONE_SET


def _of_sweeps(made: Material) -> str:
    return "" if made.sweep is not None else "It takes a sweep: hft.validate(hft.sweep(...))."


# What is made from returns, by the name of its function: how it is called, and when it cannot be.
FROM_RETURNS: dict[str, tuple[Callable[[Any, Material], Verdict], Callable[[Material], str]]] = {
    "sharpe": (lambda ask, made: ask(made.pnl), lambda _made: ""),
    "deflated_sharpe": (
        lambda ask, made: ask(made.pnl, trials=made.trials, all=made.matrix),
        _of_sets,
    ),
    "bootstrap": (lambda ask, made: ask(made.pnl, at_least=0.0), lambda _made: ""),
    "pbo": (lambda ask, made: ask(made.matrix), _of_sets),
    "reality_check": (lambda ask, made: ask(made.matrix), lambda _made: ""),
    "spa": (lambda ask, made: ask(made.matrix), lambda _made: ""),
    "confidence_set": (lambda ask, made: ask(made.matrix), _of_sets),
    "stability": (lambda ask, made: ask(made.sweep, parameters=made.sweep.space.names), _of_sweeps),
    "regimes": (lambda ask, made: ask(made.result, step=made.step), lambda _made: ""),
}


def validate(
    subject: Any,
    tapes: Any = None,
    space: Any = None,
    *,
    objective: Any = None,
    step: Any = None,
    param: str = "clip",
    runs: int = 100,
    embargo: Any = None,
    cuts: int = 4,
    trials: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> Report:
    """All that can be asked, as a page of verdicts; `subject` is a strategy or a sweep."""
    _require(param, runs, embargo, cuts, seed)
    known = material_of(subject, tapes, space, objective, step, settings, trials, seed)
    made = Material(**known, param=param, runs=runs, cuts=cuts, embargo=embargo)
    left_out, asked, verdicts = {}, [], []
    for check in checks():
        why = check.not_now(made)
        if why:
            left_out[check.name] = why
        else:
            asked.append(check)
    with patience() as advance:
        for number, check in enumerate(asked):

            def heard(share: float, what: str, n: int = number, name: str = check.name) -> None:
                advance((n + share) / len(asked), f"{_plainly(name)}: {what}")

            heard(0.0, "")
            with heard_by(heard):
                verdicts.append(_answer(check, made))
    best = ", ".join(f"{k}={v}" for k, v in made.whole.sets[made.best].items())
    about = {
        "tapes": ", ".join(one.path.name for one in made.whole.tapes),
        "sets of parameters": len(made.whole.sets),
        "trials": made.trials,
        "best set": best or "as it is",
        "step": duration_text(made.whole.step_ns),
    }
    title = f"{_name(made.strategy)} on {about['tapes']}"
    keys = tuple(check.name for check in asked)
    return Report(title, tuple(verdicts), about, left_out, keys)


def checks() -> list[Check]:
    """What is asked, in order of the page; what this tree has no function for is not there."""
    from hftlib.research import validation

    returns = []
    for name, (call, not_now) in FROM_RETURNS.items():
        ask = getattr(validation, name, None)
        if ask is not None:
            answer = lambda made, ask=ask, call=call: call(ask, made)  # noqa: E731
            returns.append(Check(name, answer, not_now))
    return [
        Check("look_ahead", _looked_ahead),
        *returns,
        Check("walk_forward_anchored", lambda made: _walked(made, True)),
        Check("walk_forward_rolling", lambda made: _walked(made, False), _of_sets),
        Check("cross_validation", _crossed, _of_sets),
        Check("monte_carlo", _chances),
        Check("stress_costs", lambda made: stress_costs(*_run(made), **made.with_best)),
        Check("stress_latency", lambda made: stress_latency(*_run(made), **made.with_best)),
        Check("capacity", _capacity, _no_size),
    ]


def _require(param: Any, runs: Any, embargo: Any, cuts: Any, seed: Any) -> None:
    """Refuse before the first run what would be refused after the last."""
    wrong = ""
    if not isinstance(param, str):
        wrong, do = f"{shown(param)} is no name of a parameter", 'Give one such as "clip".'
    if not is_whole(runs) or not RUNS_MIN <= runs <= RUNS_MAX:
        wrong, do = f"{shown(runs)} is no number of runs", f"Give {RUNS_MIN} to {RUNS_MAX:,}."
    if not is_whole(cuts) or not 1 <= cuts <= CUTS_MAX:
        wrong, do = f"{shown(cuts)} is no number of times to cut at", "Give 4, or some more."
    if wrong:
        raise InputError(wrong, where="hft.validate(...)", do=do)
    as_int64(seed, "seed")
    checked_split(GROUPS, TEST_GROUPS, 0 if embargo is None else embargo, None)


def _answer(check: Check, made: Material) -> Verdict:
    try:
        return check.ask(made)
    except HftError as error:
        return Verdict(_plainly(check.name), None, f"{error.what.rstrip('.?')}: {error.do}")


def _run(made: Material) -> tuple[Any, Sequence[Tape]]:
    return made.strategy, list(made.whole.tapes)


def _walked(made: Material, anchored: bool) -> Verdict:
    return walked(made.strategy, made.whole, made.settings, FOLDS, anchored, made.chosen_by)


def _crossed(made: Material) -> Verdict:
    span = made.whole.step_ns * len(made.whole.times)
    # A minute where there is a day; of short tapes a hundredth.
    embargo = made.embargo if made.embargo is not None else f"{min(60 * 10**9, span // 100)}ns"
    return crossed(made.whole, *checked_split(GROUPS, TEST_GROUPS, embargo, None), made.chosen_by)


def _chances(made: Material) -> Verdict:
    return monte_carlo(*_run(made), runs=made.runs, seed=made.seed, **made.with_best)


def _capacity(made: Material) -> Verdict:
    return capacity(*_run(made), param=made.param, **made.with_best)


def _no_size(made: Material) -> str:
    params = getattr(made.strategy, "declared_parameters", None)
    if params is not None and made.param not in params():
        known = ", ".join(params()) or "none"
        return f"It has no parameter {made.param!r}; say which is its size: param=, of {known}."
    return ""


def _looked_ahead(made: Material) -> Verdict:
    """`hft.check_lookahead` as a verdict, of the beginning of the first tape."""
    tape, given = made.whole.tapes[0], made.with_best
    part = tape[:LOOK_EVENTS_MAX] if len(tape) > LOOK_EVENTS_MAX else tape
    names = ("params", "venue", "limits", "compiled")
    told = {name: given[name] for name in names if given.get(name) is not None}
    report = check_lookahead(made.strategy, part, cuts=made.cuts, seed=made.seed, **told)
    return look_ahead_verdict(report)


def look_ahead_verdict(report: LookAhead) -> Verdict:
    """What came of `hft.check_lookahead` as a verdict; where nothing was sent it cannot be told."""
    figures = {"decisions compared": report.compared, "cuts": len(report.cuts), "runs": report.runs}
    figures["findings"] = len(report.findings)
    tables = tuple(report.sheets()) if report.findings else ()
    if report.findings:
        first = report.findings[0].sentence(report.zone)
        return Verdict("Look-ahead", False, f"{report.verdict}. {first}.", figures, "", tables)
    passed = True if report.compared else None
    return Verdict("Look-ahead", passed, f"{report.verdict}.", figures)


def _plainly(name: str) -> str:
    """A check's name for people."""
    return name.replace("_", " ").capitalize()


def _name(strategy: Any) -> str:
    name = getattr(strategy, "__name__", None) or getattr(strategy, "name", None)
    return name if isinstance(name, str) and name.isidentifier() else "Strategy"
