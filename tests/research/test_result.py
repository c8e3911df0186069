"""A result: words and floats at its edge, a digest, a folder, pictures, a line, a comparison."""

import json
import subprocess
import sys

import numpy as np
import pytest
from result_ledger import ABOUT, MS, T0, Ledger, S, market, random_ledger, round_trip

import hftlib as hft
from hftlib.book.reading import NO_PRICE
from hftlib.core import orders as o
from hftlib.core.errors import HftError
from hftlib.core.events import BUY, SELL
from hftlib.core.instruments import INSTRUMENT
from hftlib.engine.log import EQUITY
from hftlib.research.result import Result


def empty(**more) -> Result:
    return Ledger(market()).result(**more)


def test_fills_are_floats_words_and_times_of_the_zone():
    fills = round_trip().result().fills
    assert fills["price"].tolist() == [100.00, 100.00, 100.05]
    assert fills["quantity"].tolist() == [60, 40, 100]
    assert fills["side"].tolist() == ["buy", "buy", "sell"]
    assert fills["role"].tolist() == ["maker", "maker", "taker"]
    assert fills["fee"].tolist() == [-0.12, -0.08, 0.30]
    assert fills["position"].tolist() == [60, 100, 0]
    assert fills["cash"].tolist() == [-6_000, -10_000, 5]
    assert fills["mid"].tolist() == [100.01, 100.01, 100.06]
    assert fills["mid_10s"].fillna(-1).tolist() == [-1, 100.05, -1]
    assert fills["symbol"].tolist() == ["AAPL"] * 3
    assert str(fills["time"].iloc[0]) == "2019-12-30 09:30:01-05:00"
    assert fills.index.tolist() == [1, 2, 3]


def test_orders_say_how_they_ended():
    ledger = round_trip()
    ended = {"state": o.WAS_CANCELED, "reason": o.NOTHING_THERE}
    ledger.order(BUY, 7, 0, 6 * S, kind=o.MARKET, accepted=0, **ended)
    orders = ledger.result().orders
    assert orders["state"].tolist() == ["filled", "filled", "canceled"]
    assert orders["reason"].tolist() == ["", "", "there was nothing to trade with"]
    assert orders["kind"].tolist() == ["limit", "limit", "market"]
    assert orders["lasts"].tolist() == ["day", "ioc", "day"]
    assert orders["average"].fillna(0).tolist() == [100.0, 100.05, 0]
    assert orders["price"].isna().tolist() == [False, False, True]
    assert orders["price"].tolist()[:2] == [100.0, 100.05]
    assert orders["fees"].tolist() == [-0.2, 0.3, 0]
    assert orders["accepted"].isna().tolist() == [False, False, True]
    assert orders["done"].isna().all()


def test_equity_holds_at_the_last_known_middle():
    ledger = round_trip()
    ledger.samples[1]["twice_mid"] = NO_PRICE
    equity = ledger.result().equity
    assert equity["mid"].fillna(0).tolist() == [100.01, 0, 100.06]
    # 100 shares bought at 100.00 and still worth 100.01 each.
    assert equity["pnl_gross"].tolist() == pytest.approx([0, 1.0, 5])
    assert equity["pnl_net"].tolist() == pytest.approx([0, 1.2, 4.9])
    assert equity["volume"].tolist() == [1_000, 1_500, 2_000]


def test_positions_say_what_was_bought_sold_and_is_held():
    ledger = round_trip()
    order = ledger.order(BUY, 10, 10_010, 11 * S)
    ledger.fill(order, 10, 10_010, 12 * S, fee=5)
    ledger.sample(13 * S, 20_000)
    one = ledger.result().positions.loc["AAPL"]
    assert (one["bought"], one["sold"], one["position"]) == (110, 100, 10)
    assert one["average_sold"] == 100.05
    assert one["average_bought"] == pytest.approx((100 * 100 + 10 * 100.10) / 110)
    assert one["cash"] == 5 - 1_001
    assert one["pnl_gross"] == pytest.approx(5 - 1_001 + 10 * 100.0)
    assert one["pnl_net"] == pytest.approx(5 - 1_001 + 10 * 100.0 - 0.15)


