"""One file of a release: the same bytes each time, and hostile ones leave nothing on the disk."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from small_release import FILES, TRUSTED, made

from hftlib.core.errors import HftError
from hftlib.core.release.archive import ENDING, pack, packed, unpack
from hftlib.core.release.manifest import MANIFEST, SIGNATURE
from hftlib.core.release.reading import read_release


@pytest.fixture
def release(tmp_path):
    return made(tmp_path / "made")


def whole(release):
    names = (MANIFEST, SIGNATURE)
    return {**release.files, **{name: (release.folder / name).read_bytes() for name in names}}


def test_a_release_comes_back_as_it_was_and_its_archive_is_always_the_same(release, tmp_path):
    first = pack(release, tmp_path / f"a{ENDING}")
    found = unpack(first, tmp_path / "live", TRUSTED)
    assert found.folder == tmp_path / "live" / "maker-7" and dict(found.files) == FILES
    assert found.digest == release.digest == read_release(found.folder, TRUSTED).digest
    assert pack(found, tmp_path / f"b{ENDING}").read_bytes() == first.read_bytes()
    with tarfile.open(first) as tar:
        assert {one.mtime for one in tar} == {0}
    for again in (lambda: pack(release, first), lambda: unpack(first, tmp_path / "live", TRUSTED)):
        with pytest.raises(HftError, match="already"):
            again()
    with pytest.raises(HftError, match=r"tar\.gz"):
        pack(release, tmp_path / "a.zip")
    with pytest.raises(HftError, match="cannot be written"):
        pack(release, tmp_path / "nowhere" / f"a{ENDING}")


def tar_of(*members, form=tarfile.GNU_FORMAT):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for name, data, changes in members:
            one = tarfile.TarInfo(name)
            one.size = len(data)
            for key, value in changes.items():
                setattr(one, key, value)
            tar.addfile(one, io.BytesIO(data))
    return gzip.compress(made.getvalue())


def more(name, data=b"x", **changes):
    def hostile(files):
        good = [(f"maker-7/{path}", one, {}) for path, one in files.items()]
        return tar_of(*good, (name, data, changes))

    return hostile


def nothing(kind, target):
    return more("maker-7/limits2.toml", b"", type=kind, linkname=target)


HOSTILE = {
    "a path above": more("maker-7/../../../up"),
    "a path above at once": more("../up"),
    "a path from the root": more("/tmp/hft-up"),
    "a path from the root inside": more("maker-7//tmp/hft-up"),
    "a second folder": more("other/limits.toml"),
    "no folder": more("limits.toml"),
    "a file twice": more("maker-7/limits.toml"),
    "a file more": more("maker-7/model.pkl"),
    "a link": nothing(tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link": nothing(tarfile.LNKTYPE, "maker-7/limits.toml"),
    "a device": nothing(tarfile.CHRTYPE, ""),
    "a pipe": nothing(tarfile.FIFOTYPE, ""),
    "a folder": more("maker-7/code", b"", type=tarfile.DIRTYPE),
    "a sparse file": more("maker-7/hole", b"", type=tarfile.GNUTYPE_SPARSE),
    "a long name by other means": more("maker-7/" + "n" * 120),
    "a name in other letters": more("maker-7/l\u0456mits.toml"),
    "attributes by other means": more("maker-7/x", pax_headers={"path": "../up"}),
    "the wrong folder": lambda files: packed("maker-8", files),
    "no files": lambda _: tar_of(),
    "no signature": lambda files: packed(
        "maker-7", {k: v for k, v in files.items() if k != SIGNATURE}
    ),
    "an altered byte": lambda files: packed("maker-7", {**files, "limits.toml": b"[firm]"}),
    "no archive": lambda _: b"PK\x03\x04 this is a zip",
    "no tar": lambda _: gzip.compress(b"x" * 5_000),
    "nothing": lambda _: b"",
    "a bomb": lambda _: gzip.compress(bytes(1 << 22)) * 80,
    "a pickle": lambda _: b"\x80\x04\x95",
    "cut off": lambda files: packed("maker-7", files)[:-200],
    "its tar cut off": lambda files: gzip.compress(
        gzip.decompress(packed("maker-7", files))[:3_000]
    ),
    "a size without end": lambda files: _size_of(packed("maker-7", files)),
}


def _size_of(data):
    """The first file's size says eight gigabytes."""
    tar = bytearray(gzip.decompress(data))
    tar[124:136] = b"77777777777\0"
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    return gzip.compress(bytes(tar))


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(hostile, release, tmp_path):
    path, into = tmp_path / f"x{ENDING}", tmp_path / "deep" / "live"
    path.write_bytes(hostile(whole(release)))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(HftError) as caught:
        unpack(path, into, TRUSTED)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_plain_file_is_not_opened(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(HftError):
            unpack(place, tmp_path / "live", TRUSTED)
    with pytest.raises(HftError, match="no plain file"):
        unpack(type(tmp_path)("/dev/zero"), tmp_path / "live", TRUSTED)
