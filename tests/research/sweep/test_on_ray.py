"""Trials over a real local Ray: it finds what threads find; another strategy or tape is refused."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import HostError, InputError
from hftlib.research.sweep.asking import asked
from hftlib.research.sweep.on_ray import course_of, spec_of
from hftlib.research.sweep.trying import Trier
from tests.research.sweep_desk import VENUE, Chancy, counted_here, same, tapes

SPACE = {"edge": [1, 2, 13], "lean": (0.0, 3.0)}
SETTINGS = {
    "venue": VENUE, "limits": hft.Limits(position_lots=500), "curves": None, "directives": (),
    "horizons": ("10ms", "1s"), "every": None,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def own_registry():
    with pytest.MonkeyPatch.context() as patched:
        counted_here(patched)
        yield


def question(*parts):
    return asked(Chancy(clip=50), parts, SPACE, "pnl_net", "random", 9, 3, "10s", SETTINGS)


def parts():
    whole = hft.open_tape(tapes()[0])
    return whole[200:1_200], whole[whole.symbols[0]][600:], hft.open_tape(tapes()[1])


def test_ray_finds_what_threads_find():
    given = {
        "venue": VENUE, "method": "random", "trials": 9, "seed": 3, "step": "10s",
        "objective": "pnl_net", "limits": hft.Limits(position_lots=500), "workers": 2,
    }  # fmt: skip
    days = list(parts())
    threads = hft.sweep(Chancy(clip=50), days, SPACE, **given)
    ray = hft.sweep(Chancy(clip=50), days, SPACE, cluster="ray", **given)
    assert same(ray, threads)
    assert set(ray.frame["state"]) == {"done", "failed"} and ray.frame["fills"].max() > 5


def test_what_travels_makes_the_same_course_again():
    what = question(*parts())
    again = course_of(spec_of(what.course))
    for number, params in enumerate(what.combinations()):
        ours, theirs = (Trier(one).tried(number, params) for one in (what.course, again))
        assert ours.row().keys() == theirs.row().keys()
        for name in ("params", "state", "objective", "figures", "parts"):
            assert ours.row()[name] == theirs.row()[name]
        assert (ours.pnl is None) == (theirs.pnl is None) == (ours.state == "failed")
        assert ours.pnl is None or np.array_equal(ours.pnl, theirs.pnl)


def test_another_strategy_or_tape_is_refused_where_it_arrives():
    spec = spec_of(question(*parts()).course)
    told = {
        **spec["strategy"],
        "text": spec["strategy"]["text"].replace("* b.tick", "* 2 * b.tick"),
    }
    with pytest.raises(InputError, match="another strategy here"):
        course_of({**spec, "strategy": told})
    days = [{**spec["tapes"][0], "path": str(tapes()[1])}]
    with pytest.raises(InputError, match="another tape than where"):
        course_of({**spec, "tapes": days})


def test_the_environment_names_the_cluster(monkeypatch):
    monkeypatch.setenv("HFT_CLUSTER", "slurm")
    with pytest.raises(InputError, match=r"'slurm' is no place to run trials. Where: HFT_CLUSTER"):
        hft.sweep(Chancy, tapes()[0], {"edge": [1]}, venue=VENUE)
    monkeypatch.setenv("HFT_CLUSTER", "ray://127.0.0.1:1")
    with pytest.raises(HostError, match="no Ray cluster that answers"):
        hft.sweep(Chancy, tapes()[0], {"edge": [1]}, venue=VENUE)
    found = hft.sweep(Chancy, tapes()[0], {"edge": [1]}, venue=VENUE, cluster="threads")
    assert found.trials == 1
