"""Object code is saved whole, read with suspicion and linked only if all it states is true."""

from __future__ import annotations

import ctypes
import json
import math
import threading
from dataclasses import asdict, replace
from typing import Any

import llvmlite.binding as llvm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jit.fresh import ROOT, run

from hftlib.core import jit, object_code
from hftlib.core.errors import CompileError, HftError, HostError, InputError
from hftlib.core.object_code import ObjectCode, check_symbols, link, read

PLAIN = jit.COMPILED and not jit.BOUNDS_CHECKED
pytestmark = pytest.mark.skipif(not PLAIN, reason="needs object code, emitted in plain mode only")


@jit.callback("float64(float64)")
def grown(x):
    return math.exp(x) + 1


@jit.callback("int64(int64, int64)")
def added(a, b):
    return a + b


@pytest.fixture(scope="module")
def code():
    return jit.emit(grown)


@pytest.fixture(scope="module")
def other():
    return jit.emit(added)


def sealed(code: ObjectCode, **changes: Any) -> ObjectCode:
    """Other bytes or facts with a digest made to fit: only their content can give them away."""
    changed = replace(code, **changes)
    return replace(changed, sha256=changed.digest())


def made_of(text: str, code: ObjectCode) -> ObjectCode:
    """What somebody else's compiler might have made."""
    llvm.initialize_native_asmparser()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(reloc="pic", codemodel="small")
    return sealed(code, elf=machine.emit_object(llvm.parse_assembly(text)))


def call(address: int, x: float) -> float:
    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(x)


def test_what_was_saved_is_read_and_runs(code, other, tmp_path):
    path = code.save(tmp_path / "grown.o")
    assert read(path) == code
    assert read(str(path)) == code
    assert {file.name for file in tmp_path.iterdir()} == {"grown.o", "grown.o.json"}
    assert call(link(read(path)), 0.5) == grown(0.5)
    assert link(code) == link(read(path)) != link(other)
    assert other.save(path) == path
    assert read(path) == other


def test_the_facts_beside_the_code_are_for_people_too(code, tmp_path):
    text = (code.save(tmp_path / "grown.o").with_name("grown.o.json")).read_text()
    facts = {key: value for key, value in asdict(code).items() if key != "elf"}
    assert json.loads(text) == json.loads(json.dumps(facts))
    assert text.splitlines() == json.dumps(facts, indent=2, sort_keys=True).splitlines()