def test_a_contract_is_worth_its_multiplier():
    instruments = market("ES")
    instruments.table["multiplier"] = 50 * 10**6
    ledger = Ledger(instruments)
    order = ledger.order(BUY, 2, 10_000, MS)
    ledger.fill(order, 2, 10_000, S, fee=1)
    ledger.sample(2 * S, 20_050)
    result = ledger.result()
    # Two contracts, a quarter of a point, 50 USD a point; a money unit is half a dollar.
    assert result.stats["pnl_gross"] == pytest.approx(2 * 0.25 * 50)
    assert result.stats["fees"] == 0.5
    assert result.stats["turnover"] == 2 * 100 * 50
    assert result.equity["pnl_net"].iloc[-1] == pytest.approx(24.5)


def test_one_symbol_at_two_venues_has_two_names():
    instruments = market("AAPL")
    instruments.add("AAPL", venue="BATS", price_unit="0.01")
    ledger = Ledger(instruments)
    for row in (0, 1):
        order = ledger.order(BUY, 1, 10_000, row * S, instrument=row)
        ledger.fill(order, 1, 10_000, row * S + MS)
    result = ledger.result()
    assert result.fills["symbol"].tolist() == ["AAPL@XNAS", "AAPL@BATS"]
    assert list(result.stats.instruments) == ["AAPL@XNAS", "AAPL@BATS"]


def test_nothing_happened():
    result = empty()
    assert result.ok and result.check() == []
    assert (len(result.orders), len(result.fills), len(result.equity)) == (0, 0, 0)
    assert len(result.positions) == 0
    assert result.stats.to_dict()["totals"] == {}
    assert "0 orders, 0 fills" in repr(result)
    assert "AAPL" not in result._repr_html_()
    with pytest.raises(HftError, match="nothing to add up"):
        result.stats["pnl_net"]
    with pytest.raises(HftError, match="nothing to draw"):
        result.plot()


def test_a_strategy_that_never_trades_has_a_flat_curve():
    ledger = Ledger(market())
    for second in range(5):
        ledger.sample(second * S, 20_000 + second)
    result = ledger.result()
    assert result.stats["pnl_net"] == 0 and result.stats["fills"] == 0
    assert np.isnan(result.stats["sharpe"]) and np.isnan(result.stats["fill_rate"])
    assert result.stats["time_flat"] == 1
    assert "<svg" in result._repr_html_()


def test_stopping_early_is_in_red():
    result = round_trip().result(ended="on_book divided by zero at 09:30:07 <script>")
    assert not result.ok
    page = result._repr_html_()
    assert "Stopped before the end." in page and "divided by zero" in page
    assert "<script>" not in page
    assert "stopped early" in repr(result)
    assert "Stopped" not in round_trip().result()._repr_html_()


def test_books_that_do_not_balance_are_in_red():
    ledger = round_trip()
    ledger.fills[1]["cash"] += 1
    assert "The books do not balance." in ledger.result()._repr_html_()


def test_a_line():
    result = round_trip().result(about={**ABOUT, "seconds": 0.25})
    line = "<Result of Maker: 2 orders, 3 fills, 4.90 USD after fees, 250 ms>"
    assert repr(result) == line


def test_the_page_has_the_figures_the_refusals_and_the_run():
    about = {**ABOUT, "parameters": {"edge_ticks": 2}, "begin": T0, "events": 1_234_567}
    page = (
        round_trip()
        .result(
            about=about,
            refused={"the book is stale": 3},
            rejected={"trading is halted": 4},
            counts={"commands": 5, "callbacks": {"on_book": 4_321}, "note": "none"},
        )
        ._repr_html_()
    )
    for text in (
        "4.90 USD",
        "Maker on day.tape",
        "edge_ticks = 2",
        "1,234,567",
        "the book is stale",
    ):
        assert text in page
    assert "orders that never left us" in page and "trading is halted" in page
    assert "2019-12-30 09:30:00" in page
    assert "callbacks: on_book" in page and "4,321" in page
    assert page.count("<svg") == 1 and page.count("<div") == page.count("</div>")


def test_the_digest_is_of_what_happened():
    first, second = round_trip(), round_trip()
    assert first.result().digest == second.result(about={"strategy": "Other"}).digest
    for rows, field in (("orders", "done"), ("fills", "fee"), ("samples", "volume")):
        other = round_trip()
        other.__dict__[rows][0][field] = 1
        assert other.result().digest != first.result().digest
    # Where in memory its neighbours lay is nothing that happened.
    first.orders[0]["next"] = 77
    assert first.result().digest == second.result().digest


