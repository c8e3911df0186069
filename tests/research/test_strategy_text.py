"""A class as a text: another process makes the same of it, or a sentence says why not."""

import math
from pathlib import Path

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.orders import IOC as AT_ONCE
from hftlib.research.strategy_text import strategy_text
from hftlib.strategy.files import strategy_named

TABLE = np.arange(4)
CLIP, WIDE = 100, 2.5
SIDES = (hft.BUY, hft.SELL)


@hft.block
class Count:
    """How often."""

    n: int = hft.state()

    def more(self, by):
        self.n += by * int(math.sqrt(4.0))


@hft.jit.compiled()
def half(x):
    """Of a number; `CLIP` is a number beside it."""
    return x // 2 + CLIP - CLIP


@hft.strategy
class Whole:
    """Names a module, a block, a function, numbers, a constant of hftlib."""

    edge: int = hft.param(2, low=1, high=9)
    count: Count = hft.state()

    def on_book(self, ctx, i):
        self.count.more(1)
        flat = ctx.open_orders(i) == 0 and ctx.position(i) == 0
        if self.count.n > 2 and flat and ctx.book(i).has_both:
            price = ctx.book(i).ask + half(self.edge) * int(WIDE)
            ctx.submit(i, hft.BUY, price, CLIP, lasts=AT_ONCE)


@hft.strategy
class Odd:
    """Names an array."""

    def on_book(self, ctx, i):
        if TABLE[0] == 1:
            ctx.cancel_all(i)


def test_the_text_alone_makes_the_class_that_does_the_same(tmp_path):
    text = strategy_text(Whole)
    (tmp_path / "alone.py").write_text(text)
    again = strategy_named(f"{tmp_path / 'alone.py'}:Whole")
    assert strategy_text(again) == text
    tape = hft.to_tape(hft.synthetic(symbols=1, seconds=5, seed=3))
    runs = [hft.backtest(one, tape, params={"edge": 3}) for one in (Whole, again)]
    assert runs[0].digest == runs[1].digest and len(runs[0].records["orders"])


def test_nothing_else_of_the_file_comes_along():
    text = strategy_text(Whole)
    assert "TABLE" not in text and "class Odd" not in text and "pytest" not in text
    assert text.index("class Count") < text.index("class Whole")
    assert text.count("CLIP = 100") == 1 and "import math as math" in text


def test_what_no_text_can_stand_for_is_refused():
    with pytest.raises(InputError, match=r"names 'TABLE', which is of the kind ndarray") as caught:
        strategy_text(Odd)
    assert "parameter or a state" in str(caught.value)


def test_a_name_that_stands_for_two_things_is_refused(tmp_path):
    other = tmp_path / "other.py"
    other.write_text(
        "import hftlib as hft\nCLIP = 7\n\n\n@hft.block\nclass Fixed:\n    n: int = hft.state()\n\n"
        "    def put(self):\n        self.n = CLIP\n"
    )
    import importlib.util

    spec = importlib.util.spec_from_file_location("other_of_two", other)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    Fixed = module.Fixed  # noqa: N806

    @hft.strategy
    class Both:
        """Its own CLIP, and that of a block from elsewhere."""

        fixed: Fixed = hft.state()
        n: int = hft.state()

        def on_book(self, ctx, i):
            self.fixed.put()
            self.n = CLIP

    with pytest.raises(InputError, match=r"CLIP.*stands for two things"):
        strategy_text(Both)


def test_whole_strategies_of_ours_have_a_text_too():
    for name in ("QueueImbalance", "MomentumTaker"):
        text = strategy_text(getattr(hft.library, name))
        assert "import" in text and Path(__file__).name not in text


def test_what_is_pythons_own_is_imported_again(tmp_path):
    """Annotations of methods as our own library has them: typing's Any is no value of the file."""
    file = tmp_path / "annotated.py"
    file.write_text(
        "from typing import Any\nfrom math import copysign\n\nimport hftlib as hft\n\n\n"
        "@hft.strategy\nclass Annotated:\n    seen: float = hft.state()\n\n"
        "    def on_book(self, ctx: Any, i: int) -> None:\n"
        "        self.seen = copysign(1.0, ctx.book(i).mid)\n"
    )
    text = strategy_text(strategy_named(f"{file}:Annotated"))
    assert "from typing import Any as Any" in text and "from math import copysign" in text
    again = tmp_path / "again.py"
    again.write_text(text)
    assert strategy_text(strategy_named(f"{again}:Annotated")) == text
