"""The event: a cache line, and codes that come back as the letters they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import events


def test_an_event_is_one_cache_line():
    assert events.EVENT.itemsize == events.EVENT_BYTES == 64


def test_every_kind_has_its_name():
    named = {name: getattr(events, name) for name in events.KINDS if name}
    assert list(named.values()) == list(range(1, len(events.KINDS)))
    assert events.SIDES[events.BUY] == "buy" and events.SIDES[events.SELL] == "sell"
    assert len(events.KINDS) - 1 == events.UNREADABLE
    assert len(events.REASONS) - 1 == events.WRONG_TIME


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8))
def test_a_code_is_its_letters(text):
    assert events.letters(events.code(text)) == text


@pytest.mark.parametrize(("number", "shown"), [(0, "\0"), (0xFF41, "?A")])
def test_bytes_that_are_no_text_show_as_question_marks(number, shown):
    assert events.letters(number) == shown
