"""Gate 6: what is left when it costs more, and when everything is slower.

`stress_costs` and `stress_latency` over all days: fees and half-spreads multiplied, then every leg
of latency. Worst case: a run for each multiple and day.
"""

from __future__ import annotations

from collections.abc import Sequence

from hftlib.promote.gates.joining import answer, joined
from hftlib.promote.gates.subject import Subject
from hftlib.research.tape import Tape
from hftlib.research.validation.stress import stress_costs, stress_latency
from hftlib.research.validation.verdict import Verdict

NAME = "Cost and latency stress"


def judge(
    subject: Subject,
    days: Sequence[Tape],
    *,
    cost_multiples: Sequence[float],
    survive_costs: float,
    latency_multiples: Sequence[float],
    survive_latency: float,
) -> Verdict:
    """Whether it earns at `survive_costs` times the costs, and `survive_latency` times slower."""
    given, tapes = subject.settings, list(days)
    parts = {
        "costs": answer(
            "Cost stress",
            lambda: stress_costs(
                subject.kind, tapes, multiples=cost_multiples, survive=survive_costs, **given
            ),
        ),
        "latency": answer(
            "Latency stress",
            lambda: stress_latency(
                subject.kind, tapes, multiples=latency_multiples, survive=survive_latency, **given
            ),
        ),
    }
    return joined(NAME, parts)
