"""A layout is its text: equal texts lie equally, and only what can be read back is laid out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.core.layout import (
    ALIGNMENT_BYTES,
    ARRAYS_MAX,
    HEADER_BYTES,
    PAGE_BYTES,
    TEXT_BYTES_MAX,
    TOTAL_BYTES_MAX,
    Layout,
)

ORDER = np.dtype([("id", "i8"), ("price", "i8"), ("side", "u1")], align=True)
PACKED = np.dtype([("id", "i8"), ("price", "i8"), ("side", "u1")])
KINDS = [np.dtype(kind) for kind in ("i8", ">i8", "u1", "f4", "S5", "V3", "b1")] + [ORDER, PACKED]

names = st.sampled_from(["orders", "books", "clock", "x", "_", "größe", "self", "class", "n" * 64])
arrays = st.lists(
    st.tuples(names, st.sampled_from(KINDS), st.integers(1, 300)),
    max_size=5,
    unique_by=lambda row: row[0],
)
Rows = list[tuple[str, np.dtype[Any], int]]


def laid_out(rows: Rows) -> Layout:
    return Layout(**{name: (kind, count) for name, kind, count in rows})


@given(arrays)
def test_the_same_arguments_give_the_same_text_digest_and_places(rows: Rows) -> None:
    one, two = laid_out(rows), laid_out(rows)
    assert (one.text, one.digest, one.slots) == (two.text, two.digest, two.slots)
    assert Layout.from_text(one.text).digest == one.digest
    assert Layout.from_text(one.text).slots == one.slots


@given(arrays, arrays)
def test_any_change_gives_another_digest_and_a_sentence_naming_it(ours: Rows, theirs: Rows) -> None:
    described = [
        [(n, k.descr, k.isalignedstruct, c) for n, k, c in rows] for rows in (ours, theirs)
    ]
    assume(described[0] != described[1])
    one, two = laid_out(ours), laid_out(theirs)
    assert one.digest != two.digest
    assert one.difference(two)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"a": (ORDER, 3), "c": (np.int64, 1)}, "an array 'b'"),
        ({"a": (ORDER, 3)}, "an array 'b'"),
        ({"a": (ORDER, 3), "b": np.int64, "c": np.int64}, "an array 'c'"),
        ({"a": (ORDER, 4), "b": np.int64}, "'a' holds 3 items in one and 4 in the other"),
        ({"a": (ORDER, 3), "b": np.uint64}, "records of 'b' have different fields"),
        ({"a": (PACKED, 3), "b": np.int64}, "records of 'a' have different fields"),
        ({"b": np.int64, "a": (ORDER, 3)}, "a different order"),
    ],
)
def test_the_first_difference_is_said_in_words(other: dict[str, Any], says: str) -> None:
    ours = Layout(a=(ORDER, 3), b=np.int64)
    assert says in ours.difference(Layout(**other))
    assert Layout(**other).digest != ours.digest


def test_two_layouts_that_differ_only_in_alignment_say_so() -> None:
    packed, aligned = (np.dtype([("a", "i8"), ("b", "i8")], align=flag) for flag in (False, True))
    assert packed == aligned  # numpy sees no difference; compiled code would
    assert "alignment" in Layout(x=packed).difference(Layout(x=aligned))


@given(arrays)
def test_arrays_lie_aligned_apart_and_within_the_mapping(rows: Rows) -> None:
    layout = laid_out(rows)
    assert list(layout.slots) == [name for name, _, _ in rows]
    assert layout.data_offset % PAGE_BYTES == layout.total_bytes % PAGE_BYTES == 0
    end = layout.data_offset
    assert end >= HEADER_BYTES + len(layout.text)
    for name, kind, count in rows:
        slot = layout.slots[name]
        assert (slot.dtype, slot.count, slot.nbytes) == (kind, count, kind.itemsize * count)
        assert slot.offset % ALIGNMENT_BYTES == 0 and end <= slot.offset < end + ALIGNMENT_BYTES
        end = slot.offset + slot.nbytes
    assert end <= layout.total_bytes < end + PAGE_BYTES + ALIGNMENT_BYTES


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", "a.b", "<b>", "n" * 65, "a\n"])
def test_a_name_that_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="identifier of at most 64"):
        Layout(**{name: np.int64})


@pytest.mark.parametrize("count", [0, -1, True, np.True_, 1.0, "1", None, np.int64(0), [1]])
def test_a_count_that_is_no_positive_whole_number_is_refused(count: Any) -> None:
    with pytest.raises(InputError, match="whole number of items"):
        Layout(a=(np.int64, count))


@pytest.mark.parametrize("count", [TOTAL_BYTES_MAX // 8 + 1, 2**63, 10**30])
def test_more_items_than_an_arena_holds_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="more than an arena holds"):
        Layout(a=(np.int64, count))


def test_arrays_that_are_too_much_only_together_are_refused() -> None:
    half = (np.uint8, TOTAL_BYTES_MAX // 2)
    assert Layout(a=half, b=half).data_bytes == TOTAL_BYTES_MAX
    with pytest.raises(InputError, match="together"):
        Layout(a=half, b=half, c=np.uint8)


def test_more_arrays_or_text_than_a_header_carries_are_refused() -> None:
    many = {f"a{n}": np.uint8 for n in range(ARRAYS_MAX)}
    assert len(Layout(**many).slots) == ARRAYS_MAX
    with pytest.raises(InputError, match="at most 1024"):
        Layout(**many, one_more=np.uint8)
    wordy = np.dtype([(f"{n:05}" * 10, "u1") for n in range(TEXT_BYTES_MAX // 60)])
    with pytest.raises(InputError, match="description takes"):
        Layout(a=wordy)


@pytest.mark.parametrize(
    "kind",
    [
        object,
        np.dtype([("a", "i8"), ("b", object)]),
        np.dtypes.StringDType(),
        np.dtype("S0"),
        np.dtype([]),
        np.dtype("M8[ns]"),
        np.dtype([("when", "m8[s]")]),
        np.dtype("c16"),
        np.longdouble,
        np.dtype(("i8", (4,))),
        None,
        str,
    ],
    ids=str,
)
def test_what_is_not_plain_memory_is_refused_before_a_file_holds_it(kind: Any) -> None:
    with pytest.raises(InputError, match="not plain memory"):
        Layout(a=kind)
    with pytest.raises(InputError, match="not plain memory"):
        Layout(a=(kind, 3))


@pytest.mark.parametrize("kind", ["nothing", "(,)i4", 7, (), ("i8", 1, 2), {"names": ["a"]}])
def test_what_is_no_dtype_at_all_is_refused(kind: Any) -> None:
    with pytest.raises(InputError, match="not a dtype"):
        Layout(a=kind)


@given(arrays, st.data())
def test_a_text_that_is_not_canonical_is_refused(rows: Rows, data: st.DataObject) -> None:
    text = laid_out(rows).text
    body = json.loads(text)
    spaced = json.dumps(body).encode()
    doubled = json.dumps(body + body[:1], separators=(",", ":")).encode()
    counted = text.replace(b'"count":', b'"count":0')
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    for wrong in (spaced, doubled, counted, cut, text + b" "):
        if wrong != text:
            with pytest.raises(ValueError):
                Layout.from_text(wrong)


def test_the_rows_are_those_of_the_slots_and_the_table_is_escaped() -> None:
    layout = Layout(orders=(ORDER, 1000), odd=np.dtype([("<script>&", "i8")]))
    assert layout.rows() == [
        ("orders", "id, price, side", 1000, 4096, 24_000),
        ("odd", "<script>&", 1, 28_160, 8),
    ]
    table = layout.html("a < b")
    assert "<script>" not in table and "&lt;script&gt;&amp;" in table
    assert "<caption>a &lt; b</caption>" in table and "<td>28,160</td>" in table
