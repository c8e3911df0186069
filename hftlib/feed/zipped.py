"""What Python's zip reader raises over a damaged file: more than it says, as fuzzing found.

Names that are no text, methods it does not know, offsets beyond the file and cut data each have an
exception of their own. Worst case: a new Python adds another, and fuzzing finds it.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

ZIP_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
