"""CRC-32C by the instruction, by the table and by hand, against known values."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.jit import checksums

# RFC 3720, appendix B.4, whose four samples are of 32 bytes each.
KNOWN = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
}


@jit.compiled("int64(int64, int64)")
def by_instruction(address, words):
    crc = 0xFFFFFFFF
    for n in range(words):
        crc = jit.crc_word(crc, jit.load_i64(address + 8 * n))
    return crc ^ 0xFFFFFFFF


@jit.compiled("int64(int64, int64)")
def by_table(address, words):
    crc = 0xFFFFFFFF
    for n in range(words):
        crc = checksums.crc_word_by_table(crc, jit.load_i64(address + 8 * n))
    return crc ^ 0xFFFFFFFF


def by_hand(data: bytes) -> int:
    """Bit by bit, as the polynomial says."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def of(function, data: bytes) -> int:
    memory = np.frombuffer(data, np.uint8).copy()
    return function(memory.ctypes.data, len(data) // 8)


@pytest.mark.modes
@pytest.mark.parametrize(("data", "crc"), KNOWN.items())
def test_known_values_come_out(data, crc):
    assert of(by_instruction, data) == of(by_table, data) == by_hand(data) == crc


@pytest.mark.modes
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40))
def test_instruction_table_and_hand_agree(words):
    data = struct.pack(f"<{len(words)}q", *words)
    assert of(by_instruction, data) == of(by_table, data) == by_hand(data)


@pytest.mark.modes
def test_a_state_is_32_bits_whatever_is_above():
    assert jit.crc_word(-1, 5) == jit.crc_word(0xFFFFFFFF, 5) == checksums.crc_word(0xFFFFFFFF, 5)
    memory = np.array([-1], np.int64)
    assert of(by_instruction, memory.tobytes()) == of(by_table, memory.tobytes())


def test_the_instruction_is_used_where_the_processor_has_it(tmp_path, monkeypatch):
    if not jit.COMPILED or not checksums.has_instruction():
        pytest.skip("uncompiled, or a processor without it")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # what a cache gives back shows no code
    step = jit.compiled()(checksum_step)
    step(1, 2)
    (code,) = step.inspect_asm().values()
    assert "crc32q" in code


def checksum_step(crc, word):
    return jit.crc_word(crc, word)