def test_a_saved_result_comes_back(tmp_path):
    ledger = random_ledger(5)
    about = {**ABOUT, "parameters": {"clip": np.int64(100), "edge": 0.5}, "seed": 7}
    result = ledger.result(about=about, ended="it stopped", refused={"the book is stale": 2})
    result.save(tmp_path / "run")
    other = Result.load(tmp_path / "run")
    assert other.digest == result.digest
    assert other.about == {**about, "parameters": {"clip": 100, "edge": 0.5}}
    assert (other.ended, other.refused, other.horizons) == (
        "it stopped",
        result.refused,
        result.horizons,
    )
    assert json.dumps(other.stats.to_dict()) == json.dumps(result.stats.to_dict())
    assert other.fills.equals(result.fills) and other.orders.equals(result.orders)
    assert other.instruments.table.tobytes() == result.instruments.table.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    with pytest.raises(HftError, match="is there already"):
        round_trip().result().save(tmp_path)


def test_a_damaged_folder_is_refused(tmp_path):
    with pytest.raises(HftError, match="no result"):
        Result.load(tmp_path)
    for name, spoil in (
        ("fills.npy", _flipped),
        ("fills.npy", lambda data: data[:40]),
        ("instruments.npy", lambda data: b""),
        ("result.json", lambda data: data[:-9]),
        ("result.json", lambda data: b"[]"),
        ("result.json", lambda data: data.replace(b'"ended"', b'"begun"')),
        ("result.json", lambda data: data.replace(b"10000000,", b'"soon",')),
    ):
        folder = round_trip().result().save(tmp_path / f"{name}{len(list(tmp_path.iterdir()))}")
        (folder / name).write_bytes(spoil((folder / name).read_bytes()))
        with pytest.raises(HftError, match="cannot be loaded"):
            Result.load(folder)
    folder = round_trip().result().save(tmp_path / "other")
    np.save(folder / "orders.npy", np.zeros(3, INSTRUMENT))
    with pytest.raises(HftError, match="other records"):
        Result.load(folder)


def _flipped(data: bytes) -> bytes:
    """The price of the last fill is another."""
    place = len(data) - o.FILL_BYTES + o.FILL.fields["price"][1]
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_comparing_shows_what_differs():
    ledger = round_trip()
    ledger.fills[2]["fee"] = 50
    ledger.orders[1]["fees"] = 50
    ledger.samples[2]["fees"] = 30
    one = round_trip().result(about={**ABOUT, "parameters": {"clip": 100}})
    two = ledger.result(about={**ABOUT, "parameters": {"clip": 200}})
    compared = one.compare(two)
    assert compared.differences == {"parameters: clip": (100, 200)}
    assert compared.to_dict()["AAPL"]["pnl_net"] == pytest.approx((4.9, 4.7))
    rows = {row[0]: row[1:] for row in compared.sheets()[1].rows}
    assert rows["P&L after fees"] == ("4.90 USD", "4.70 USD", "-0.20 USD")
    assert rows["fees"] == ("0.10 USD", "0.30 USD", "0.20 USD") and rows["fills"][-1] == ""
    assert "-0.20 USD" in str(compared) and "<table>" in compared._repr_html_()
    assert one.compare(one).same and "The same orders" in str(one.compare(one))
    assert not compared.same


def test_several_are_compared_at_once():
    results = [
        round_trip().result(about={**ABOUT, "parameters": {"clip": clip}, "seconds": clip / 10})
        for clip in (100, 200, 300)
    ]
    compared = results[0].compare(*results[1:])
    assert compared.same and compared.names == ("this", "other 1", "other 2")
    assert compared.differences == {"parameters: clip": (100, 200, 300)}
    assert compared.to_dict()["AAPL"]["pnl_net"] == pytest.approx((4.9, 4.9, 4.9))
    rows = {row[0]: row[1:] for row in compared.sheets()[1].rows}
    assert rows["fees"] == ("0.10 USD",) * 3 and "other 2" in str(compared)
    ledger = Ledger(market("AAPL", "MSFT"))
    ledger.fill(ledger.order(BUY, 1, 100, 0, instrument=1), 1, 100, S)
    text = str(results[0].compare(results[1], ledger.result()))
    assert "Not in all, but in this: AAPL" in text and "Not in all, but in other 2: MSFT" in text


