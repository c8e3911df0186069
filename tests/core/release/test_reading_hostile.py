"""Hostile releases: each is refused in one sentence, and nothing of any is ever run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_release import DESK, FILES, OTHER, TRUSTED, made, sha, signed, told, whole

from hftlib.core.errors import HftError
from hftlib.core.release.keys import PublicKey
from hftlib.core.release.manifest import MANIFEST, SIGNATURE, canonical
from hftlib.core.release.reading import read_release, signature_text


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def refusal(folder, trusted=TRUSTED):
    with pytest.raises(HftError) as caught:
        read_release(folder, trusted)
    text = str(caught.value)
    assert text.isprintable() and len(text) < 500, text
    return text


@pytest.fixture
def release(tmp_path):
    return made(tmp_path).folder


def test_a_sound_release_is_read_and_says_what_it_is(release):
    found = read_release(release, TRUSTED)
    assert dict(found.files) == FILES and found.name == "maker-7" and found.key == DESK.public
    assert found.digest == sha((release / MANIFEST).read_bytes())
    assert found.below("evidence") == {"gates/data.html": FILES["evidence/gates/data.html"]}
    assert found.text("limits.toml").startswith("[firm]")


# What somebody does to the folder of a good release, who has no key.


def _pickled(folder, place):
    (folder / "strategy/maker.py").write_bytes(pickle.dumps(Bomb(place)))


def _extra(name):
    def hostile(folder, place):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pickle.dumps(Bomb(place)))

    return hostile


def _linked(folder, _place):
    shutil.move(folder / "limits.toml", folder.parent / "limits.toml")
    (folder / "limits.toml").symlink_to(folder.parent / "limits.toml")


def _folder_linked(folder, _place):
    shutil.move(folder / "code", folder.parent / "code")
    (folder / "code").symlink_to(folder.parent / "code")


def _hard_linked(folder, _place):
    os.link(folder / "limits.toml", folder.parent / "limits.toml")


def _device(folder, _place):
    (folder / "limits.toml").unlink()
    (folder / "limits.toml").symlink_to("/dev/zero")


def _pipe(folder, _place):
    (folder / "limits.toml").unlink()
    os.mkfifo(folder / "limits.toml")


def _manifest_pipe(folder, _place):
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)


def _socket(folder, _place):
    (folder / "limits.toml").unlink()
    with socket.socket(socket.AF_UNIX) as own:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path is short
        own.bind("limits.toml")
        os.chdir(here)


def _manifest_linked(folder, _place):
    shutil.move(folder / MANIFEST, folder.parent / "m")
    (folder / MANIFEST).symlink_to(folder.parent / "m")


def _huge(name):
    def hostile(folder, _place):
        with (folder / name).open("r+b") as file:
            file.truncate(1 << 40)  # a terabyte of nothing takes no room

    return hostile


def _swapped(folder, _place):
    one, other = folder / "limits.toml", folder / "rollout.toml"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _renamed(folder, _place):
    (folder / "limits.toml").rename(folder / "Limits.toml")


def _cut(folder, _place):
    target = folder / "code/Maker.00.o"
    target.write_bytes(target.read_bytes()[:-1])


def _longer(folder, _place):
    with (folder / "limits.toml").open("ab") as file:
        file.write(b"\n")


def _emptied(name):
    return lambda folder, _place: (folder / name).write_bytes(b"")


def _gone(name):
    return lambda folder, _place: (folder / name).unlink()


def _folder_for_a_file(folder, _place):
    (folder / "limits.toml").unlink()
    (folder / "limits.toml").mkdir()


def _empty_folder(folder, _place):
    (folder / "more").mkdir()


def _deep(folder, _place):
    folder.joinpath(*["d"] * 40).mkdir(parents=True)


def _signature_of_another(folder, _place):
    other = made(folder.parent / "elsewhere", serial=8).folder
    shutil.copy(other / SIGNATURE, folder / SIGNATURE)


def _manifest_of_another(folder, _place):
    other = made(folder.parent / "elsewhere", serial=8, files={**FILES, "more.txt": b""}).folder
    for name in (MANIFEST, SIGNATURE):
        shutil.copy(other / name, folder / name)


def _wrong_key(folder, _place):
    signed(folder, (folder / MANIFEST).read_bytes(), OTHER)


def _wrong_key_under_a_trusted_id(folder, _place):
    data = (folder / MANIFEST).read_bytes()
    (folder / SIGNATURE).write_bytes(signature_text(DESK.public.id, OTHER.sign(data)))


def _zero_signature(folder, _place):
    (folder / SIGNATURE).write_bytes(signature_text(DESK.public.id, bytes(64)))


def _signature(change):
    def hostile(folder, _place):
        target = folder / SIGNATURE
        target.write_bytes(change(target.read_bytes()))

    return hostile


def _no_name_of_text(folder, _place):
    os.close(os.open(bytes(folder) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY))


HOSTILE = {
    "pickle bytes for the strategy": _pickled,
    "a pickle more": _extra("model.pkl"),
    "a module more beside the strategy": _extra("strategy/numpy.py"),
    "a hidden file": _extra(".pth"),
    "a site file": _extra("sitecustomize.py"),
    "a name with a line in it": _extra("a\nerror: none"),
    "a name that turns the text around": _extra("limits\u202elmot."),
    "a name that looks like another": _extra("lim\u0456ts.toml"),
    "a name that is no text": _no_name_of_text,
    "a link": _linked,
    "a linked folder": _folder_linked,
    "a linked manifest": _manifest_linked,
    "a file with a second name": _hard_linked,
    "a device": _device,
    "a pipe": _pipe,
    "a pipe for a manifest": _manifest_pipe,
    "a socket": _socket,
    "a huge file": _huge("limits.toml"),
    "a huge manifest": _huge(MANIFEST),
    "a huge signature": _huge(SIGNATURE),
    "two files swapped": _swapped,
    "a name in capitals": _renamed,
    "code cut off": _cut,
    "limits that are longer": _longer,
    "limits that are empty": _emptied("limits.toml"),
    "an empty manifest": _emptied(MANIFEST),
    "an empty signature": _emptied(SIGNATURE),
    "no limits": _gone("limits.toml"),
    "no code": _gone("code/Maker.00.o"),
    "no manifest": _gone(MANIFEST),
    "no signature": _gone(SIGNATURE),
    "a folder for a file": _folder_for_a_file,
    "an empty folder": _empty_folder,
    "folders without end": _deep,
    "the signature of another release": _signature_of_another,
    "the manifest of another release": _manifest_of_another,
    "a key that is not trusted": _wrong_key,
    "another's signature under a trusted id": _wrong_key_under_a_trusted_id,
    "a signature of zeros": _zero_signature,
    "a signature with a line more": _signature(lambda text: text + b"\n"),
    "a signature with other line ends": _signature(lambda text: text.replace(b"\n", b"\r\n")),
    "a signature in capitals": _signature(bytes.upper),
    "a signature of another format": _signature(lambda text: text.replace(b"ture 1", b"ture 2")),
    "a signature that is cut off": _signature(lambda text: text[:-9]),
    "a pickled signature": _signature(pickle.dumps),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_what_was_done_to_a_release_is_refused_in_a_sentence(hostile, release, tmp_path):
    place = tmp_path / "it was run"
    hostile(release, place)
    refusal(release)
    assert not place.exists()


# What somebody makes who has a trusted key: signed, and hostile all the same.


def _changed(**changes):
    return canonical({**asdict(whole()), **changes})


def _files(**more):
    return _changed(files={**told(FILES), **more})


def _text(old, new):
    data = _changed()
    assert data.count(old) == 1
    return data.replace(old, new)


ONE = {"sha256": sha(b""), "bytes": 0}
UP = "../" * 9 + "etc/passwd"
SIGNED = {
    "a path above": _files(**{UP: ONE}),
    "a path from the root": _files(**{"/etc/passwd": ONE}),
    "a path through this folder": _files(**{"a/./b": ONE}),
    "a path without a name": _files(**{"a//b": ONE}),
    "a path of another system": _files(**{"a\\..\\b": ONE}),
    "a path with a zero": _files(**{"a\0b": ONE}),
    "a path without end": _files(**{"a" * 5_000: ONE}),
    "a path of one name too many": _files(**{"a/" * 9 + "b": ONE}),
    "a path in other letters": _files(**{"l\u0456mits.toml": ONE}),
    "two paths alike": _files(**{"LIMITS.toml": ONE}),
    "a file that is a folder, too": _files(strategy=ONE),
    "the manifest among the files": _files(**{MANIFEST: ONE}),
    "a file of a terabyte": _files(huge={"sha256": sha(b""), "bytes": 1 << 40}),
    "a file of less than nothing": _files(less={"sha256": sha(b""), "bytes": -1}),
    "a size that is true": _files(one={"sha256": sha(b""), "bytes": True}),
    "a size that is a float": _files(one={"sha256": sha(b""), "bytes": 0.0}),
    "many large files": _files(
        **{f"f{n}": {"sha256": sha(b""), "bytes": 64 << 20} for n in range(5)}
    ),
    "files without end": _files(**{f"f{n}": ONE for n in range(5_000)}),
    "no files": _changed(files={}),
    "files that are a list": _changed(files=[]),
    "a digest too short": _files(one={"sha256": "00", "bytes": 0}),
    "a digest in capitals": _files(one={"sha256": sha(b"").upper(), "bytes": 0}),
    "limits that are not there": _changed(limits=sha(b"")),
    "a strategy that is not there": _changed(sources=sha(b"")),
    "a module outside": _changed(module="../maker.py"),
    "a module that is code": _changed(module="code/Maker.00.o"),
    "a class that is a call": _changed(strategy="__import__('os')"),
    "a name that is a path": _changed(name="../maker"),
    "a serial of zero": _changed(serial=0),
    "a serial that is true": _changed(serial=True),
    "a serial without end": _changed(serial=10**30),
    "a serial of thousands of digits": _text(b'"serial": 7', b'"serial": ' + b"7" * 9_000),
    "a time that is none": _changed(made="now"),
    "a parameter that is not declared": _changed(parameters={"peg": 1}),
    "a parameter that is a table": _changed(parameters={"clip": {}}),
    "a parameter that is no number": _text(b'"edge": 0.5', b'"edge": NaN'),
    "a parameter without end": _text(b'"edge": 0.5', b'"edge": 1e999'),
    "a name that may not come back": _changed(retired=["clip"]),
    "another format": _changed(format=2),
    "a format that is true": _changed(format=True),
    "a key too many": _changed(pickle="gASV"),
    "a key too few": canonical({k: v for k, v in asdict(whole()).items() if k != "cpu"}),
    "a key twice": _text(b'"serial": 7', b'"serial": 9,\n "serial": 7'),
    "a blank too many": _changed() + b" ",
    "a mark of the order of bytes": b"\xef\xbb\xbf" + _changed(),
    "a text in wide letters": _changed().decode().encode("utf-16"),
    "an escape for a plain letter": _text(b'"Maker"', rb'"\u004daker"'),
    "half of a letter": _text(b'"Maker"', rb'"\ud800"'),
    "lists in lists": b"[" * 100_000 + b"]" * 100_000,
    "tables in tables": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a pickle for a manifest": pickle.dumps({"name": "maker"}),
    "a list for a manifest": b"[]\n",
    "a number for a manifest": b"1\n",
    "nothing for a manifest": b"",
    "an ABI without a part": _changed(abi={"engine": "0"}),
    "features in no order": _changed(cpu={"name": "x", "features": ["b", "a"]}),
    "a compiler of many lines": _changed(compiler="a\nb"),
    "a tape without a digest": _changed(tapes={"monday": ""}),
}


@pytest.mark.parametrize("data", SIGNED.values(), ids=SIGNED)
def test_what_is_signed_and_hostile_is_refused_in_a_sentence(data, release):
    signed(release, data)
    refusal(release)


def test_there_are_more_than_fifty_of_them():
    assert len(HOSTILE) >= 45 and len(SIGNED) >= 50


def test_a_signature_is_looked_at_before_anything_else_is_read(release):
    signed(release, b"[" * 100_000, OTHER)
    assert "does not trust" in refusal(release)
    (release / SIGNATURE).write_bytes(signature_text(DESK.public.id, DESK.sign(b"")))
    assert "is not what the key" in refusal(release)


def test_what_changes_after_the_reading_changes_nothing(release):
    found = read_release(release, TRUSTED)
    (release / "limits.toml").write_bytes(b"")
    assert found.files["limits.toml"] == FILES["limits.toml"]


def test_a_place_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "nowhere", tmp_path / "file", "a\0b", tmp_path):
        refusal(place)
    refusal(made(tmp_path).folder, {})


def test_a_trusted_key_that_is_no_point_of_the_curve_trusts_nobody(release):
    data = (release / MANIFEST).read_bytes()
    odd = PublicKey("odd", b"\xff" * 32)
    (release / SIGNATURE).write_bytes(signature_text(odd.id, DESK.sign(data)))
    assert "is not what the key" in refusal(release, {odd.id: odd})


@pytest.fixture(scope="module")
def bytes_of(tmp_path_factory):
    folder = made(tmp_path_factory.mktemp("any")).folder
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return folder, [(path, at) for path in files for at in range(path.stat().st_size)]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_altered_byte_anywhere_is_refused(bytes_of, data):
    folder, places = bytes_of
    path, at = data.draw(st.sampled_from(places))
    before = path.read_bytes()
    change = data.draw(st.integers(1, 255))
    path.write_bytes(before[:at] + bytes([before[at] ^ change]) + before[at + 1 :])
    try:
        refusal(folder)
    finally:
        path.write_bytes(before)


def test_a_byte_of_every_file_is_refused(bytes_of):
    folder, places = bytes_of
    for path in sorted({path for path, _ in places}):
        before = path.read_bytes()
        path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        refusal(folder)
        path.write_bytes(before)
    assert (
        json.loads((folder / MANIFEST).read_bytes())["name"]
        == read_release(folder, TRUSTED).manifest.name
    )
