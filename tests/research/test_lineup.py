"""Who runs in a backtest: names, parameters, and the sentences for what cannot be meant."""

import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.numbers import STRATEGIES_MAX
from hftlib.research.lineup import lineup, strategy_of


@hft.strategy
class Maker:
    """A strategy with a parameter."""

    edge: int = hft.param(1, low=1, high=9)

    def on_start(self, ctx):
        pass


@hft.strategy
class Taker:
    """Another one."""

    size: int = hft.param(100, low=1)
    fast: bool = hft.param(False)

    def on_start(self, ctx):
        pass


def told(given, params=None):
    return {name: one.parameters for name, one in lineup(given, params).items()}


ONE, OTHER = {"edge": 1}, {"size": 100, "fast": False}


@pytest.mark.parametrize(
    "given, params, expected",
    [
        (Maker, None, {"Maker": ONE}),
        (Maker(edge=3), None, {"Maker": {"edge": 3}}),
        (Maker, {"edge": 4}, {"Maker": {"edge": 4}}),
        ([Maker], None, {"Maker": ONE}),
        ([Maker, Taker], None, {"Maker": ONE, "Taker": OTHER}),
        ((Taker, Maker(edge=2)), None, {"Taker": OTHER, "Maker": {"edge": 2}}),
        ([Maker, Taker], [{"edge": 5}, {}], {"Maker": {"edge": 5}, "Taker": OTHER}),
        ([Maker, Taker], [None, {"size": 7}], {"Maker": ONE, "Taker": {**OTHER, "size": 7}}),
        ([Maker, Taker], {"Taker": {"size": 7}}, {"Maker": ONE, "Taker": {**OTHER, "size": 7}}),
        ({"a": Maker, "b": Maker(edge=2)}, None, {"a": ONE, "b": {"edge": 2}}),
        ({"a": Maker, "b": Maker}, {"b": {"edge": 8}}, {"a": ONE, "b": {"edge": 8}}),
        ({"a": Maker(edge=2)}, [{"edge": 8}], {"a": {"edge": 8}}),
    ],
)  # fmt: skip
def test_strategies_have_names_and_parameters(given, params, expected):
    assert told(given, params) == expected
    assert list(told(given, params)) == list(expected), "in their order"


@pytest.mark.parametrize(
    "given, params, what, do",
    [
        ([Maker, Maker(edge=2)], None, "Two strategies are called Maker", '{"Maker": ...'),
        ([], None, "0 strategies are too few", "Give 1 to"),
        ({}, None, "0 strategies are too few", "Give 1 to"),
        (
            {f"s{n}": Maker for n in range(STRATEGIES_MAX + 1)},
            None,
            "33 strategies are too many",
            "Give 1 to 32",
        ),
        ({"a b": Maker}, None, "'a b' is no name for a strategy", "letters, digits"),
        ({"*": Maker}, None, "'*' is no name", "letters, digits"),
        ({"../x": Maker}, None, "'../x' is no name", "letters, digits"),
        ({"x" * 33: Maker}, None, "is no name", "at most 32"),
        ({7: Maker}, None, "7 is no name", "letters, digits"),
        ([Maker, Taker], [{}], "Parameters for 1 strategies are given, and there are 2", "Maker"),
        ([Maker, Taker], {"edge": 1}, "There is no strategy 'edge' here", "'Maker': {...}"),
        ([Maker, Taker], 7, "7 gives no parameters by name", "'Maker': {...}"),
        ([Maker, Taker], [{}, 7], "7 gives no parameters by name", "dict"),
        ([Maker, Taker], {"Taker": {"edge": 1}}, "Taker has no parameter 'edge'", ""),
        ([Maker, int], None, "type is no strategy|int is no strategy", "@hft.strategy"),
        ([Maker, "Taker"], None, "str is no strategy", "@hft.strategy"),
        ({"a": 3}, None, "int is no strategy", "@hft.strategy"),
        (int, None, "int is no strategy", "@hft.strategy"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(given, params, what, do):
    with pytest.raises(InputError, match=what) as raised:
        lineup(given, params)
    assert do in str(raised.value)


def test_the_way_of_one_strategy_is_the_one_that_it_was():
    assert strategy_of(Maker, {"edge": 2}).parameters == {"edge": 2}
    assert list(lineup(Maker, {"edge": 2})) == ["Maker"]
