"""Object code: machine code as a file, loaded without numba; of LLVM only the linker is at work.

    NAME.o        the ELF object, as the compiler wrote it (objdump reads it)
    NAME.o.json   what must hold before it may run: symbol, signature, CPU features, SHA-256

The SHA-256 is that of the facts (without it, as sorted JSON) followed by the ELF: a damaged list of
CPU features is found as surely as damaged code. `read` and `link` check it, `link` all else too;
then LLVM's linker, which comes with llvmlite, places the code, and `link` returns its address. The
digest shows damage, not malice: a release's signature is what says who made a file.
Worst case: 0.2 s for the first link of a process (LLVM starts up); a crash for code that was wrong
when it was compiled, or that somebody changed together with its digest (LLVM aborts on some).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hftlib.core.errors import CompileError, HostError, InputError
from hftlib.core.whole_files import write_whole

# What emitted code may call: copying memory, arithmetic, and the system calls of the live path.
# Everything else, above all allocation (NRT_*), exceptions and Python (Py*), is refused.
_MEMORY = "memcpy memmove memset"
_ARITHMETIC = (
    "exp exp2 expm1 log log2 log10 log1p pow sqrt cbrt sin cos tan asin acos atan atan2 sinh cosh "
    "tanh hypot floor ceil trunc round rint nearbyint fmod fmin fmax fabs copysign erf erfc tgamma "
    "lgamma ldexp frexp"
)
_SYSTEM = (
    "__errno_location clock_gettime nanosleep sched_yield "
    "recv recvfrom recvmmsg send sendto sendmmsg read write pwrite poll"
)
ALLOWED_SYMBOLS = frozenset(" ".join((_MEMORY, _ARITHMETIC, _SYSTEM)).split())
# Left undefined by `jit.emit` exactly when the compiler could not prove that nothing is raised.
MAY_RAISE = "hft_may_raise"
_HINTS = (
    ("NRT_", "it allocates memory: use fixed arrays in the state instead of new arrays or lists"),
    ("Py", "it touches a Python object: drop print, text and whatever needs the interpreter"),
    ("numba_gil", "it touches a Python object: drop print and whatever needs the interpreter"),
    ("numba_", "it needs numba's run-time helpers: use a simpler operation"),
    (MAY_RAISE, "it can raise: drop raise and assert, and whatever can fail inside"),
)


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """Machine code with the facts that decide whether this process may run it."""

    name: str
    symbol: str
    signature: str
    cpu: str
    features: tuple[str, ...]
    compiler: str
    sources: str
    sha256: str
    elf: bytes = field(repr=False)

    def digest(self) -> str:
        """The SHA-256 of the facts and the code together: what `sha256` must say."""
        facts = json.dumps(self._facts(without="sha256"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(facts.encode() + self.elf).hexdigest()

    def save(self, path: Path | str) -> Path:
        """Write `path` and `path`.json, each whole or not at all."""
        target = Path(path)
        facts = json.dumps(self._facts(), indent=2, sort_keys=True)
        for place, data in ((target, self.elf), (_facts_path(target), facts.encode())):
            do = "Name a directory that exists and has room."
            write_whole(place, data, "The object code cannot be written", do=do)
        return target

    def _facts(self, without: str = "") -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in ("elf", without)}


def read(path: Path | str) -> ObjectCode:
    """Read a saved object; facts and digest are checked, symbols and CPU features by `link`."""
    target = Path(path)
    try:
        elf, told = target.read_bytes(), _facts_path(target).read_bytes()
    except OSError as error:
        raise _unreadable(target, f"cannot be read: {error.strerror}") from None
    return parsed(elf, told, target)


def parsed(elf: bytes, told: bytes, target: Path) -> ObjectCode:
    """The object of these two files' bytes; `target` says where they stood."""
    try:
        facts = json.loads(told)
    except (ValueError, RecursionError) as error:
        raise _unreadable(target, f"has a damaged .json beside it: {error}") from None
    wanted = {field.name for field in fields(ObjectCode)} - {"elf"}
    if not isinstance(facts, dict) or set(facts) != wanted:
        raise _unreadable(target, f"has facts other than {sorted(wanted)}")
    if not all(isinstance(facts[key], str) for key in wanted - {"features"}):
        raise _unreadable(target, "has a fact that is not text")
    if not isinstance(facts["features"], list) or not all(
        isinstance(name, str) for name in facts["features"]
    ):
        raise _unreadable(target, "has CPU features that are not a list of texts")
    facts["features"] = tuple(facts["features"])
    code = ObjectCode(elf=elf, **facts)
    _check_digest(code, target)
    return code


