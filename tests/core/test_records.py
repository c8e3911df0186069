"""A record is its drawing; a description read back is the same memory; a difference is a byte."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.core.records import (
    RECORDS,
    describe,
    described,
    differences,
    field_offset,
    is_plain,
    items,
    record,
    rounded_up,
)

DType = np.dtype[Any]
LEAVES = ["|b1", "|u1", "<u2", "<i4", ">i4", "<i8", ">u8", "<f2", ">f8", "|S7", "<U2", "|V5"]
# What `mapping.checked` turns into a sentence; anything else would be a crash at a damaged file.
REFUSALS = (ValueError, KeyError, TypeError, IndexError)


@st.composite
def structures(draw: st.DrawFn, inner: st.SearchStrategy[DType]) -> DType:
    """Records with fields side by side, aligned, or apart by gaps in any order of memory."""
    formats = draw(st.lists(inner, min_size=1, max_size=4))
    names = draw(
        st.lists(
            st.text("abcxyz_<é", min_size=1, max_size=3),
            min_size=len(formats),
            max_size=len(formats),
            unique=True,
        )
    )
    if draw(st.booleans()):
        made: Any = {"names": names, "formats": formats}
        return np.dtype(made, align=draw(st.booleans()))
    offsets, end = [], 0
    for kind in formats:
        offsets.append(end + draw(st.integers(0, 9)))
        end = offsets[-1] + kind.itemsize
    size = end + draw(st.integers(0, 9))
    made = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    return np.dtype(made)


shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
leaves = st.sampled_from(LEAVES).map(np.dtype)
dtypes = st.recursive(
    leaves,
    lambda inner: structures(inner) | st.builds(lambda d, s: np.dtype((d, s)), inner, shapes),
    max_leaves=6,
)
garbage = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from([*LEAVES, "O", "<O8", "|O", "object", "T", "i4,O", "M8[ns]", "<f16"])
    | st.text("(),<>|=iufOSUVMm[]0123456789", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        | st.fixed_dictionaries({"items": inner, "shape": inner | st.lists(st.integers())})
        | st.fixed_dictionaries(
            {
                "fields": st.lists(st.tuples(st.text(max_size=2), inner, inner).map(list)) | inner,
                "size": st.integers(0, 64) | inner,
                "aligned": st.booleans() | inner,
            }
        )
    ),
    max_leaves=12,
)


@given(st.data())
def test_a_drawing_gives_exactly_the_offsets_and_the_size_it_states(data: st.DataObject) -> None:
    rows: list[tuple[int, str, str, int]] = []
    end = 0
    for n in range(data.draw(st.integers(1, 8))):
        kind = data.draw(st.sampled_from(["int64", "uint8", "int32", "float64", "uint16", "S6"]))
        count = data.draw(st.integers(0, 4))
        width = np.dtype(kind).itemsize
        step = 1 if kind == "S6" else width
        offset = -(-end // step) * step + step * data.draw(st.integers(0, 3))
        rows.append((offset, f"f{n}", f"{kind}[{count}]" if count else kind, width * (count or 1)))
        end = offset + width * (count or 1)
    size = -(-end // 8) * 8
    text = "\n".join(f"  {offset}  {name}  {kind}  a reason" for offset, name, kind, _ in rows)
    dtype = record("drawn in a test", size, text)
    assert dtype.itemsize == size and dtype.isalignedstruct
    assert dtype.names == tuple(name for _, name, _, _ in rows)
    for offset, name, _, width in rows:
        assert field_offset(dtype, name) == offset
        assert dtype[name].itemsize == width
    drawing = RECORDS.pop("drawn in a test")
    assert drawing.dtype == dtype and len(drawing.text.splitlines()) == len(rows)


def test_a_record_may_hold_other_records_one_or_many() -> None:
    level = record("level", 16, "0 price int64\n8 size int64")
    book = record("book", 72, "0 time int64\n8 bids level[2]\n40 asks pair", level=level,
                  pair=items(level, 2))  # fmt: skip
    assert book["bids"] == book["asks"] == np.dtype((level, (2,)))
    assert RECORDS.pop("level").dtype == level and RECORDS.pop("book").dtype == book


@pytest.mark.parametrize(
    ("size", "drawing", "says"),
    [
        (16, "0 a int64\n4 b int32", "overlaps the field before it, which ends at 8"),
        (16, "0 a int64\n0 b int64", "overlaps"),
        (16, "0 a uint8[2]\n1 b uint8", "overlaps"),
        (16, "4 a int64", "not a multiple of 8"),
        (16, "0 a int32\n6 b int32", "not a multiple of 4"),
        (8, "0 a int64\n8 b int64", "beyond the stated 8 bytes"),
        (8, "0 a int64[2]", "beyond the stated 8 bytes"),
        (12, "0 a int64", "itemsize"),
        (8, "0 a int65", "no type 'int65'"),
        (8, "0 a M8x", "no type 'M8x'"),
        (8, "0 a S99999999999", "no type"),
        (16, "0 a int64\n8 a int64", "drawn twice"),
        (8, "0 a", "a row reads"),
        (8, "a int64", "a row reads"),
        (8, "-8 a int64", "a row reads"),
        (8, "0 A int64", "a row reads"),
        (8, "0 a int64[]", "a row reads"),
        (8, "0 a int64[0]", "at least one item"),
        (8, "0 a O", "not plain memory"),
        (8, "0 a object", "not plain memory"),
        (8, "0 a datetime64", "not plain memory"),
        (16, "0 a longdouble", "not plain memory"),
        (8, "0 a S", "not plain memory"),
        (8, "0 a things", "not plain memory"),
        (8, "  \n ", "it has no rows"),
    ],
)
def test_a_wrong_drawing_is_refused_with_a_sentence(size: int, drawing: str, says: str) -> None:
    with pytest.raises(InputError, match=r"The record 'bad' is drawn wrongly") as caught:
        record("bad", size, drawing, things=np.dtype([("o", object)]))
    assert says in caught.value.what and "drawing" in caught.value.where
    assert "bad" not in RECORDS


@given(dtypes)
def test_a_description_read_back_from_json_is_the_same_memory(dtype: DType) -> None:
    text = json.dumps(describe(dtype))
    back = described(json.loads(text))
    assert back == dtype and back.itemsize == dtype.itemsize
    assert back.isalignedstruct == dtype.isalignedstruct and back.alignment == dtype.alignment
    assert json.dumps(describe(back)) == text
    assert is_plain(dtype)


def test_records_nest_eight_deep_and_no_deeper() -> None:
    dtype = np.dtype("i8")
    for _ in range(8):
        dtype = np.dtype([("inner", dtype)])
    assert described(describe(dtype)) == dtype
    assert not is_plain(np.dtype([("inner", dtype)]))
    with pytest.raises(ValueError, match="eight deep"):
        described(describe(np.dtype([("inner", dtype)])))


@settings(max_examples=400)
@given(garbage)
@example({"items": "<i8", "shape": [float("inf")]})
@example({"items": "<i8", "shape": [10**30]})
@example({"fields": [["a", "<i8", 10**30]], "size": 8, "aligned": False})
@example({"fields": [["a", "<i8", 0]], "size": -8, "aligned": False})
@example({"fields": [["a", "|O", 0]], "size": 8, "aligned": True})
@example("(,)i4")
@example("<i8,O")
@example("<i8,(")
@example("(2,i4")
@example("\ud800")
def test_a_damaged_description_is_refused_and_never_becomes_an_object(data: Any) -> None:
    try:
        dtype = described(data)
    except REFUSALS:
        return
    assert not dtype.hasobject and described(describe(dtype)) == dtype


@pytest.mark.parametrize("number", [True, 1.0, "1", None, -1, 2**31])
def test_an_offset_a_size_and_a_shape_are_whole_numbers_and_nothing_like_them(number: Any) -> None:
    for data in (
        {"items": "|u1", "shape": [number]},
        {"fields": [["a", "|u1", number]], "size": 8, "aligned": False},
        {"fields": [["a", "|u1", 0]], "size": number, "aligned": False},
    ):
        with pytest.raises(ValueError, match="no number of bytes"):
            described(data)


@given(dtypes, st.data())
def test_a_description_with_one_part_replaced_is_refused_or_plain(
    dtype: DType, data: st.DataObject
) -> None:
    whole = {"root": json.loads(json.dumps(describe(dtype)))}
    node: Any = whole
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(garbage)
    try:
        found = described(whole["root"])
    except REFUSALS:
        return
    assert not found.hasobject


def owners(dtype: DType, path: str = "") -> list[str | None]:
    """For each byte of a value, the path of the leaf it belongs to; None for padding."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        places = np.ndindex(*shape)
        return [
            owner for at in places for owner in owners(base, path + "".join(f"[{n}]" for n in at))
        ]
    if dtype.fields is None:
        return [path] * dtype.itemsize
    found: list[str | None] = [None] * dtype.itemsize
    for name in dtype.names or ():
        inner, begin = dtype.fields[name][:2]
        found[begin : begin + inner.itemsize] = owners(inner, f"{path}.{name}" if path else name)
    return found


