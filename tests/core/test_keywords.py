"""Settings by name: what is known is taken, what is not is told with the name that was meant."""

import dataclasses
import inspect

import pytest

from hftlib.core.errors import InputError
from hftlib.core.keywords import by_name


@by_name
@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A way there."""

    there_ns: int = 1
    back_ns: int = 2
    colour: str = "blue"


def test_known_settings_are_taken():
    way = Way(back_ns=5)
    assert (way.there_ns, way.back_ns) == (1, 5)
    assert dataclasses.replace(way, there_ns=7) == Way(there_ns=7, back_ns=5)
    assert list(inspect.signature(Way).parameters) == ["there_ns", "back_ns", "colour"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"color": "red"}, "Did you mean 'colour'?"),
        ({"ns": 4}, "Did you mean 'there_ns' or 'back_ns'?"),
        ({"colour": "red", "zzz": 4}, "There is there_ns, back_ns, colour."),
    ],
)
def test_an_unknown_one_is_told_with_what_was_meant(given, meant):
    with pytest.raises(InputError) as caught:
        Way(**given)
    assert caught.value.do == meant and "Way has no setting" in caught.value.what


def test_a_value_without_a_name_is_refused():
    with pytest.raises(InputError, match=r"Way\(there_ns=5\)"):
        Way(5)
