"""The ladder as text stays in its columns; as HTML it is well formed and shows only text."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest

from hftlib.book.ladder_picture import COLUMNS_MAX, LadderPicture, Rung

ASKS = (Rung(("289.49", "400", "2"), 0.25), Rung(("289.50", "1,600", "15"), 1.0))
BIDS = (Rung(("289.47", "900", ""), 0.5625),)
HEADS = ("price USD", "shares", "orders")


def picture(**changes) -> LadderPicture:
    given = {
        "title": "AAPL · XNAS",
        "facts": (("2019-12-30 10:00:00-05:00", "sequence 7"),),
        "warnings": (),
        "heads": HEADS,
        "asks": ASKS,
        "bids": BIDS,
        "middle": "spread 0.02",
    }
    return LadderPicture(**given | changes)


class Strict(HTMLParser):
    """Every tag is closed in order; keeps the text, the tags and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.values: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.append(tag)
        self.values += [value or "" for _, value in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_text_is_exactly_this():
    assert str(picture(more_asks=3, more_bids=1, warnings=("Stale: a gap.",))) == (
        "AAPL · XNAS\n"
        "2019-12-30 10:00:00-05:00 · sequence 7\n"
        "! Stale: a gap.\n"
        "\n"
        " side  price USD  shares  orders\n"
        "       … 3 more levels\n"
        "  ask     289.50   1,600      15  ████████████████████████\n"
        "  ask     289.49     400       2  ██████\n"
        "       spread 0.02\n"
        "  bid     289.47     900          ██████████████\n"
        "       … 1 more level"
    )


def test_empty_sides_are_words():
    text = str(picture(asks=(), bids=(), middle="nothing here"))
    assert text.splitlines()[-3:] == ["       no asks", "       nothing here", "       no bids"]


def test_no_line_is_wider_than_a_terminal():
    wide = tuple(f"{n:019,}" for n in (10**14, 10**13, 10**4))
    many = picture(
        title="X" * 24,
        facts=(("a" * 50, "b" * 50, "c" * 20),),
        heads=(*HEADS, *(f"VENUE{n}" for n in range(16))),
        asks=(Rung((*wide, *("1,234,567",) * 16), 1.0),),
        bids=(),
    )
    lines = str(many).splitlines()
    assert max(map(len, lines)) <= COLUMNS_MAX
    assert "not shown for want of width: VENUE1 · VENUE2" in str(many) and "VENUE15" in str(many)
    assert all(unicodedata.east_asian_width(letter) not in "WF" for letter in str(many))


@pytest.mark.parametrize("venues", range(17))
def test_a_column_is_shown_or_named(venues):
    names = tuple(f"VENUE{n:02}" for n in range(venues))
    rungs = (Rung(("289.47", "900", "4", *("100",) * venues), 1.0),)
    text = str(picture(heads=(*HEADS, *names), asks=rungs, bids=rungs))
    assert all(text.count(name) == 1 for name in names)
    assert max(map(len, text.splitlines())) <= COLUMNS_MAX


def test_html_is_well_formed_and_has_all_there_is():
    names = tuple(f"VENUE{n}" for n in range(16))
    rungs = (Rung(("289.47", "900", "4", *(str(n) for n in range(16))), 1.0),)
    shown = Strict(
        picture(heads=(*HEADS, *names), asks=rungs, bids=rungs, more_bids=4)._repr_html_()
    )
    assert set(names) <= set(shown.words) and "… 4 more levels" in shown.words
    assert shown.tags.count("td") == 2 * 20 + 2 and shown.tags.count("th") == 20


def test_html_hides_nothing_that_text_shows():
    one = picture(warnings=("Stale: a gap.",))
    words = " ".join(Strict(one._repr_html_()).words)
    for word in ("AAPL · XNAS", "sequence 7", "Stale: a gap.", "289.50", "1,600", "spread 0.02"):
        assert word in words and word in str(one)


def test_the_style_is_carried_along_and_suits_any_page():
    shown = Strict(picture()._repr_html_())
    assert "style" not in shown.tags and "script" not in shown.tags
    styles = " ".join(shown.values)
    # Letters keep the page's colour; tints let its background through.
    assert "color:" not in styles.replace("background-color:", "") and "url(" not in styles
    assert "rgba(214,69,65,.32) 100.0%" in styles and "rgba(38,150,90,.32) 56.2%" in styles


def test_what_comes_from_files_is_only_ever_text():
    evil = "<script>alert('1')</script>\x1b[2J\n&\"x"
    one = picture(
        title=evil,
        facts=((evil,),),
        warnings=(evil,),
        heads=(evil, *HEADS[1:]),
        asks=(Rung((evil, evil, evil), 7.0),),
        middle=evil,
    )
    shown = Strict(one._repr_html_())
    assert set(shown.tags) == {"div", "b", "table", "thead", "tr", "th", "tbody", "td"}
    assert "<script>alert('1')</script>?[2J?&\"x" in shown.words
    assert "\x1b" not in str(one) and "\x1b" not in one._repr_html_()
    assert len(str(one).splitlines()) == 8
