"""Limits in files: the same as in a notebook, or a sentence on what is wrong and where."""

import pytest

from hftlib.core.errors import InputError
from hftlib.risk.controls import NAMES, WINDOW_NAMES
from hftlib.risk.explaining import explained, unlimited
from hftlib.risk.limits import CHOICES, Limits
from hftlib.risk.limits_file import BYTES_MAX, known_names, read_limits

GOOD = """
currency = "USD"

[rates]
EUR = 1.25

[instrument."*"]
position_lots = 1_000
order_value_money = 100_000.5

[instrument.AAPL]
position_lots = 500

[strategy.QueueImbalance]
daily_loss_money = 5_000
halt_at_percent = 200

[portfolio.equities]
strategies = ["QueueImbalance"]
gross_exposure_money = 2_000_000

[firm]
messages = 1_000
messages_window_ms = 500

[rules]
restricted = ["MSFT"]
self_match = "cancel_newest"
bands_percent = 5
static_price = { AAPL = 200.5 }
bands_double_open_minutes = 10

[launch]
instruments = ["AAPL"]
price_high = 500.0
"""


def written(tmp_path, text):
    path = tmp_path / "limits.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_and_a_notebook_say_the_same(tmp_path):
    found = read_limits(written(tmp_path, GOOD))
    same = Limits(
        position_lots=1_000,
        order_value_money=100_000.5,
        instrument={"AAPL": {"position_lots": 500}},
        strategy={"QueueImbalance": {"daily_loss_money": 5_000, "halt_at_percent": 200}},
        portfolio={
            "equities": {"strategies": ["QueueImbalance"], "gross_exposure_money": 2_000_000}
        },
        firm={"messages": 1_000, "messages_window_ms": 500},
        rules={
            "restricted": ["MSFT"], "self_match": "cancel_newest", "bands_percent": 5,
            "static_price": {"AAPL": 200.5}, "bands_double_open_minutes": 10,
        },
        launch={"instruments": ["AAPL"], "price_high": 500.0},
        currency="USD",
        rates={"EUR": 1.25},
    )  # fmt: skip
    for name in ("instrument", "strategy", "portfolio", "members", "firm", "rules", "launch"):
        assert getattr(found, name) == getattr(same, name), name
    assert (found.currency, found.rates) == (same.currency, same.rates)
    assert found.shared and not same.shared
    found.require_symbols(["IBM"])
    found.require_strategies(["Another"])
    with pytest.raises(InputError):
        same.require_symbols(["IBM"])


def test_an_empty_file_limits_as_little_as_no_limits(tmp_path):
    assert read_limits(written(tmp_path, "")).text == Limits().text


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("[firm]\nmesages = 5", "no limit or table 'mesages'", "firm.mesages"),
        ("[frim]\nmessages = 5", "no limit or table 'frim'", "frim"),
        ("[firm]\nmessages = -1", "-1 cannot be", "firm.messages"),
        ("[firm]\nmessages = 1.5", "1.5 cannot be", "firm.messages"),
        ("[firm]\nmessages = true", "True cannot be", "firm.messages"),
        ("[firm]\nmessages = 2_000_000", "cannot be", "firm.messages"),
        ('[firm]\nmessages = "5"', "'5' cannot be", "firm.messages"),
        ("[firm]\nmessages_window_ms = 0", "0 cannot be", "firm.messages_window_ms"),
        ("[firm]\ndaily_loss_money = inf", "inf cannot be", "firm.daily_loss_money"),
        ("[firm]\ndaily_loss_money = nan", "nan cannot be", "firm.daily_loss_money"),
        ('[rules]\nself_match = "no"', "'no' cannot be", "rules.self_match"),
        ("[rules]\nrestricted = [5]", "5 cannot be", "rules.restricted.0"),
        ("[rules]\nbands_percent = 0", "0 cannot be", "rules.bands_percent"),
        ("[rules]\nbands_percent = inf", "inf cannot be", "rules.bands_percent"),
        ("[rates]\nEUR = 0", "0 cannot be", "rates.EUR"),
        ("[rates]\nEUR = inf", "inf cannot be", "rates.EUR"),
        ("[launch]\nprice_high = -1", "-1 cannot be", "launch.price_high"),
        ("currency = 5", "5 cannot be", "currency"),
        ("[portfolio.a]\nstrategies = 5", "5 cannot be", "portfolio.a.strategies"),
        ("firm = 5", "5 cannot be", "firm"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, text, what, where):
    with pytest.raises(InputError) as caught:
        read_limits(written(tmp_path, text))
    assert what in str(caught.value)
    assert f"limits.toml, at {where}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[firm]\nmessages = 5\nmessages = 6", "This is no TOML"),
        ("[firm", "This is no TOML"),
        (b"\xff\xfe", "it is no UTF-8 text"),
        (b"#" * (BYTES_MAX + 1), "too large"),
    ],
)
def test_what_is_no_such_file(tmp_path, text, what):
    with pytest.raises(InputError, match=what):
        read_limits(written(tmp_path, text))
    with pytest.raises(InputError, match="cannot be read"):
        read_limits(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_limits(tmp_path)


def test_a_likely_name_is_offered_and_the_rest_counted(tmp_path):
    with pytest.raises(InputError) as caught:
        read_limits(written(tmp_path, "[firm]\nmesages = 5\n[strategy.a]\nnew_order = 6"))
    assert "Did you mean" in str(caught.value) and "1 more of the kind" in str(caught.value)


def test_one_strategy_in_two_portfolios_is_refused_in_a_file_too(tmp_path):
    text = '[portfolio.a]\nstrategies = ["one"]\n[portfolio.b]\nstrategies = ["one"]'
    with pytest.raises(InputError, match="More than one portfolio"):
        read_limits(written(tmp_path, text))


def test_every_name_may_stand_in_a_file(tmp_path):
    given = dict.fromkeys((*NAMES, *WINDOW_NAMES), 1)
    lines = "\n".join(f"{name} = {value}" for name, value in given.items())
    for head in ('[instrument."*"]', "[strategy.one]", "[portfolio.a]", "[firm]"):
        assert len(read_limits(written(tmp_path, f"{head}\n{lines}")).scopes()) >= 1
    assert set(given) <= set(known_names())


def test_limits_in_words(tmp_path):
    found = read_limits(written(tmp_path, GOOD))
    said = {(one.scope, one.limit): one for one in explained(found)}
    assert said["every instrument", "position_lots"].value == "1,000 lots"
    assert said["instrument AAPL", "position_lots"].value == "500 lots"
    assert said["every instrument", "order_value_money"].value == "100,000.50 USD"
    loss = said["strategy QueueImbalance", "daily_loss_money"]
    assert loss.says.endswith("else REDUCING, and HALTED beyond 200 % of it")
    assert said["firm", "messages"].says.endswith('"too many messages in this span of time"')
    assert said["firm", "messages_window_ms"].value == "500 ms"
    assert said["rules", "self_match"].value == "cancel_newest"
    assert said["rules", "restricted"].value == "MSFT"
    assert said["launch", "price_high"].value == "500.0"
    gaps = unlimited(found)
    assert "messages" not in gaps and "drawdown_money" in gaps
    assert set(gaps) | {limit for scope, limit in said if limit in NAMES} == set(NAMES)


def test_every_control_and_choice_has_words():
    for name in NAMES:
        for one in explained(Limits(firm={name: 1})):
            assert one.value and one.says, one
    for name, choices in CHOICES.items():
        for choice in choices:
            said = explained(Limits(rules={name: choice}))
            assert [one.value for one in said if one.limit == name] == [choice]
