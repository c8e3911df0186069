"""The A/B report: a day beside itself, a champion beside what ran dark, and what is no pair."""

import json
import shutil

import numpy as np
import pytest
from floor_desk import Floor
from rollout_days import one_day, opened, some_days
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import InputError, StateError
from hftlib.promote.rollout.beside import compare_days
from hftlib.promote.rollout.same_feed import _by_other

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def days():
    return some_days()


@pytest.fixture(scope="module")
def both(days):
    return compare_days(days.paper, days.shadow)


def test_a_day_beside_itself_is_the_same(days):
    made = compare_days(days.paper, days.paper)
    assert made.difference == 0 and made.band == (0.0, 0.0) and made.better is None
    assert "earned the same" in made.sentence and "neither is better" in made.sentence
    one, other = made.sides
    assert one.name != other.name and np.array_equal(one.curve, other.curve)
    assert dict(one.figures) == dict(other.figures)


def test_a_champion_beside_what_ran_dark(both):
    champion, dark = both.sides
    assert (champion.mode, dark.mode) == ("paper", "shadow")
    assert champion.figures["orders"] > 20 and dark.figures["orders"] > 20
    assert champion.figures["fills"] > 5 and dark.figures["fills"] > 5
    assert both.difference == pytest.approx(dark.curve[-1] - champion.curve[-1])
    assert dark.figures["round trip p50, us"] == pytest.approx(200.0)
    low, high = both.band
    assert low <= both.difference <= high
    assert (both.better is None) == (low <= 0 <= high)
    assert both.shared.messages > 100 and both.shared.cut


def test_turned_round_it_says_the_same(both, days):
    turned = compare_days(days.shadow, days.paper)
    assert turned.shared.messages == both.shared.messages
    assert turned.sides[1].figures["orders"] == both.sides[0].figures["orders"]
    assert turned.difference == pytest.approx(-both.difference, abs=abs(both.difference) / 2 + 5)


def test_the_page_and_the_json_say_all_of_it(days, tmp_path, both):
    page = tmp_path / "page.html"
    words = ["rollout", "compare", str(days.paper), str(days.shadow)]
    done = RUNNER.invoke(app, [*words, "--report", str(page), "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["sentence"] == both.sentence
    assert told["band"] == pytest.approx(list(both.band)) and len(told["sides"]) == 2
    text = page.read_text()
    assert text.count("<svg") == 1 and both.sides[0].name in text and "difference" in text
    assert "largest position" in RUNNER.invoke(app, words).stdout


def test_what_did_not_run_beside_each_other_is_refused(days):
    with pytest.raises(InputError, match=r"when it ran, paper\.journal did not"):
        compare_days(days.paper, days.second)


def test_two_exchanges_of_one_name_are_two_feeds(days, tmp_path):
    with opened(Floor(clock={"pace": "wall"})) as floor:
        floor.plain("frm2b").enter(900_001, "B", 700, "98.50")
        alien = one_day(floor, tmp_path / "alien.journal", days.idea, "paper", 10)
    with pytest.raises(InputError, match="heard two feeds: message"):
        compare_days(days.paper, alien)


def test_what_is_no_day_is_refused(days, tmp_path):
    with pytest.raises(InputError, match="There is no journal"):
        compare_days(days.paper, tmp_path / "none")
    copy = tmp_path / "damaged.journal"
    shutil.copytree(days.shadow, copy)
    segment = next(copy.glob("*.segment"))
    data = bytearray(segment.read_bytes())
    data[40_000] ^= 1
    segment.write_bytes(data)
    with pytest.raises(StateError, match="amaged"):
        compare_days(days.paper, copy)
    words = ["rollout", "compare", str(days.paper), str(days.shadow), "--report", str(tmp_path)]
    with pytest.raises(InputError):
        RUNNER.invoke(app, words, catch_exceptions=False)


def test_moments_of_another_clock_stay_in_their_order():
    theirs, ours = np.array([100, 200, 300]), np.array([1_000, 1_050, 1_400])
    moments = np.array([50, 100, 130, 199, 200, 260, 300, 900])
    told = _by_other(theirs, ours, moments)
    assert told.tolist() == [950, 1_000, 1_030, 1_050, 1_050, 1_110, 1_400, 2_000]
