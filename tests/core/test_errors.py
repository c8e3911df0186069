"""Every error answers three questions, crosses processes whole, and has an exit of its own."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.errors import CompileError, HftError, HostError, InputError, StateError

KINDS = (InputError, StateError, HostError, CompileError)
kinds = st.sampled_from(KINDS)
answers = st.text(min_size=1).filter(str.strip)
blanks = st.text(alphabet=" \t\n\r\u00a0\u2003", max_size=4)


@given(kinds, answers, answers, answers)
def test_the_sentence_holds_all_three_answers_and_so_does_the_error(
    kind: type[HftError], what: str, where: str, do: str
) -> None:
    error = kind(what, where=where, do=do)
    assert (error.what, error.where, error.do) == (what.strip(), where.strip(), do.strip())
    assert str(error).startswith(error.what)
    assert f" Where: {error.where}" in str(error)
    assert str(error).endswith((f" {error.do}", f" {error.do}."))


@pytest.mark.parametrize("missing", ["what", "where", "do"])
@given(kind=kinds, blank=blanks)
def test_no_answer_may_be_left_empty(kind: type[HftError], blank: str, missing: str) -> None:
    given_answers = {"what": "It broke", "where": "here", "do": "Mend it"} | {missing: blank}
    with pytest.raises(ValueError, match=f"must say '{missing}'"):
        kind(given_answers["what"], where=given_answers["where"], do=given_answers["do"])


def test_where_and_do_are_said_by_name() -> None:
    with pytest.raises(TypeError):
        InputError("It broke")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        InputError("It broke", "here", "Mend it")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("It broke", "It broke. Where: here. Mend it."),
        ("It broke.", "It broke. Where: here. Mend it."),
        ("Did it break?", "Did it break? Where: here. Mend it."),
        ("  It broke!\n", "It broke! Where: here. Mend it."),
    ],
)
def test_each_answer_ends_as_a_sentence_does_and_only_once(what: str, sentence: str) -> None:
    assert str(StateError(what, where="here", do="Mend it.")) == sentence


@given(kinds, answers, answers, answers, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_an_error_crosses_a_process_boundary_whole(
    kind: type[HftError], what: str, where: str, do: str, protocol: int
) -> None:
    error = kind(what, where=where, do=do)
    for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(other) is kind and other is not error
        assert str(other) == str(error) and other.exit_code == error.exit_code
        assert (other.what, other.where, other.do) == (error.what, error.where, error.do)


def test_each_kind_leaves_the_command_line_with_its_own_code() -> None:
    codes = [kind.exit_code for kind in (HftError, *KINDS)]
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 64 for code in codes)  # 64 and above belong to shells and signals


def test_whoever_catches_the_family_catches_each_of_them() -> None:
    for kind in KINDS:
        with pytest.raises(HftError):
            raise kind("It broke", where="here", do="Mend it")
        assert not issubclass(kind, ValueError | OSError | RuntimeError)
