"""What a command line says of exchanges: names, files, accounts and fees, or a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hftlib.core.errors import InputError
from hftlib.engine.live.making import fees_text, instruments_of
from hftlib.ops.beginning import Given, new
from hftlib.ops.exchanges import Exchanges, passwords
from hftlib.ops.launching import described, described_at, laid
from hftlib.ops.modes import Mode, mode_text
from hftlib.risk.people import scope_row

SAID = {
    "simulator": True,
    "session": "HFTX",
    "order_entry": ["127.0.0.1", 1001],
    "drop_copy": ["127.0.0.1", 1002],
    "recovery": ["127.0.0.1", 1003],
    "line_a": ["239.255.71.1", 1004],
    "line_b": ["239.255.71.2", 1005],
    "midnight_ns": 1_767_571_200_000_000_000,
    "ticks": {"AAA": 100, "BBB": 100},
}
HOST = "127.0.0.1"
OTHER = SAID | {"order_entry": [HOST, 2001], "drop_copy": [HOST, 2002], "recovery": [HOST, 2003]}
OTHER |= {"line_a": ["239.255.71.1", 2004], "line_b": ["239.255.71.2", 2005], "session": "OTHER"}
OTHER |= {"ticks": {"AAA": 500, "CCC": 100}}
BOTH = {"XNAS": SAID, "XBOS": OTHER}
USERS = {"XNAS": "frm1a", "XBOS": "frm2a"}
TWO = ["XNAS=a.json", "XBOS=b.json"]


def named(*given, known=()):
    return Exchanges(given, "hft live", known)


@pytest.fixture
def files(tmp_path):
    for name, said in (("a", SAID), ("b", OTHER)):
        (tmp_path / f"{name}.json").write_text(json.dumps(said) + "\n")
    return [f"{venue}={tmp_path}/{name}.json" for venue, name in (("XNAS", "a"), ("XBOS", "b"))]


def test_files_by_venue_in_the_order_in_which_they_are_given(files):
    both = named(*files)
    assert both.venues == ("XNAS", "XBOS") and both.told() == BOTH
    assert named(*reversed(files)).venues == ("XBOS", "XNAS")
    assert named(*reversed(files), known=["XNAS", "XBOS"]).venues == ("XNAS", "XBOS")
    assert named("exchange.json").venues == ("HFTX",)
    assert named("exchange.json", known=["XNAS"]).venues == ("XNAS",), "the day has its name"
    assert str(named("a=1/b.json").files["a"]) == "1/b.json"
    assert str(named("./a=1/b.json").files["HFTX"]) == "a=1/b.json", "a path may have the sign"


@pytest.mark.parametrize(
    ("given", "known", "words"),
    [
        (["XNAS=a.json", "XNAS=b.json"], (), "The venue XNAS is named twice"),
        (["XNAS="], (), "The venue XNAS is named without a file"),
        (["=a.json"], (), "'' is no name of a venue"),
        (["X NAS=a.json"], (), "'X NAS' is no name of a venue"),
        (["N" * 17 + "=a.json"], (), "is no name of a venue"),
        (["a.json", "b.json"], (), "'a.json' is one of several exchanges, and has no name"),
        (["XNAS=a.json", "b.json"], (), "'b.json' is one of several exchanges"),
        ([f"X{n}=a.json" for n in range(17)], (), "17 exchanges are given"),
        ([], (), "0 exchanges are given"),
        (["XNAS=a.json"], ("XNAS", "XBOS"), "given are XNAS, those of this day XNAS, XBOS"),
        (["a.json"], ("XNAS", "XBOS"), "has no name"),
        (["XBOS=a.json"], ("XNAS",), "given are XBOS, those of this day XNAS"),
    ],
)
def test_names_that_are_none_are_sentences(given, known, words):
    with pytest.raises(InputError) as told:
        named(*given, known=known)
    assert words in str(told.value) and "hft live --exchange" in str(told.value)


def test_the_same_address_twice_is_one_exchange(files, tmp_path):
    same = files[0].partition("=")[2]
    with pytest.raises(InputError, match=r"XBOS and XNAS are one exchange: both have \S+:100\d"):
        named(f"XNAS={same}", f"XBOS={same}").told()
    near = OTHER | {"line_b": SAID["line_b"]}
    (tmp_path / "b.json").write_text(json.dumps(near) + "\n")
    with pytest.raises(InputError, match=r"are one exchange: both have 239\.255\.71\.2:1005"):
        named(*files).told()
    with pytest.raises(InputError, match="This says of no exchange"):
        named(f"XNAS={tmp_path}/nobody.json").told()


def test_accounts_are_of_all_or_of_one():
    both = named(*TWO)
    usual = {"XNAS": "frm1a", "XBOS": "frm1a"}
    assert both.each([], "frm1a", "--user") == usual
    assert both.each(["frm9a"], "frm1a", "--user") == dict.fromkeys(usual, "frm9a")
    assert both.each(["XBOS=frm2a"], "frm1a", "--user") == usual | {"XBOS": "frm2a"}
    assert both.each(["frm3a", "XNAS="], "frm1a", "--user") == {"XNAS": "", "XBOS": "frm3a"}
    for given, words in (
        (["XLON=frm2a"], "There is no venue 'XLON' here"),
        (["a", "b"], "--user is given twice for all"),
        (["XBOS=a", "XBOS=b"], "--user is given twice for XBOS"),
    ):
        with pytest.raises(InputError, match=words):
            both.each(given, "frm1a", "--user")


def test_passwords_are_of_all_or_of_one(monkeypatch):
    monkeypatch.setenv("HFT_PASSWORD_X_1", "other")
    assert passwords(["XNAS", "x-1"], "secret", "HFT_PASSWORD") == {
        "XNAS": "secret",
        "x-1": "other",
    }


def test_fees_are_of_all_or_of_one():
    both = named(*TWO)
    told = both.fees(["XBOS=taker=2bp", "taker=1bp", "maker=-0.2bp"])
    assert told["XNAS"] == {"taker": "1bp", "maker": "-0.2bp"}
    assert told["XBOS"] == {"taker": "2bp", "maker": "-0.2bp"}, "its own goes before"
    for text, words in (("XLON=taker=1bp", "no venue"), ("XBOS=takr=1bp", "takr"), ("x", "no fee")):
        with pytest.raises(InputError, match=words):
            both.fees([text])
    about = described_at(["QueueImbalance"], BOTH, USERS, fees_at=told)
    assert fees_text(about) == "XNAS: taker 1bp, maker -0.2bp; XBOS: taker 2bp, maker -0.2bp"
    assert mode_text(about).startswith("paper; fees: XNAS: taker 1bp")
    same = described_at(["QueueImbalance"], BOTH, USERS, fees={"taker": "1bp"})
    assert "fees_at" not in same and fees_text(same) == "taker 1bp"
    free = described_at(["QueueImbalance"], BOTH, USERS, fees_at={"XBOS": {"taker": "1bp"}})
    assert fees_text(free) == "XNAS: none; XBOS: taker 1bp"
    rows = laid(about).session.arena["fees"]
    assert len({rows[n].tobytes() for n in range(4)}) == 2, "two rows of each venue"


def test_the_same_symbol_at_two_venues_is_two_instruments_each_with_its_feed_and_link():
    about = described_at(["QueueImbalance"], BOTH, USERS)
    table = instruments_of(about)
    assert table.names == ["AAA@XNAS", "BBB", "AAA@XBOS", "CCC"]
    assert [one.tick for one in table] == [100, 100, 500, 100]
    live = laid(about)
    for name in ("feed_of", "link_of"):
        begin = int(live.header[f"{name}_at"])
        assert live._memory[begin : begin + 32].view(np.int64).tolist() == [0, 0, 1, 1]
    assert [one["user"] for one in about["links"]] == ["frm1a", "frm2a"]
    assert [one["session"] for one in about["feeds"]] == ["HFTX", "OTHER"]
    risk = live.session.risk
    assert scope_row(risk, "instrument:AAA@XBOS") != scope_row(risk, "instrument:AAA@XNAS")
    with pytest.raises(InputError, match=r"no instrument 'AAA' here.*AAA@XNAS, BBB, AAA@XBOS"):
        scope_row(risk, "instrument:AAA")


@pytest.mark.parametrize(
    ("symbols", "names"),
    [
        (["AAA"], ["AAA@XNAS", "AAA@XBOS"]),
        (["CCC", "BBB"], ["BBB", "CCC"]),
        (["AAA@XBOS", "BBB"], ["BBB", "AAA"]),
    ],
)
def test_symbols_are_those_of_each_venue_that_lists_them(symbols, names):
    about = described_at(["QueueImbalance"], BOTH, USERS, symbols=symbols)
    assert instruments_of(about).names == names


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        (["AAA", "ZZZ"], "No exchange lists 'ZZZ'.*XNAS has AAA, BBB; XBOS has AAA, CCC"),
        (["AAA", "BBB@XBOS"], "XBOS does not list 'BBB'.*XBOS has AAA, CCC"),
        (["AAA", "AAA@XLON"], "There is no venue 'XLON' here.*XNAS, XBOS"),
        (["BBB"], "XBOS lists none of the symbols"),
        (["AAA", "AAA"], "AAA of XNAS is in the table already"),
    ],
)
def test_symbols_that_no_venue_has_are_sentences(symbols, words):
    with pytest.raises(InputError, match=words):
        described_at(["QueueImbalance"], BOTH, USERS, symbols=symbols)
    with pytest.raises(InputError, match=r"The exchange does not list 'ZZZ'.*HFTX has AAA, BBB"):
        described(["QueueImbalance"], SAID, user="frm1a", symbols=["ZZZ"])


def test_modes_of_several_exchanges():
    far = Given(["QueueImbalance"], [], None, "", USERS, "shadow", latency_at={"XBOS": 120.0})
    live, said, _after = new(far, None, print)(BOTH, {})
    assert said["shadow"]["order_ns"] == 50_000 and said["shadow_at"]["XBOS"]["order_ns"] == 120_000
    assert [one.report_ns for one in live.shadow.plans] == [50_000, 120_000]
    assert mode_text(said).startswith("shadow, 50 us (XNAS), 120 us (XBOS) to the models")
    same = described_at(["QueueImbalance"], BOTH, USERS, mode=Mode("shadow", latency_us=70.0))
    assert mode_text(same).startswith("shadow, 70 us to the models: nothing is sent")
    real = BOTH | {"XBOS": {**OTHER, "simulator": False}}
    with pytest.raises(InputError, match="The exchange XBOS does not say that it is a simulator"):
        described_at(["QueueImbalance"], real, USERS)
    canary = Given(["QueueImbalance"], [], None, "", USERS, "canary", share=0.5)
    prepared = new(canary, None, print)
    with pytest.raises(InputError, match="No limits are given for the mode canary"):
        prepared(real, {})  # one that is none is enough
    live, said, after = prepared(BOTH, {})
    assert (len(live.feeds), len(live.links), after) == (2, 2, 0)
    assert said["mode"] == Mode("canary", share=0.5).name
