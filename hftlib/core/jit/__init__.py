"""The one door to numba: no other module of hftlib imports it.

What comes through the door, and where it is made:

    compiled, once,         functions.py   a function as machine code; the same, once for numbers
    inlined, callback                      of any width; repeated at each call; with an address
    python_address          callbacks.py   the address of a Python function that looks on
    record_at, array_at     memory.py      plain memory at an address, as a record or an array
    rows                    rows.py        arrays of records, found through their header
    nth                     bounds.py      the address of one item among many, checked on demand
    load_*, store_*, ...    memory.py      loads, stores, byte order, ordering between processes
    crc_word                checksums.py   CRC-32C, by the processor's instruction where it has one
    caller, caller_at       calls.py       call an address held in memory
    libc, errno             calls.py       call the C library
    warm, freeze            startup.py     compile everything now; then (`freezing.py`) refuse to
                                           compile ever again
    emit                    emit.py        object code a process without numba can load
    Shape                   kinds.py       records with derived attributes and methods
    address_of              kind_steps.py  where a record of a shape lies; a step of its budget
    lowers, wake            lowering.py    teach compiled code what a Python function means; at once
    wire_message, _codec    wire.py        packed big-endian messages into records and back

Every name that compiled code may call is also an ordinary Python function of the same meaning, up
to Python's own integers, which never wrap.
So a compiled function runs uncompiled too, with breakpoints and `print`: as `function.py_func`, or
for a whole process with `NUMBA_DISABLE_JIT=1`. `COMPILED` says which of the two this process is.

Entries and callbacks are kept as object code (`native.py`). numba is loaded when something must be
compiled, not by a process that finds it all kept: modules named `*_code`, `kept`, `reporting` and
`teaching` are numba's side of the door, and no other imports it when it is imported itself.
A numba function of your own may call these names once you have called `jit.wake()`.

Addresses are int64 everywhere: what an int64 mixed with a uint64 gives differs by operator.
"""

from hftlib.core.jit.bounds import nth
from hftlib.core.jit.cache import cache_directory, source_digest, toolchain
from hftlib.core.jit.callbacks import Callback, callback, entry_address, python_address
from hftlib.core.jit.calls import caller, caller_at, errno, libc
from hftlib.core.jit.checksums import crc_word
from hftlib.core.jit.emit import emit
from hftlib.core.jit.freezing import freeze, is_frozen
from hftlib.core.jit.functions import compiled, inlined, once
from hftlib.core.jit.kind_steps import address_of, out_of_steps
from hftlib.core.jit.kinds import Shape
from hftlib.core.jit.lowering import lowers, wake
from hftlib.core.jit.memory import (
    array_at,
    copy_words,
    fence,
    leading_zeros,
    load_acquire,
    load_be_i64,
    load_be_u16,
    load_be_u32,
    load_be_u48,
    load_i64,
    load_u8,
    pause,
    prefetch,
    record_at,
    store_be_i64,
    store_be_u16,
    store_be_u32,
    store_be_u48,
    store_i64,
    store_release,
    store_u8,
)
from hftlib.core.jit.rows import rows
from hftlib.core.jit.settings import BOUNDS_CHECKED, COMPILED
from hftlib.core.jit.startup import Warmed, registered, warm
from hftlib.core.jit.wire import WireCodec, WireField, WireMessage, wire_codec, wire_message

__all__ = [
    "BOUNDS_CHECKED",
    "COMPILED",
    "Callback",
    "Shape",
    "Warmed",
    "WireCodec",
    "WireField",
    "WireMessage",
    "address_of",
    "array_at",
    "cache_directory",
    "callback",
    "caller",
    "caller_at",
    "compiled",
    "copy_words",
    "crc_word",
    "emit",
    "entry_address",
    "errno",
    "fence",
    "freeze",
    "inlined",
    "is_frozen",
    "leading_zeros",
    "libc",
    "load_acquire",
    "load_be_i64",
    "load_be_u16",
    "load_be_u32",
    "load_be_u48",
    "load_i64",
    "load_u8",
    "lowers",
    "nth",
    "once",
    "out_of_steps",
    "pause",
    "prefetch",
    "python_address",
    "record_at",
    "registered",
    "rows",
    "source_digest",
    "store_be_i64",
    "store_be_u16",
    "store_be_u32",
    "store_be_u48",
    "store_i64",
    "store_release",
    "store_u8",
    "toolchain",
    "wake",
    "warm",
    "wire_codec",
    "wire_message",
]
