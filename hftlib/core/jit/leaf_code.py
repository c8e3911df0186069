"""How what others call is compiled: once, up to the point where it can be taken in. Imports numba.

numba makes every function ready to run: optimised together with all that it calls, made machine
code, wrapped for Python, and kept. Of a function that only compiled code calls nothing of that is
ever run, since each entry takes in what it calls and is optimised as a whole. So there are two:

    leaf(function)   for callers: LLVM's text of it and of what it calls, and no more
    root(function)   for Python: numba's own dispatcher, which takes leaves in

An entry of 793 functions takes a third of the time so (`docs/decisions.md`, 2026-11-22).
A name in kept code is like no name in any other process: what is linked is linked by name.
Worst case: a leaf that many entries take in is optimised once in each of them.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import _dynfunc
from numba.core.bytecode import FunctionIdentity
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import (
    Compiler,
    CompileResult,
    DefaultPassBuilder,
    _LowerResult,
    compile_result,
)
from numba.core.compiler_machinery import register_pass
from numba.core.environment import lookup_environment
from numba.core.typed_passes import NativeLowering

from hftlib.core.jit.kept import Kept, kept_code

_NOT_CALLED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_ENVIRONMENT = "_ZN08NumbaEnv"

# numba tells functions of one name apart by counting the compilations of a process, from 1. Kept
# code brings names of another process, and where both meet the linker takes one for the other.
FunctionIdentity._unique_ids = itertools.count(1 << 61 | secrets.randbits(60))


def leaf(function: Callable[..., Any], options: dict[str, Any], is_kept: bool = True) -> Any:
    """A dispatcher whose code is for callers to take in; never called itself."""
    made = numba.njit(pipeline_class=_LeafCompiler, **_NOT_CALLED, **options)(function)
    if is_kept:
        made._cache = kept_code(function, _KeptLeaf)
    return made


def root(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """A dispatcher that Python calls."""
    made = numba.njit(pipeline_class=_RootCompiler, **options)(function)
    made._cache = kept_code(function)
    return made


class Leaf(JITCodeLibrary):
    """Code that is linked into others: not optimised, and no machine code of its own."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        return 0


@register_pass(mutates_CFG=True, analysis_only=False)
class _LeafLowering(NativeLowering):
    _name = "hft_leaf_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = Leaf(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        state.library.finalize()
        done = state["cr"]
        called = _place_of(done.fndesc, done.env, state.library)
        state.targetctx.insert_user_function(called, done.fndesc, [state.library])
        state["cr"] = _LowerResult(done.fndesc, done.call_helper, cfunc=called, env=done.env)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _RootLowering(NativeLowering):
    _name = "hft_root_lowering"

    def run_pass(self, state: Any) -> bool:
        super().run_pass(state)
        # What was taken in may print, and asks for its constants by a name that is known only now.
        for variable in state.library._final_module.global_variables:
            known = variable.name.startswith(_ENVIRONMENT) and lookup_environment(variable.name)
            if known:
                state.library.codegen.set_env(variable.name, known)
        return True


def _compiler(lowering: type[NativeLowering]) -> type[Compiler]:
    class Made(Compiler):
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            steps = passes.passes
            steps[:] = [
                (lowering, said) if step is NativeLowering else (step, said) for step, said in steps
            ]
            passes.finalize()
            return [passes]

    return Made


_LeafCompiler = _compiler(_LeafLowering)
_RootCompiler = _compiler(_RootLowering)


class _KeptLeaf(Kept):
    """Of a leaf its text is kept, and what callers must know of it."""

    suffix = ".leaf"

    def reduce(self, made: Any) -> Any:
        made.fndesc.typemap = made.fndesc.calltypes = None
        code = made.library._final_module.as_bitcode()
        about = (made.fndesc, made.environment, made.signature, made.reload_init)
        return made.library.name, code, about

    def rebuild(self, context: Any, kept: Any) -> CompileResult:
        name, code, (fndesc, environment, signature, reload_init) = kept
        for function in reload_init:
            function()
        library = Leaf(context.codegen(), name)
        library._final_module = llvm.parse_bitcode(code)
        library._finalize_final_module()
        return compile_result(
            target_context=context,
            typing_context=context.typing_context,
            library=library,
            environment=environment,
            entry_point=_place_of(fndesc, environment, library),
            fndesc=fndesc,
            type_annotation="",
            signature=signature,
            objectmode=False,
            lifted=(),
            reload_init=reload_init,
            referenced_envs=(),
        )


def _place_of(fndesc: Any, environment: Any, library: Leaf) -> Any:
    """What stands for the function where numba wants one to call: it has no code."""
    name = fndesc.qualname.split(".")[-1]
    return _dynfunc.make_function(fndesc.lookup_module(), name, "", 0, environment, (library,))
