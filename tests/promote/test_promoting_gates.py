"""All of our gates on small days: a good strategy passes, a bad parameter has its reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hftlib.promote.plan import read_plan
from hftlib.promote.promoting import promote

ROOT = Path(__file__).parents[2]
# Small days tell less: fewer of everything, and less certainty asked for.
SMALLER = {
    "seconds": "400", "seeds": "[7, 13]", "unseen_seeds": "[19]", "fills_min": "5",
    "worst_day_min": "-500.0", "sets": "3", "folds": "1", "groups": "4", "test_groups": "1",
    "efficiency_min": "0.01",
    "pbo_max": "0.9", "deflated_min": "0.5", "runs": "10", "days_drawn": "2", "draws": "100",
    "cost_multiples": "[1.0, 1.5]", "latency_multiples": "[1.0, 2.0]", "cuts": "1",
    "events_max": "1_500", "events_a_second_min": "1", "order_p50_ns_max": "1_000_000_000",
    "order_p99_ns_max": "1_000_000_000", "seconds_max": "500", "commands_min": "1",
    "confidence": "0.5", "sent_min": "1",
}  # fmt: skip


def smaller(folder: Path) -> Path:
    """Our own plan with small days, beside its limits and notebooks."""
    text = (ROOT / "pipelines" / "promotion.toml").read_text()
    for name, value in SMALLER.items():
        first = 1 if name == "seconds" else 0  # of the days alone, not of the session
        wanted = re.compile(rf"^{name} = [^#\n]*", re.MULTILINE)
        text, count = wanted.subn(f"{name} = {value}  ", text, first)
        assert count, name
    text = text.replace("../notebooks/gates", str(ROOT / "notebooks" / "gates"))
    text = text.replace("seconds = 8.0", "seconds = 4.0")
    folder.mkdir(exist_ok=True)
    (folder / "limits.toml").write_text((ROOT / "pipelines" / "limits.toml").read_text())
    (folder / "promotion.toml").write_text(text)
    return folder / "promotion.toml"


@pytest.fixture(scope="module")
def plan(place):
    return read_plan(smaller(place / "small"))


@pytest.fixture(scope="module")
def promotion(place, plan):
    return promote("QueueImbalance", {}, plan=plan, folder=place / "small-out", keep_going=True)


def test_a_good_strategy_passes_every_gate(promotion):
    told = {one.gate: one.verdict.sentence for one in promotion.judged if not one.verdict}
    assert promotion.passed is True, told
    assert len(promotion.judged) == 11 and len(promotion.tapes) == 3


def test_each_gate_can_be_read_as_a_report(promotion):
    for one in promotion.judged:
        page = (promotion.report / one.page.name).read_text()
        assert "<h1" in page and one.verdict.figures and "Passes if" in page, one.gate
        assert "Traceback" not in page
    figures = {one.gate: one.verdict.figures for one in promotion.judged}
    assert figures["07_risk"]["limits that refused"] == figures["07_risk"]["limits"] == 8
    assert figures["11_paper"]["faults"] == 5 and figures["09_replay"]["frames that went out"]
    json.dumps(promotion.as_json(), allow_nan=False)


def test_a_bad_parameter_is_refused_with_its_reason(place, plan, promotion):
    made = promote(
        "QueueImbalance",
        {"edge_ticks": 100},
        plan=plan,
        folder=promotion.folder,
        only=["01", "02"],
        champion=None,
    )
    assert made.passed is False and made.kept == ("01_data_quality",)
    assert "0 fills, and 5 are the least" in made.judged[-1].verdict.sentence
