"""Whatever a person would print has a page in a notebook, clear on light and dark."""

from __future__ import annotations

import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

import hftlib as hft
from hftlib.core.fees import Fees
from hftlib.lab import formatters

RETURNS = {"AAA": np.random.default_rng(5).normal(0, 0.01, 300)}


@hft.strategy
class Maker:
    """Quotes a tick away."""

    edge_ticks: int = hft.param(1, low=1, high=5, help="from the middle")

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both and b.is_open:
            ctx.quote(i, bid=b.mid - b.tick, ask=b.mid + b.tick, quantity=100)


@pytest.fixture(scope="module")
def page():
    """The page that IPython has for an object, once the extension is loaded."""
    made = DisplayFormatter()
    formatters.register(SimpleNamespace(display_formatter=made))

    def of(thing):
        if hasattr(thing, "_ipython_display_"):
            return thing._still(getattr(thing, "told", thing.widget.shown))
        return made.format(thing)[0].get("text/html", "")

    return of


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """One of each public class, and what public functions answer."""
    place = tmp_path_factory.mktemp("things")
    tape = hft.to_tape(hft.synthetic(symbols=2, seconds=30, seed=7), place / "day.tape")
    limits = hft.Limits(position_lots=500, firm={"messages": 500})
    result = hft.backtest(Maker, tape, limits=limits)
    point = hft.record("point", 16, "0 x int64 one\n8 y int64 other")
    arena = hft.Arena.create(hft.Layout(ring=hft.ring_dtype(point, 4), cell=hft.cell_dtype(point)))
    curve = hft.VolumeCurve(np.array([4 * 10**8, 10**9]), 60 * 10**9)
    store = hft.store(str(place / "store"))
    added = store.add(tape)
    named = {
        "Arena": arena,
        "Books": hft.Books(tape.instruments),
        "Capacity": hft.Capacity(instruments=1),
        "Cell": hft.Cell(arena["cell"]),
        "Consolidated": hft.Consolidated({"XNAS": hft.Books(tape.instruments).of("AAA")}),
        "Fees": Fees(maker="-0.2bp"),
        "Histogram": hft.Histogram(),
        "Impact": hft.Impact(),
        "Latency": hft.Latency("250us", cancel="300us"),
        "Layout": arena.layout,
        "Ledger": result.ledger(),
        "Limits": limits,
        "Result": result,
        "RiskWatch": hft.RiskWatch(RETURNS),
        "Ring": hft.Ring(arena["ring"]),
        "Tape": tape,
        "Tca": result.tca(),
        "Unit": hft.Unit("0.01"),
        "Venue": hft.Venue(),
        "VolumeCurve": curve,
    }
    answered = {
        "strategy": Maker,
        "a strategy with its values": Maker(edge_ticks=2),
        "param": hft.param(1, low=0, high=3),
        "state": hft.state(size=3),
        "halt": hft.halt("firm", at="09:32", who="ann", why="odd fills"),
        "portfolio_risk": hft.portfolio_risk({"AAA": 1e6}, RETURNS),
        "synthetic": hft.synthetic(symbols=1, seconds=1, seed=1),
        "store": store,
        "added to it": added,
        "check_lookahead": hft.check_lookahead(Maker, tape, cuts=1),
        "book_at": tape.book_at("09:30", "AAA"),
        "best_bid": tape.book_at(None, "AAA").best_bid,
        "instruments": tape.instruments,
        "instrument": tape.instruments[0],
        "summary": tape.summary(),
        "stats": result.stats,
        "comparison": result.compare(result),
        "latency_map": hft.latency_map(result),
        "journey": hft.journey(result, 1),
        "book_replay": hft.book_replay(tape, "AAA"),
    }
    return named | answered


def test_every_public_class_has_a_page(things, page):
    classes = {
        name
        for name in hft._PLACES
        if inspect.isclass(getattr(hft, name)) and not issubclass(getattr(hft, name), Exception)
    }
    blocks = {name for name in classes if getattr(getattr(hft, name), "_plan", None) is not None}
    missing = classes - blocks - {*things}
    assert not missing, f"give tests/lab/test_formatters.py one of each: {missing}"
    for name in sorted(blocks):
        assert page(getattr(hft, name)), name


def test_each_page_is_there_and_brings_no_ground_of_its_own(things, page):
    for name, thing in things.items():
        if thing is None:
            continue
        told = page(thing)
        assert "<" in told, f"{name}, a {type(thing).__name__}, has no page"
        plain = re.sub(r"<script.*?</script>", "", told, flags=re.DOTALL)
        fixed = re.findall(r"(?:background|color):\s*(?:#fff|#000|white|black)\b", plain)
        assert not fixed, f"{name}: {fixed}"


def test_what_names_say_cannot_be_markup(page):
    made = hft.halt("firm", at="09:32", who="<script>x</script>", why="odd & <b>fills</b>")
    assert "<script>" not in page(made) and "<b>" not in page(made)


def test_every_class_that_is_named_is_there():
    from importlib import import_module

    for module, name in formatters.PAGES:
        assert hasattr(import_module(f"hftlib.{module}"), name), f"{module}.{name}"


def test_a_formatter_taken_back_is_gone():
    made = DisplayFormatter()
    shell = SimpleNamespace(display_formatter=made)
    formatters.register(shell)
    assert made.format(hft.Unit("0.01"))[0].get("text/html")
    formatters.unregister(shell)
    assert "text/html" not in made.format(hft.Unit("0.02"))[0]