def link(
    code: ObjectCode,
    signature: str | None = None,
    *,
    checked: bool = False,
    beside: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """The address of the code, ready to be called; the code stays loaded until the process ends.

    Say which `signature` you will call it with: one that differs in more than spaces is refused.
    `checked`: its symbols were looked at when it was made, and it lay where nobody else can write.
    `beside`: addresses of what it may call besides what every process has.
    """
    _check_digest(code, code.name)
    if signature is not None and "".join(signature.split()) != "".join(code.signature.split()):
        raise InputError(
            f"The object code is of signature {code.signature!r}, not {signature!r}",
            where=code.name,
            do="Link the function that was meant, or call this one by its own signature.",
        )
    missing = sorted(set(code.features) - _host_features())
    if missing:
        raise HostError(
            f"This processor lacks {', '.join(missing)}",
            where=f"object code {code.name}, made for {code.cpu}",
            do="Run it on the kind of processor it was made for, or compile it on this one.",
        )
    if not checked:
        check_symbols(code)
    return _placed(code.elf, code.symbol, code.name, beside)


def _check_digest(code: ObjectCode, where: Path | str) -> None:
    digest = code.digest()
    if digest != code.sha256:
        raise _unreadable(
            where,
            f"or a fact about it has changed: it has digest {digest[:16]}…, "
            f"not {code.sha256[:16]}… as stated",
        )
    if not code.name.strip():
        raise _unreadable(where, "has no name")


def check_symbols(code: ObjectCode) -> None:
    """Refuse code that does not hold its own symbol, or calls what the tick path may not."""
    defined, undefined = _symbols(code)
    if code.symbol not in defined:
        raise _unreadable(code.name, f"does not define {code.symbol!r}")
    # What allocates or prints can also raise: name raising only where it is the whole reason.
    for symbol in sorted(undefined - ALLOWED_SYMBOLS, key=lambda name: (name == MAY_RAISE, name)):
        hint = next((text for start, text in _HINTS if symbol.startswith(start)), "it calls out")
        raise CompileError(
            f"The machine code needs {symbol!r}, which the tick path may not call; {hint}",
            where=code.name,
            do="Change the function so that it works on plain memory only.",
        )


def undefined_symbols(code: ObjectCode) -> set[str]:
    """What the code calls and does not hold."""
    return _symbols(code)[1]


def _symbols(code: ObjectCode) -> tuple[set[str], set[str]]:
    from elftools.elf.elffile import ELFFile

    try:
        file = ELFFile(io.BytesIO(code.elf))
        if (file["e_type"], file["e_machine"]) != ("ET_REL", "EM_X86_64"):
            raise ValueError("it is not one for x86-64, ready to be linked")
        table = file.get_section_by_name(".symtab")
        symbols = list(table.iter_symbols()) if table is not None else []
    # pyelftools answers damage with whatever its parser stumbles over; all of it means the same.
    except Exception as error:
        raise _unreadable(code.name, f"is not an ELF object: {error}") from None
    outside = {symbol.name for symbol in symbols if symbol["st_shndx"] == "SHN_UNDEF"}
    # Of its own only functions that can be called from outside: never data, never a file's name.
    kind = {"type": "STT_FUNC", "bind": "STB_GLOBAL"}
    inside = {symbol.name for symbol in symbols if dict(symbol["st_info"]) == kind}
    return inside - outside, outside - {""}


@cache
def _linker() -> Any:
    """LLVM's linker, started once. JITLink, for it lays all of an object into one piece of memory.

    The other one (RTDyld) asks for code and data apart, and ends the process where what else is
    mapped leaves room for them only more than 2 GiB from each other.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    # What it cannot do it raises; it would print it as well.
    return llvm.create_lljit_compiler(machine, use_jit_link=True, suppress_errors=True)


_linked: dict[tuple[str, str], tuple[Any, int]] = {}
_places = count()  # a name of a place is never used again


def _placed(elf: bytes, symbol: str, name: str, beside: Mapping[str, int]) -> int:
    key = (hashlib.sha256(elf).hexdigest(), symbol)
    if key not in _linked:
        import llvmlite.binding as llvm

        pieces = llvm.JITLibraryBuilder().add_object_img(elf).add_current_process()
        for called, address in beside.items():
            pieces.import_symbol(called, address)
        try:
            kept = pieces.export_symbol(symbol).link(_linker(), f"{next(_places)} {name}")
        except RuntimeError as error:
            raise _unreadable(name, f"cannot be linked: {error}") from None
        # Of two threads that come here at once the first one's code stays: it may be running.
        _linked.setdefault(key, (kept, int(kept[symbol])))
    return _linked[key][1]


@cache
def _host_features() -> frozenset[str]:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return frozenset(f"+{name}" for name in features if features[name])


def _facts_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unreadable(where: Path | str, what: str) -> InputError:
    return InputError(
        f"The object code {what}",
        where=str(where).strip() or "object code without a name",
        do="Emit it again with jit.emit(...).save(...).",
    )