@pytest.mark.parametrize("place", ["missing/grown.o", "file/grown.o", "n" * 300, "directory"])
def test_a_place_that_cannot_be_written_is_refused_and_left_clean(code, tmp_path, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(HostError, match="The object code cannot be written: "):
        code.save(tmp_path / place)
    assert {file.name for file in tmp_path.rglob("*")} == {"file", "directory"}


def damaged_facts(code: ObjectCode) -> dict[str, tuple[str | None, str]]:
    """Texts that may stand in the .json, and what is said of each."""
    facts = {key: value for key, value in asdict(code).items() if key != "elf"}
    cases: dict[str, tuple[str | None, str]] = {"absent": (None, "cannot be read: No such file")}
    for number, text in enumerate(
        ["", "{", "nul", "\0", "[" * 100_000, "9" * 5000, '{"a":' * 9999]
    ):
        cases[f"broken {number}"] = (text, "damaged .json")
    for number, data in enumerate([[], {}, "text", 1, None, [facts], facts | {"extra": "1"}]):
        cases[f"other {number}"] = (json.dumps(data), "has facts other than")
    for key in facts:
        rest = {name: value for name, value in facts.items() if name != key}
        cases[f"no {key}"] = (json.dumps(rest), "has facts other than")
        wrong = "not text" if key != "features" else "not a list of texts"
        for value in (None, 1, True, {}, [1], "+sse2" if key == "features" else ["text"]):
            cases[f"{key} is {value!r}"] = (json.dumps(facts | {key: value}), wrong)
    return cases


def test_every_damage_to_the_facts_is_refused_with_its_reason(code, tmp_path):
    path = code.save(tmp_path / "grown.o")
    facts = tmp_path / "grown.o.json"
    for case, (text, reason) in damaged_facts(code).items():
        facts.unlink(missing_ok=True)
        if text is not None:
            facts.write_text(text)
        with pytest.raises(InputError) as caught:
            read(path)
        assert reason in str(caught.value), case
        assert f"Where: {path}. Emit it again" in str(caught.value), case
    facts.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_code_that_cannot_be_read_is_refused(code, tmp_path):
    for place in (tmp_path / "none.o", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read(place)


def test_any_changed_byte_is_found_by_the_digest(code):
    for position in range(0, len(code.elf), 13):
        changed = bytearray(code.elf)
        changed[position] ^= 1 << position % 8
        with pytest.raises(InputError, match=f"not {code.sha256[:16]}… as stated"):
            link(replace(code, elf=bytes(changed)))
    for elf in (b"", code.elf[:-1], code.elf + b"\0"):
        with pytest.raises(InputError, match="has digest"):
            link(replace(code, elf=elf))


def test_any_changed_fact_is_found_by_the_digest(code, tmp_path):
    path = code.save(tmp_path / "grown.o")
    facts = {key: value for key, value in asdict(code).items() if key != "elf"}
    less, more = code.features[1:], ("+avx4096", *code.features)
    for key, value in facts.items():
        for other in (less, more) if key == "features" else (f"{value} ", value[1:], "", "x\ud800"):
            with pytest.raises(InputError, match="a fact about it has changed"):
                link(replace(code, **{key: other}))
            (tmp_path / "grown.o.json").write_text(json.dumps(facts | {key: other}))
            with pytest.raises(InputError, match=r"Where: .*grown\.o\. Emit it again"):
                read(path)
    (tmp_path / "grown.o.json").write_text(json.dumps(facts))
    assert read(path) == code
    path.write_bytes(code.elf[:-1])
    with pytest.raises(InputError, match="has changed: it has digest"):
        read(path)
    with pytest.raises(InputError, match=r"has no name. Where: object code without a name\."):
        link(sealed(code, name=" "))


def test_two_threads_that_link_at_once_get_one_code(code, monkeypatch):
    """The first one's stays: it may be running when the second one comes."""
    both, real = threading.Barrier(2, timeout=20), object_code._linker
    made: list[tuple[int, int]] = []

    def late() -> Any:
        both.wait()  # neither has linked it yet, and both will
        return real()

    def place() -> None:
        address = link(code)
        made.append((address, next(iter(object_code._linked.values()))[1]))

    monkeypatch.setattr(object_code, "_linked", {})
    monkeypatch.setattr(object_code, "_linker", late)
    threads = [threading.Thread(target=place) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert len({address for pair in made for address in pair}) == 1 and len(made) == 2
    assert call(made[0][0], 1.0) == grown(1.0)


TORN = """
import ctypes, os
from hftlib.core.object_code import link, read

PAGE, FAR, NOTHING, PRIVATE = 4096, 5 << 30, 0, 0x22 | 0x4000
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
link(read(os.environ["FIRST"]))  # the linker itself is loaded and has what it needs
far = libc.mmap(None, FAR, NOTHING, PRIVATE, -1, 0)
above = []
while (page := libc.mmap(None, PAGE, 3, PRIVATE, -1, 0)) > far:
    above.append(page)
libc.munmap(above[0], PAGE)
code = read(os.environ["CALLS_OUT"])
print(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(link(code))(1.0))
"""


def test_code_is_linked_where_one_page_is_free_and_the_next_five_gigabytes_away(
    code, other, tmp_path
):
    """A large tape is mapped so: what belongs together must not be torn apart."""
    first, calls_out = other.save(tmp_path / "first.o"), code.save(tmp_path / "calls_out.o")
    assert run(TORN, FIRST=first, CALLS_OUT=calls_out) == grown(1.0)


def test_code_is_linked_by_its_own_signature_only(code, other):
    for text in (other.signature, "int64( int64,int64 )", " int64 (int64 ,\tint64)"):
        assert link(other, text) == link(other) == link(other, signature=None)
    for text in ("", "int64(int64)", "float64(int64, int64)", code.signature, "int64(int64, int6)"):
        with pytest.raises(InputError, match=r"is of signature 'int64\(int64, int64\)', not '"):
            link(other, text)


positions = st.tuples(st.integers(0, 10**6), st.integers(0, 255))


@given(changes=st.lists(positions, min_size=1, max_size=30), cut=st.integers(0, 10**6))
def test_no_damage_makes_the_check_of_the_symbols_fail_otherwise_than_by_refusing(
    code, changes, cut
):
    elf = bytearray(code.elf)
    for position, value in changes:
        # Half of them in the headers, where lengths and offsets stand.
        place = position if position % 2 else position % 128 - 64
        elf[place % len(elf)] = value
    damaged = sealed(code, elf=bytes(elf[: cut % len(elf)] if cut % 5 == 0 else elf))
    try:
        check_symbols(damaged)
    except HftError as refusal:
        assert "Where: " in str(refusal)
    else:
        assert damaged.elf[:4] == b"\x7fELF"


# Whole files of garbage whose digest fits. LLVM aborts the process on some *crafted* objects (see
# the module); what an accident can leave behind must be refused before LLVM sees it.
GARBAGE = """
import json, random, sys
from dataclasses import replace
from pathlib import Path
from hftlib.core import object_code
from hftlib.core.errors import HftError

code = object_code.read(Path("grown.o"))
rng = random.Random(11)
whole = code.elf
elves = [whole[:length] for length in range(0, len(whole), 5)]
elves += [rng.randbytes(rng.randrange(4000)) for _ in range(100)]
elves += [whole[:64] + rng.randbytes(len(whole) - 64) for _ in range(100)]
elves += [whole[:4] + rng.randbytes(len(whole) - 4) for _ in range(50)]
elves += [whole[:18] + machine + whole[20:] for machine in (b"\\xb7\\0", b"\\3\\0")]  # ARM, i386
elves += [b"", b"\\x7fELF", bytes(len(whole)), whole[::-1], whole[64:], b"#!/bin/sh\\n"]
elves += [Path(sys.executable).resolve().read_bytes()[:100_000]]
elves += [Path("nowhere.o").read_bytes()]
linked, refusals = 0, set()
for elf in elves:
    try:
        changed = replace(code, elf=elf)
        object_code.link(replace(changed, sha256=changed.digest()))
        linked += 1
    except HftError as error:
        refusals.add(type(error).__name__)
    # A refusal leaves the linker in order.
    if len(elf) % 3 == 0:
        object_code.link(code)
import ctypes
second = object_code.read(Path("added.o"))
kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
print(json.dumps([len(elves), linked, sorted(refusals), kind(object_code.link(second))(3, 4),
    "numba" in sys.modules]))
"""


def test_garbage_with_a_fitting_digest_is_refused_and_never_a_crash(code, other, tmp_path):
    code.save(tmp_path / "grown.o")
    other.save(tmp_path / "added.o")
    # One that only LLVM can refuse: all is there, but the function lies at address 0.
    lines = (f".globl {code.symbol}", f".type {code.symbol}, @function", f".set {code.symbol}, 0")
    nowhere = made_of("".join(f'module asm "{line}"\n' for line in lines), code)
    (tmp_path / "nowhere.o").write_bytes(nowhere.elf)
    count, linked, refusals, sum_of_two, compiler = run(GARBAGE, tmp_path, ROOT)
    assert count > 400
    assert (linked, refusals) == (0, ["InputError"])
    assert (sum_of_two, compiler) == (7, False)


def test_an_unknown_cpu_feature_is_refused_by_its_name(code):
    wanting = sealed(code, features=(*code.features, "+warp9", "+avx4096"))
    with pytest.raises(HostError, match=r"lacks \+avx4096, \+warp9. Where: .*made for"):
        link(wanting)
    assert call(link(sealed(code, features=())), 0.0) == 2.0


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("system", "it calls out"),
        ("dlopen", "it calls out"),
        ("NRT_Allocate", "it allocates memory"),
        ("PyErr_SetString", "it touches a Python object"),
        ("numba_gil_ensure", "it touches a Python object"),
        ("numba_unpickle", "numba's run-time helpers"),
        (object_code.MAY_RAISE, "it can raise"),
    ],
)
def test_a_symbol_that_is_not_allowed_is_refused_by_its_name(code, symbol, reason):
    calling = made_of(
        f"declare void @{symbol}()\ndeclare double @exp(double)\n"
        f'define double @"{code.symbol}"(double %x) {{\n'
        f"call void @{symbol}()\n%y = call double @exp(double %x)\nret double %y\n}}",
        code,
    )
    with pytest.raises(CompileError, match=f"needs '{symbol}', .*{reason}"):
        link(calling)


def test_of_many_forbidden_symbols_the_telling_one_is_named(code):
    body = "".join(f"call void @{name}()\n" for name in ("hft_may_raise", "zebra"))
    calling = made_of(
        "declare void @hft_may_raise()\ndeclare void @zebra()\n"
        f'define double @"{code.symbol}"(double %x) {{\n{body}ret double %x\n}}',
        code,
    )
    with pytest.raises(CompileError, match="needs 'zebra'"):
        link(calling)


def test_code_that_lacks_its_own_symbol_is_refused(code, other):
    with pytest.raises(InputError, match=r"does not define 'hft\..*grown'"):
        link(sealed(other, symbol=code.symbol))
    for symbol in ("", "\0", "\ud800", "größer", "exp", "<string>", ".text"):
        with pytest.raises(InputError, match="does not define"):
            link(sealed(code, symbol=symbol))
    for text in ("define internal void @{}() {{ ret void }}", "@{} = global i64 7"):
        hidden = made_of(text.format(f'"{code.symbol}"'), code)
        with pytest.raises(InputError, match="does not define"):
            link(hidden)


def test_every_allowed_symbol_is_there_to_be_called():
    library = ctypes.CDLL(None)
    assert [
        name for name in sorted(object_code.ALLOWED_SYMBOLS) if not hasattr(library, name)
    ] == []
