"""Keys: made, kept under a passphrase, opened by it alone, and shown to nobody."""

from __future__ import annotations

import pickle
import re

import pytest

from hftlib.core.errors import HftError
from hftlib.core.release.keys import make_key, open_key, read_public, save_key, trusted_keys

WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    key = make_key("desk")
    path = tmp_path_factory.mktemp("keys") / "desk.key"
    save_key(key, path, WORDS)
    return key, path


def refusal(call, *values):
    with pytest.raises(HftError) as caught:
        call(*values)
    assert WORDS not in str(caught.value)
    return str(caught.value)


def test_a_key_is_kept_and_signs_after_it_was_opened(desk):
    key, path = desk
    opened = open_key(path, WORDS)
    assert opened == key and path.stat().st_mode & 0o777 == 0o600
    public = read_public(path.with_suffix(".pub"))
    assert public == key.public and re.fullmatch("[0-9a-f]{16}", public.id)
    signature = opened.sign(b"this")
    assert public.has_signed(b"this", signature)
    assert not public.has_signed(b"that", signature) and not public.has_signed(b"this", b"")


def test_the_private_key_is_in_no_text_of_anything(desk):
    key, path = desk
    secret = key._raw
    for text in (repr(key), str(key), path.read_text(), path.with_suffix(".pub").read_text()):
        assert secret.hex() not in text and repr(secret) not in text
    assert secret not in path.read_bytes()
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_wrong_passphrase_and_any_change_of_the_file_open_nothing(desk, tmp_path):
    _, path = desk
    assert "passphrase does not open" in refusal(open_key, path, "correct horse batterx")
    text = path.read_text()
    for number, change in enumerate(
        (
            text.replace("name desk", "name risk"),
            text.replace("sealed ", "sealed A"),
            re.sub("id .", "id g", text),
            text[:-2],
            text + "\n",
            text.replace("\n", "\r\n"),
            text.replace("private", "public"),
            "",
            "\0" * 200,
            "ä",
            text * 9,
        )
    ):
        other = tmp_path / f"{number}.key"
        other.write_text(change)
        other.chmod(0o600)
        refusal(open_key, other, WORDS)


def test_a_key_that_others_may_read_is_not_used(desk, tmp_path):
    other = tmp_path / "desk.key"
    other.write_bytes(desk[1].read_bytes())
    other.chmod(0o644)
    assert "Others may read" in refusal(open_key, other, WORDS)
    refusal(open_key, tmp_path, WORDS)
    refusal(open_key, tmp_path / "nowhere.key", WORDS)
    refusal(open_key, type(tmp_path)("/dev/zero"), WORDS)


def test_nothing_is_written_over_and_no_short_passphrase_is_taken(desk, tmp_path):
    key, path = desk
    assert "already" in refusal(save_key, key, path, WORDS)
    assert "at least 8" in refusal(save_key, key, tmp_path / "a.key", "short")
    assert "no .pub file" in refusal(save_key, key, tmp_path / "a.pub", WORDS)
    assert "cannot be written" in refusal(save_key, key, tmp_path / "no" / "a.key", WORDS)
    for name in ("", "a b", "1a", "a" * 65, "é", "a\nb"):
        assert "cannot be called" in refusal(make_key, name)


def test_a_host_trusts_the_public_keys_of_a_folder(desk, tmp_path):
    key, path = desk
    assert trusted_keys(path.parent) == {key.public.id: key.public}
    assert trusted_keys(path.with_suffix(".pub")) == {key.public.id: key.public}
    assert "0 keys" in refusal(trusted_keys, tmp_path)
    refusal(trusted_keys, tmp_path / "nowhere")
    bad = tmp_path / "bad.pub"
    for text in (
        key.public.text().replace(key.public.id, "0" * 16),
        key.public.text() + "more\n",
        key.public.text().replace("name desk", "name "),
        "",
    ):
        bad.write_text(text)
        refusal(trusted_keys, tmp_path)
    tmp_path.chmod(0o777)
    assert "Anybody" in refusal(trusted_keys, tmp_path)