@given(dtypes, st.data())
def test_differences_are_those_a_naive_comparison_of_bytes_finds(
    dtype: DType, data: st.DataObject
) -> None:
    size = dtype.itemsize
    ours = data.draw(st.binary(min_size=size, max_size=size))
    theirs = bytearray(ours)
    for place in data.draw(st.lists(st.integers(0, size - 1), max_size=3)):
        theirs[place] ^= data.draw(st.integers(0, 255))
    naive = [o for o, a, b in zip(owners(dtype), ours, theirs, strict=True) if a != b]
    found = [path for path, _, _ in differences(dtype, ours, bytes(theirs))]
    assert set(found) == set(naive) - {None}
    assert len(found) == len(set(found))


def test_differences_are_told_by_value_and_by_bytes_where_those_are_no_value() -> None:
    dtype = np.dtype([("price", "<i8"), ("name", "<U1"), ("nan", "<f8")])
    value = np.zeros(2, dtype)
    value["price"] = (3, 4)
    value["nan"].view("u8")[:] = (0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0001)
    value.view("u1").reshape(2, -1)[1, 8:12] = 255
    price, name, nan = differences(dtype, value[0].tobytes(), value[1].tobytes())
    assert price == ("price", 3, 4)
    assert name == ("name", "", b"\xff\xff\xff\xff")
    assert nan[0] == "nan" and np.isnan(nan[1]) and np.isnan(nan[2])


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_rounding_up_gives_the_next_multiple(value: int, step: int) -> None:
    rounded = rounded_up(value, step)
    assert rounded % step == 0 and value <= rounded < value + step
