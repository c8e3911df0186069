"""The sets around a candidate: itself first, its numbers halved and doubled within bounds."""

import hftlib as hft
from hftlib.promote.gates.neighbours import neighbours


@hft.strategy
class Some:
    edge: int = hft.param(2, low=1, high=3)
    share: float = hft.param(0.5, low=0.0, high=1.0)
    none: int = hft.param(0, low=0, high=9)
    careful: bool = hft.param(True)

    def on_book(self, ctx, i):
        pass


def test_each_number_is_halved_and_doubled_within_its_bounds():
    made = neighbours(Some, {"share": 0.25})
    chosen = {"edge": 2, "share": 0.25, "none": 0, "careful": True}
    assert made == [
        chosen, chosen | {"edge": 1}, chosen | {"share": 0.125}, chosen | {"share": 0.5},
    ]  # fmt: skip
    assert neighbours(Some, {}, most=2) == [
        chosen | {"share": 0.5},
        chosen | {"share": 0.5, "edge": 1},
    ]


def test_one_that_cannot_vary_is_alone():
    assert len(neighbours(Some, {"edge": 1, "share": 0.0}, most=1)) == 1