def test_how_long_it_took_and_digests_are_no_difference():
    one = round_trip().result(about={**ABOUT, "seconds": 1.0, "strategy_digest": "a"})
    two = round_trip().result(about={**ABOUT, "seconds": 2.0, "strategy_digest": "b"})
    assert one.compare(two).differences == {}


@pytest.mark.parametrize("others", [(3,), (None,), (), ("folder",)])
def test_only_results_can_be_compared_with(others):
    with pytest.raises(HftError, match=r"no result|nothing to compare"):
        round_trip().result().compare(*others)


def test_the_page_warns_of_instruments_that_there_are_not():
    assert "Look at this first" not in round_trip().result()._repr_html_()
    page = round_trip().result(counts={"wrong instruments": 1_234})._repr_html_()
    assert "Look at this first" in page and "1,234 times" in page and "from 0 to 0" in page


def test_comparing_names_what_only_one_of_them_traded():
    ledger = Ledger(market("AAPL", "MSFT"))
    ledger.fill(ledger.order(BUY, 1, 100, 0, instrument=1), 1, 100, S)
    text = str(round_trip().result().compare(ledger.result()))
    assert "Only in this: AAPL" in text and "Only in other: MSFT" in text


@pytest.mark.parametrize("what", ["all", "price", "inventory", "equity", "latency", "markouts"])
def test_each_picture_can_be_drawn_and_stored(what):
    figure = random_ledger(3).result().plot(what, currency="USD")
    assert len(figure.data) >= 1
    assert json.loads(figure.to_json())["data"]


def test_pictures_show_the_fills():
    figure = round_trip().result().plot("price", instrument="AAPL")
    assert list(figure.data[1].y) == [100.0, 100.0] and list(figure.data[2].y) == [100.05]
    latency = round_trip().result().plot("latency")
    assert sum(latency.data[0].y) == 2
    markouts = round_trip().result().plot("markouts")
    # Made at 100.00 with the middle at 100.01: one basis point; 10 s later 100.05 of one of two.
    assert list(markouts.data[0].y) == pytest.approx([1, 1, 1.2, 5])


def test_a_picture_of_a_result_without_fills():
    ledger = Ledger(market())
    ledger.sample(0, NO_PRICE)
    assert len(ledger.result().plot().layout.annotations) == 5


def test_what_is_not_there_is_refused_with_what_is():
    result = round_trip().result()
    with pytest.raises(HftError, match="no picture 'candles'"):
        result.plot("candles")
    with pytest.raises(HftError, match="'MSFT' was not traded"):
        result.plot(instrument="MSFT")
    with pytest.raises(HftError, match="Nothing trades in 'EUR'"):
        result.plot(currency="EUR")
    with pytest.raises(HftError, match="time zone"):
        round_trip().result(about={"zone": "Mars"})
    with pytest.raises(HftError, match="fills of a result"):
        Result(market(), result.records["orders"], np.zeros(3), np.zeros(0, EQUITY))
    ledger = round_trip()
    ledger.samples[2]["instrument"] = 7
    with pytest.raises(HftError, match="equity name instrument 7, and there are 1"):
        ledger.result()
    with pytest.raises(HftError, match="no step"):
        result.statistics(step="-1s")
    with pytest.raises(HftError, match="hours"):
        result.statistics(hours_a_year=0)


def test_nobody_writes_through_a_result():
    result = round_trip().result()
    with pytest.raises(ValueError, match="read-only"):
        result.records["fills"]["price"][0] = 1


def test_a_sold_short_position_is_below_zero():
    ledger = Ledger(market())
    ledger.fill(ledger.order(SELL, 5, 10_000, 0), 5, 10_000, S)
    ledger.sample(2 * S, 19_980)
    result = ledger.result()
    assert result.positions.loc["AAPL", "position"] == -5
    assert result.stats["pnl_net"] == pytest.approx(5 * 0.10)
    assert result.stats["time_short"] > 0 and result.stats["time_long"] == 0


def test_a_result_is_at_hand_and_loads_no_research_package():
    assert hft.Result is Result
    program = (
        "import hftlib, sys; hftlib.Result\n"
        "assert not {'pandas', 'plotly', 'vectorbt'} & set(sys.modules), sorted(sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
