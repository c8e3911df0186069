"""The file of people: what others could have read, written or damaged is refused, and says why."""

from __future__ import annotations

import json
import os
import threading

import pytest

from hftlib.core.errors import HftError, HostError, InputError
from hftlib.ops.access.people import People, Person, Token

KEPT = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA"
CANARY = "gAAAA-a-sealed-secret"


def person(name="ann", **more):
    return Person(name, ("operator",), KEPT, CANARY, **more)


@pytest.fixture
def people(tmp_path):
    found = People(tmp_path / "people.json")
    found.change(lambda all_: all_.update(ann=person()))
    return found


def refusal(people, kind=InputError):
    with pytest.raises(kind) as caught:
        People(people.path).all()
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_it_is_read_again_when_it_changed_and_is_its_owners_alone(people):
    token = Token("0" * 64, "look", 5, "grafana")
    assert people.named("ann") == person()
    assert people.path.stat().st_mode & 0o777 == 0o600
    People(people.path).change(
        lambda all_: all_.update(bob=person("bob", tokens={"4f2a81c0": token}))
    )
    assert people.named("bob").tokens["4f2a81c0"] == token
    People(people.path).change(lambda all_: all_.pop("ann") and None)
    assert people.named("ann") is None
    assert "argon2" not in repr(people.all()) and CANARY not in repr(people.all())


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o602, 0o640, 0o604])
def test_a_file_that_others_may_read_or_write_is_refused(people, mode):
    people.path.chmod(mode)
    assert "may be read or written by others" in refusal(people)
    with pytest.raises(InputError):
        people.change(lambda all_: all_.clear())
    with pytest.raises(InputError):
        people.all()  # also by who has read it before


def test_a_folder_where_others_may_put_another_is_refused(people):
    people.path.parent.chmod(0o777)
    assert "Others may put another in its place" in refusal(people)


def test_a_link_a_pipe_and_another_users_file_are_refused(people, tmp_path):
    (tmp_path / "link.json").symlink_to(people.path)
    with pytest.raises(InputError, match="is a link"):
        People(tmp_path / "link.json").all()
    os.mkfifo(tmp_path / "pipe.json", 0o600)
    with pytest.raises(InputError, match="no plain file"):
        People(tmp_path / "pipe.json").all()
    if os.getuid() == 0:
        os.chown(people.path, 1234, 1234)
        assert "another user's" in refusal(people)


@pytest.mark.parametrize(
    "how",
    [
        lambda told: told.update(format=2),
        lambda told: told.update(more=1),
        lambda told: told.update(people=[]),
        lambda told: told["people"].update(ANN=told["people"]["ann"]),
        lambda told: told["people"]["ann"].update(roles=["king"]),
        lambda told: told["people"]["ann"].update(roles="risk"),
        lambda told: told["people"]["ann"].update(password="plain"),
        lambda told: told["people"]["ann"].update(totp=7),
        lambda told: told["people"]["ann"].update(more=1),
        lambda told: told["people"]["ann"].pop("tokens"),
        lambda told: told["people"]["ann"].update(tokens={"x": {}}),
        lambda told: told["people"]["ann"].update(
            tokens={"4f2a81c0": {"digest": "0", "scope": "look", "until_ns": 1, "note": ""}}
        ),
    ],
)
def test_what_cannot_be_is_damage_and_no_secret_is_quoted(people, how):
    told = json.loads(people.path.read_text())
    how(told)
    people.path.write_text(json.dumps(told))
    assert "is damaged" in refusal(people)


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"format":1}'])
def test_what_is_no_file_of_people_is_damage(people, data):
    people.path.write_bytes(data)
    assert "is damaged" in refusal(people)


def test_a_name_that_stands_twice_is_refused(people):
    text = people.path.read_text()
    one = text[text.index('"ann"') : text.rindex("}}") if "}}" in text else text.rindex("}")]
    people.path.write_text(text.replace(one, f"{one.rstrip().rstrip('}').rstrip()}, {one}", 1))
    assert refusal(people)


def test_many_who_change_it_at_once_lose_nothing(people):
    def add(n):
        People(people.path).change(lambda all_: all_.update({f"p{n}": person(f"p{n}")}))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(people.all()) == {"ann", *(f"p{n}" for n in range(20))}
    assert not list(people.path.parent.glob("*.part"))


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "people.json", tmp_path / ("x" * 300)):
        with pytest.raises(HftError) as caught:
            People(place).change(lambda all_: None)
        assert isinstance(caught.value, HostError)
