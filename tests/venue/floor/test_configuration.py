"""A configuration says what is wrong with it in a sentence; the one of the page is sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hftlib.core.errors import InputError
from hftlib.venue.floor.configuration import price_units, read
from hftlib.venue.floor.demo import demo

PAGE = Path(__file__).parents[3] / "docs" / "exchange.md"
(GOOD,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_file_of_the_page_is_read_with_all_that_it_says(tmp_path):
    file = tmp_path / "exchange.toml"
    file.write_text(GOOD)
    found = read(file)
    assert [one.name for one in found.symbols] == ["AAA"] and found.symbols[0].bands_bps == 500
    assert found.exchange.state == "auction" and found.firms[0].self_match == "cancel oldest"
    assert [one.hears for one in found.accounts] == ["orders", "drop copy", "orders"]
    assert [one.purges for one in found.accounts] == [False, False, True]
    assert [one.do for one in found.schedule] == ["opening cross", "halt"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "AAA"', 'nam = "AAA"', "There is no 'nam' here.*at symbols.0.nam.*mean 'name'"),
        ("order_entry_port = 0", "order_entry_port = 70_000", "70000 cannot be"),
        ("order_entry_port = 0", 'order_entry_port = "0"', "'0' cannot be"),
        ('tick_money = "0.01"', "tick_money = 0.01", "0.01 cannot be.*string"),
        ('tick_money = "0.01"', 'tick_money = "0.03"', "no price with a tick of 0.03"),
        ('user = "frm1d"', 'user = "frm1a"', "'frm1a' is there twice"),
        ('hears = "drop copy"', 'hears = "drop copy"\npurges = true', "it cannot purge"),
        ('hears = "drop copy"', 'hears = "all"', "'all' cannot be"),
        ('firm = "FRM1"\ncancel', 'firm = "FRM2"\ncancel', "There is no firm 'FRM2'"),
        ('password = "secret"', 'password = "much too long"', "that cannot be"),
        ("after_seconds = 60", 'after_seconds = 60\nat = "09:31"', "It needs one time"),
        ('symbols = ["AAA"]', 'symbols = ["BBB"]', "There is no symbol 'BBB'"),
        ('do = "halt" ', 'do = "stop" ', "'stop' cannot be"),
        ("[market]", "[market", "This is no TOML"),
        ('session = "HFTX"', 'session = "A\\u00e4"', "cannot be"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, sentence):
    file = tmp_path / "exchange.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        read(file)
    assert re.search(sentence, str(refused.value)), str(refused.value)
    assert "exchange.toml" in str(refused.value) and "much too long" not in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(InputError, match="cannot be read"):
            read(path)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(InputError, match="too large"):
        read(large)


def test_money_is_read_exactly():
    assert [price_units(text) for text in ("0.0001", "1", "12.5", "199999.99")] == [
        1,
        10_000,
        125_000,
        1_999_999_900,
    ]


def test_the_demo_is_sound():
    assert len(demo().symbols) == 4 and demo(seed=3).market.seed == 3
